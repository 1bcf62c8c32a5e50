"""Which behaviours of the local service are proven by a source, and which are its own policy. Data alone.

Sources: SPEC is the vendor's OpenAPI description (with its examples), REFERENCE and GUIDE its documentation,
SDK the `openai` package's source, OBSERVED a reply of the real service that somebody published, REPORTED what
only third parties say. A policy has no source: the real service may do otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    SPEC = "vendor's OpenAPI description"
    REFERENCE = "vendor's API reference"
    GUIDE = "vendor's guides"
    SDK = "vendor's SDK"
    OBSERVED = "published reply of the real service"
    REPORTED = "third-party report"
    POLICY = "our own policy"


PROVEN = frozenset({Source.SPEC, Source.REFERENCE, Source.GUIDE, Source.SDK, Source.OBSERVED})


@dataclass(frozen=True, slots=True)
class Behaviour:
    area: str
    what: str
    source: Source

    @property
    def proven(self) -> bool:
        return self.source in PROVEN


def of(area: str, *behaviours: tuple[str, Source]) -> tuple[Behaviour, ...]:
    return tuple(Behaviour(area, what, source) for what, source in behaviours)


OF_THE_VENDOR: tuple[Behaviour, ...] = (
    *of(
        "transport",
        ("an error is an envelope of message, type, param and code, nulls included", Source.SPEC),
        ("a missing or wrong key is 401, code invalid_api_key for a wrong one", Source.REPORTED),
        ("an unknown URL is 404, a wrong method 405", Source.POLICY),
        (
            "every reply has a request id, the organization, the version and its processing time in headers",
            Source.GUIDE,
        ),
        ("every reply has rate-limit headers by the vendor's names, a project's tokens too", Source.GUIDE),
        ("rate-limit headers say that nothing was used up: the service limits nothing", Source.POLICY),
        ("a foreign Host or Origin header is 403", Source.POLICY),
        ("an unknown field of a request body or query is 400 unknown_parameter", Source.OBSERVED),
        ("null in place of a field that may be left out counts as left out", Source.POLICY),
        ("wording and codes of missing, mistyped and out-of-range fields", Source.REPORTED),
        ("a body over 16 MiB, or nested deeper than 100 levels, is refused", Source.POLICY),
        ("a cursor that is in no list is 400", Source.POLICY),
        ("jobs, events and checkpoints are listed by at most 1,000, permissions by 100", Source.POLICY),
    ),
    *of(
        "files",
        ("a file is at most 512 MB; a larger one is 413", Source.SPEC),
        ("limit is 1 to 10,000 and 10,000 if absent; newest first unless order=asc", Source.SPEC),
        ("a missing file is 404 with param id", Source.OBSERVED),
        ("a file for fine-tune must be named .jsonl", Source.SPEC),
        ("wording of the refusal of another extension", Source.REPORTED),
        ("an empty file is refused when it is uploaded", Source.POLICY),
        ("expires_after is 3,600 to 2,592,000 seconds; batch files expire after 30 days", Source.SPEC),
        ("a file is processed at once", Source.POLICY),
        ("a file may be deleted while a job uses it, and the job goes on", Source.POLICY),
        (
            "the bytes of what a job was trained from stay on the disk after its deletion, for the job's models alone",
            Source.POLICY,
        ),
        ("a file's name has 1 to 4,096 characters", Source.POLICY),
        (
            "the bytes of what has expired are removed for good when the service starts, or an upload begins",
            Source.POLICY,
        ),
    ),
    *of(
        "uploads",
        ("the four calls, their fields, and the four statuses", Source.SPEC),
        ("an upload has at most 8 GB and expires an hour after its creation", Source.SPEC),
        ("a part has at most 64 MB; a larger one is 413", Source.SPEC),
        ("parts come in any order and in parallel; complete says their order", Source.SPEC),
        ("a part may come as a file or as a plain field of the form", Source.SPEC),
        ("the parts of complete must have the announced bytes together", Source.SPEC),
        ("md5 is compared where it is given", Source.SPEC),
        ("md5 is 32 hexadecimal digits, of either case", Source.POLICY),
        ("no part is taken after an upload was completed or cancelled", Source.SPEC),
        ("a call to an upload that has ended or expired is 400; completing twice is, too", Source.POLICY),
        ("wording of every refusal of an upload; an unknown one is 404 with param upload_id", Source.POLICY),
        ("a refused completion leaves the upload pending", Source.POLICY),
        ("complete may leave parts out, and names none twice; what is left out is gone", Source.POLICY),
        (
            "all parts together, those of repeated requests too, have at most 8 GB; an empty one is refused",
            Source.POLICY,
        ),
        ("purposes are those of files; the rules of a file's name are held to at creation", Source.POLICY),
        ("any mime_type is taken for any purpose", Source.POLICY),
        ("expires_after counts from when the upload became a file", Source.POLICY),
        ("an upload has a file only when it is completed", Source.SPEC),
    ),
    *of(
        "jobs",
        ("ranges of hyperparameters, seed, suffix and metadata", Source.SPEC),
        (
            "learning_rate_multiplier is at most 1,000, eval_interval and eval_samples 1,000,000",
            Source.POLICY,
        ),
        ("validation_file is needed for reinforcement", Source.GUIDE),
        ("a missing validation_file is refused by the create call", Source.POLICY),
        ("an unknown file id is refused by the create call", Source.POLICY),
        ("any well-formed name of a base model can be trained", Source.POLICY),
        ("the job's model is the snapshot that an alias means", Source.SPEC),
        ("the service picks a seed where none is given", Source.SPEC),
        ("a missing grader name is made up", Source.OBSERVED),
        ("a multi grader's graders are a dictionary", Source.OBSERVED),
        ("the suffix comes back as user_provided_suffix, response_format in its method", Source.SPEC),
        ("characters of a suffix that cannot stand in a path become hyphens in the model id", Source.POLICY),
        ("top-level hyperparameters are null unless the method is supervised", Source.SPEC),
        ("top-level hyperparameters beside a method are ignored", Source.REPORTED),
        ("top-level hyperparameters that are ignored are checked all the same", Source.POLICY),
        ("'auto' becomes a number when the job first runs", Source.REPORTED),
        ("error is null unless the job failed", Source.SPEC),
        ("metadata filters: pairs that must all match, or metadata=null", Source.SPEC),
        (
            "integrations are echoed with the job's id as run_id, and not contacted",
            Source.POLICY,
        ),
        ("a job that succeeded leaves one CSV file of purpose fine-tune-results, named in result_files", Source.SPEC),
        (
            "it is step_metrics.csv: a line a step, a column for each figure of its metrics event, who simulated it",
            Source.POLICY,
        ),
        ("it is among the files from when the job succeeds; when it is deleted, the job names it still", Source.POLICY),
        ("usage_metrics is null: it counts time and graders' tokens, but its shape is not published", Source.POLICY),
        ("eval_id is null: there are no evals here, but samples", Source.POLICY),
        ("shared_with_openai is false", Source.SPEC),
    ),
    *of(
        "start of a job",
        ("data and grader are examined when the job starts, not by the create call", Source.GUIDE),
        ("fewer than 10 supervised or dpo training examples fail it with invalid_n_examples", Source.OBSERVED),
        ("reinforcement trains from one example on: no least number is established", Source.POLICY),
        ("a malformed line fails it with invalid_training_file or invalid_validation_file", Source.OBSERVED),
        ("wording of what is wrong with a line", Source.POLICY),
        ("blank lines do not count; a byte order mark is not valid JSON", Source.POLICY),
        ("reinforcement takes at most 50,000 training and 1,000 validation rows", Source.GUIDE),
        ("reinforcement rows: roles developer, user, assistant, tool", Source.SPEC),
        ("reinforcement rows: the last message is the user's", Source.REPORTED),
        ("reinforcement rows: messages are text and images", Source.SPEC),
        ("a file of another purpose fails the job", Source.POLICY),
        ("a file that moderation blocks fails it with the codes of a malformed line", Source.OBSERVED),
        ("moderation blocks rows with the marker RFTPLAN-MODERATION-TEST-ROW, and nothing else", Source.POLICY),
        ("what moderation found is an event of the type moderation_checks", Source.GUIDE),
        ("that event comes with a blocked file alone; its data names the file and 20 lines", Source.POLICY),
        (
            "a job whose Python grader fails on every sample of its first step fails, and says what was raised",
            Source.GUIDE,
        ),
        (
            "how many errors of a Python grader end a job: all of the first step's; code too_many_grader_errors",
            Source.POLICY,
        ),
        ("a grader that is invalid, or that this service cannot run, fails the job", Source.POLICY),
    ),
    *of(
        "life of a job",
        ("the states and their order, pausing and paused included", Source.REFERENCE),
        ("how long each state lasts", Source.POLICY),
        ("pause needs a running job with at least one step done", Source.REPORTED),
        ("cancel is allowed in every state that is not final", Source.POLICY),
        ("a command in a wrong state is 400, never 409, which the SDK would repeat", Source.SDK),
        ("wording of the refusal of a command", Source.POLICY),
        ("resume queues the job again and no work is lost", Source.POLICY),
        ("pausing makes a checkpoint of the last step, a model like any other; resuming goes on from it", Source.GUIDE),
        (
            "it is there when the job is paused, beside the best three, and stays whatever happens to the job",
            Source.POLICY,
        ),
        ("if the step was not validated, it has the figures of training alone", Source.POLICY),
        ("estimated_finish is null unless the job is running", Source.SPEC),
        ("trained_tokens is null unless the job succeeded", Source.POLICY),
    ),
    *of(
        "events and checkpoints",
        ("newest event first, 20 a page; highest step first, 10 a page", Source.SPEC),
        ("messages at creation, at a step, of the new model and of the end", Source.SPEC),
        ("messages of validating, queued and started", Source.REPORTED),
        ("messages of pausing, paused, resumed and cancelled", Source.POLICY),
        ("a warn event says that the job is simulated; the trainer's notes are events", Source.POLICY),
        ("reinforcement keeps the three checkpoints of best validation reward", Source.GUIDE),
        ("of checkpoints with one reward the later is kept", Source.POLICY),
        (
            "the final step's checkpoint is kept too, and is the fine-tuned model itself",
            Source.POLICY,
        ),
        ("supervised and dpo keep the last three checkpoints", Source.POLICY),
        ("jobs and checkpoints say in 'simulation' who trained and who judged", Source.POLICY),
    ),
    *of(
        "graders",
        ("a grader that fails on a sample is 200 with reward 0 and a flag", Source.OBSERVED),
        ("an invalid definition is 400", Source.OBSERVED),
        ("running a grader that this service cannot run is 400", Source.POLICY),
        ("a score_model without a judge is judged by overlap of words, and says so", Source.POLICY),
    ),
    *of(
        "models and permissions",
        ("a missing model is 404 model_not_found", Source.REPORTED),
        ("shutdown_date is null unless a fault retires the model", Source.POLICY),
        ("a checkpoint is a model of its own and can be deleted alone", Source.POLICY),
        ("a deleted checkpoint leaves the job's list, a deleted model stays in the job", Source.POLICY),
        ("a base model cannot be deleted", Source.POLICY),
        ("a request grants at most 100 projects a permission", Source.POLICY),
        ("granting a permission again gives the one that is there", Source.POLICY),
        ("projects are not known: any project id is accepted, with the ordinary key", Source.POLICY),
    ),
    *of(
        "inference",
        ("the shape of a chat completion, of its chunks and of its usage", Source.SDK),
        ("a stream ends with finish_reason, with include_usage a chunk without choices, and [DONE]", Source.SDK),
        ("a missing or deleted model is 404 model_not_found", Source.REPORTED),
        ("an assistant's message without content needs tool_calls, a refusal or a function_call", Source.SPEC),
        ("wording of the refusal of a message without content", Source.REPORTED),
        ("a fine-tuned model and each kept checkpoint answer, each from its own step", Source.SPEC),
        ("what an answer is drawn from: the kinds of answers of the job's policy at that step", Source.POLICY),
        ("a prompt is looked up in the job's rows; for another one no right answer is known", Source.POLICY),
        ("the field 'simulate' of a request brings the row that is asked about (item), and its grader", Source.POLICY),
        ("a base model answers from where every policy starts, or says that it is not there", Source.POLICY),
        (
            "supervised and dpo checkpoints are right as often as their token accuracy, and take no 'simulate'",
            Source.POLICY,
        ),
        ("temperature 0 is the likeliest kind of answer; the same seed is the same answer", Source.POLICY),
        ("every model takes every temperature, max_tokens and every reasoning effort", Source.POLICY),
        ("top_p, penalties, logprobs, logit_bias, stop, audio and forced tool calls are refused", Source.POLICY),
        ("user, store, metadata, verbosity medium and cache keys change nothing; nothing is stored", Source.POLICY),
        ("reasoning counts into max_completion_tokens, before the text", Source.GUIDE),
        ("tokens are a quarter of the characters; o-series and gpt-5 models reason, others do not", Source.POLICY),
        ("the shape of a response, of its output items and of its events in their order", Source.SDK),
        ("a response that ran out of max_output_tokens is incomplete", Source.SDK),
        ("responses take text and messages, text.format, reasoning.effort and function tools", Source.POLICY),
        (
            "responses are not stored: previous_response_id, conversation, prompt and background are refused",
            Source.POLICY,
        ),
        ("a reply says in 'simulation' who answered, and what kind of answer it drew", Source.POLICY),
        ("a model of a job that kept nothing to answer from is 400", Source.POLICY),
    ),
)
