"""The vendor's OpenAPI description with its known defects mended, each by name. Holds nothing of the description.

Each mend carries a witness: a value that the description judges wrongly as it stands and rightly when mended. When
the description judges it rightly by itself, the mend has become unnecessary, and a test says so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tests.contract.contract import Contract

Document = dict[str, Any]

_SCHEMAS = ("components", "schemas")


class Verdict(Enum):
    VALID = True
    INVALID = False


@dataclass(frozen=True, slots=True)
class Mend:
    """`witness` is judged by the schema at this place of the description."""

    name: str
    source: str
    at: tuple[str, ...]
    witness: object
    verdict: Verdict
    apply: Callable[[Document], None]


class VendorContract(Contract):
    """The vendor's description, by which no request has a null that its schema does not name; the SDKs' types have
    them, and the service takes each for a field left out (its own policy, docs/fidelity.md)."""

    def as_sent(self, body: object) -> object:
        if isinstance(body, dict):
            return {key: self.as_sent(value) for key, value in body.items() if value is not None}
        return [self.as_sent(one) for one in body] if isinstance(body, list) else body


def read_vendor(path: Path) -> dict[str, Any]:
    import yaml

    loaded: dict[str, Any] = yaml.load(path.read_text(), yaml.CSafeLoader)
    return loaded


def mended(document: Mapping[str, Any], *, without: str | None = None) -> dict[str, Any]:
    """The description with every mend, or with all but one."""
    copied = copy.deepcopy(dict(document))
    for mend in MENDS:
        if mend.name != without:
            mend.apply(copied)
    return copied


_NULL = {"type": "null"}


def _or_null(*places: tuple[str, ...]) -> Callable[[Document], None]:
    def apply(document: Document) -> None:
        for *way, last in places:
            holder = document
            for key in way:
                holder = holder[key]
            holder[last] = {"anyOf": [holder[last], _NULL]}

    return apply


def _properties(document: Document, *schema: str) -> dict[str, Any]:
    inner: Any = document["components"]["schemas"]
    for name in schema:
        inner = inner[name] if inner is document["components"]["schemas"] else inner["properties"][name]
    found: dict[str, Any] = inner["properties"]
    return found


def _nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nested(inner)


def _take_nullable(document: Document) -> None:
    """Below `allOf` the word stands in a member of its own, and means the whole."""
    for schema in _nested(document):
        alone = [one for one in schema.get("allOf", ()) if one == {"nullable": True}]
        if schema.get("nullable") is True or alone:
            schema.pop("nullable", None)
            if alone:
                schema["allOf"].remove(alone[0])
            inner = dict(schema)
            schema.clear()
            schema["anyOf"] = [inner, _NULL]


def _take_exclusive(document: Document) -> None:
    for schema in _nested(document):
        if schema.get("exclusiveMinimum") is True:
            schema["exclusiveMinimum"] = schema.pop("minimum")


def _take_range(document: Document) -> None:
    value = _properties(document, "GraderScoreModel")["range"]
    value |= {"minItems": 2, "maxItems": 2}


def _dictionary_of_graders(document: Document) -> None:
    properties = _properties(document, "GraderMulti")
    properties["graders"] = {"type": "object", "additionalProperties": properties["graders"]}


def _extend_statuses(document: Document) -> None:
    _properties(document, "FineTuningJob")["status"]["enum"] += ["pausing", "paused"]


def _moderation_checks(document: Document) -> None:
    _properties(document, "FineTuningJobEvent")["type"]["enum"].append("moderation_checks")


def _error_flags(document: Document) -> None:
    errors = _properties(document, "RunGraderResponse", "metadata", "errors")
    text_or_null = {"anyOf": [{"type": "string"}, _NULL]}
    for flag in (
        "sample_parse_error",
        "invalid_variable_error",
        "model_grader_refusal_error",
        "model_grader_parse_error",
    ):
        errors[f"{flag}_details"] = text_or_null
    errors["model_grader_exceeded_max_tokens_error"] = {"type": "boolean"}


def _token_usage(document: Document) -> None:
    names = ("prompt_tokens", "total_tokens", "completion_tokens", "cached_tokens")
    usage = {"type": "object", "required": [*names], "properties": {name: {"type": "integer"} for name in names}}
    _properties(document, "RunGraderResponse", "metadata")["token_usage"]["anyOf"].append(usage)


def _response_format(document: Document) -> None:
    _properties(document, "FineTuneReinforcementMethod")["response_format"] = {"type": ["object", "null"]}


def _undocumented_fields(document: Document) -> None:
    _properties(document, "FineTuningJob").update(
        user_provided_suffix={"type": ["string", "null"], "maxLength": 64},
        shared_with_openai={"type": "boolean"},
        eval_id={"type": ["string", "null"]},
    )


def _checkpoint_metrics(document: Document) -> None:
    _properties(document, "FineTuningJobCheckpoint")["metrics"]["additionalProperties"] = {"type": "number"}


def _purposes(document: Document) -> None:
    _properties(document, "OpenAIFile")["purpose"]["enum"].append("evals")


def _upload_purposes(document: Document) -> None:
    _properties(document, "CreateUploadRequest")["purpose"]["enum"] += ["user_data", "evals"]


def _nameless(document: Document) -> None:
    for kind in ("StringCheck", "TextSimilarity", "Python", "ScoreModel", "Multi"):
        document["components"]["schemas"][f"Grader{kind}"]["required"].remove("name")


def _bytes(document: Document) -> None:
    response = document["paths"]["/files/{file_id}/content"]["get"]["responses"]["200"]
    response["content"] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def _at(schema: str, *names: str) -> tuple[str, ...]:
    """The place of a schema, or of a property in it."""
    return (*_SCHEMAS, schema, *(key for name in names for key in ("properties", name)))


_METHOD, _JOB, _FILE = "FineTuneReinforcementMethod", "FineTuningJob", "OpenAIFile"
_CHECK = {"type": "string_check", "name": "a", "input": "a", "reference": "b", "operation": "eq"}
_NAMELESS = {name: value for name, value in _CHECK.items() if name != "name"}
_SCORE = {"type": "score_model", "name": "a", "model": "m", "input": []}
_USAGE = {"prompt_tokens": 1, "total_tokens": 2, "completion_tokens": 1, "cached_tokens": 0}
_CONTENT = ("paths", "/files/{file_id}/content", "get", "responses", "200", "content")
_OVERFLOW = "model_grader_exceeded_max_tokens_error"
_VALID, _INVALID = Verdict.VALID, Verdict.INVALID

_SPEC_EXAMPLES = "the description's own examples"
_REFERENCE = "API reference of 2026-11"
_PUBLISHED = "published replies (eval-protocol's quickstart)"
_POLICY = "our own policy: null where there is nothing"

MENDS: tuple[Mend, ...] = (
    # What is written in the manner of OpenAPI 3.0, which has no meaning in 3.1.
    Mend(
        "nullable is no word of 3.1",
        "OpenAPI 3.1",
        _at("CreateFineTuningJobRequest", "suffix"),
        None,
        _VALID,
        _take_nullable,
    ),
    Mend(
        "exclusiveMinimum is a number in 3.1",
        "JSON Schema 2020-12",
        _at("FineTuneReinforcementHyperparameters", "learning_rate_multiplier"),
        0.5,
        _VALID,
        _take_exclusive,
    ),
    # The known defects. That errors are not described at all is seen to where errors are checked.
    Mend(
        "graders of a multi are a dictionary",
        "the vendor's staff in openai-java#647; the description of 2025-05",
        _at("GraderMulti", "graders"),
        {"a": _CHECK},
        _VALID,
        _dictionary_of_graders,
    ),
    Mend("pausing and paused are statuses", _REFERENCE, _at(_JOB, "status"), "paused", _VALID, _extend_statuses),
    Mend(
        "moderation_checks is a type of event",
        "the guide on reinforcement fine-tuning",
        _at("FineTuningJobEvent", "type"),
        "moderation_checks",
        _VALID,
        _moderation_checks,
    ),
    Mend(
        "hyperparameters are null for other methods than supervised",
        f"{_SPEC_EXAMPLES}; {_REFERENCE}",
        _at(_JOB, "hyperparameters"),
        None,
        _VALID,
        _or_null(_at(_JOB, "hyperparameters")),
    ),
    Mend("seed may be null", _REFERENCE, _at(_JOB, "seed"), None, _VALID, _or_null(_at(_JOB, "seed"))),
    Mend(
        "token_usage is an object",
        _SPEC_EXAMPLES,
        _at("RunGraderResponse", "metadata", "token_usage"),
        _USAGE,
        _VALID,
        _token_usage,
    ),
    Mend(
        "a grader's run has more error keys",
        _PUBLISHED,
        _at("RunGraderResponse", "metadata", "errors", _OVERFLOW),
        "yes",
        _INVALID,
        _error_flags,
    ),
    Mend(
        "reinforcement has a response_format",
        f"guide on reinforcement fine-tuning; {_SPEC_EXAMPLES}",
        _at(_METHOD, "response_format"),
        5,
        _INVALID,
        _response_format,
    ),
    Mend(
        "a job has fields that only examples and guides show",
        f"{_SPEC_EXAMPLES}; guides on reinforcement fine-tuning and its billing",
        _at(_JOB, "shared_with_openai"),
        "no",
        _INVALID,
        _undocumented_fields,
    ),
    Mend(
        "a checkpoint has reinforcement metrics",
        "guide on reinforcement fine-tuning",
        _at("FineTuningJobCheckpoint", "metrics"),
        {"step": 1, "full_valid_mean_reward": "high"},
        _INVALID,
        _checkpoint_metrics,
    ),
    Mend("evals is a purpose of a file", "CreateFileRequest", _at(_FILE, "purpose"), "evals", _VALID, _purposes),
    Mend(
        "an upload has the purposes of a file",
        "SDK types",
        _at("CreateUploadRequest", "purpose"),
        "evals",
        _VALID,
        _upload_purposes,
    ),
    Mend(
        "a range has exactly two numbers",
        "SDK docstring",
        _at("GraderScoreModel"),
        {**_SCORE, "range": [0]},
        _INVALID,
        _take_range,
    ),
    # What the suite found beyond them.
    Mend("a grader may come without a name", _PUBLISHED, _at("GraderStringCheck"), _NAMELESS, _VALID, _nameless),
    Mend(
        "the content of a file is bytes",
        "SDK: the call gives the bytes",
        (*_CONTENT, "application/octet-stream", "schema"),
        5,
        _INVALID,
        _bytes,
    ),
    Mend(
        "a file that does not expire has expires_at null",
        _POLICY,
        _at(_FILE, "expires_at"),
        None,
        _VALID,
        _or_null(_at(_FILE, "expires_at")),
    ),
    Mend(
        "a file has status_details null",
        _POLICY,
        _at(_FILE, "status_details"),
        None,
        _VALID,
        _or_null(_at(_FILE, "status_details")),
    ),
    Mend(
        "an empty list of files has no ends",
        _POLICY,
        _at("ListFilesResponse", "first_id"),
        None,
        _VALID,
        _or_null(_at("ListFilesResponse", "first_id"), _at("ListFilesResponse", "last_id")),
    ),
)
