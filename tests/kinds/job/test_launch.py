"""What makes a job what it is, and the request that launches it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.profiles import ResponseFormatStyle, profile
from rftplan.canonical import canonical_json, fingerprint
from rftplan.errors import Place
from rftplan.kinds import grader
from rftplan.kinds.base import Resource
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job.launch import attempt_of, identity, launch_of, request_body, sent_grader
from rftplan.kinds.job.spec import JobSpec
from rftplan.lockfile import Entry

PLACE = Place("specs/a.yaml", 1, 1)
CHECK = {"type": "string_check", "input": "{{sample.output_text}}", "operation": "eq", "reference": "{{item.answer}}"}
JUDGE = {
    "type": "score_model",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "content": "Rate it"}],
    "range": [0, 10],
}
MULTI = {"type": "multi", "graders": {"exact": CHECK, "tone": JUDGE}, "calculate_output": "exact + tone"}
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "sum", "strict": True, "schema": SCHEMA}}
BODY: dict[str, Any] = {
    "model": "o4-mini-2025-04-16",
    "training_file": "train",
    "validation_file": "test",
    "seed": 7,
    "suffix": "sums",
    "metadata": {"team": "maths"},
    "integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
    "extra_body": {"trainer": {"speed": 2}},
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": MULTI,
            "response_format": FORMAT,
            "hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 1.5},
        },
    },
}


def file_resource(name: str, rows: str, **rest: Any) -> Resource:
    return Resource(Address("file", name), None, PLACE, (), f"v1:{rows}", {"sha256": rows}, rows_digest=rows, **rest)


def grader_resource(name: str, body: Mapping[str, Any]) -> Resource:
    spec = GraderSpec.model_validate(body)
    inputs = grader.identity_of(spec)
    return Resource(Address("grader", name), spec, PLACE, (), fingerprint(inputs), inputs)


UPSTREAM = {
    r.address: r
    for r in (
        file_resource("train", "rows-a"),
        file_resource("test", "rows-b"),
        file_resource("copy", "rows-a"),
        grader_resource("both", MULTI),
        grader_resource("named", {**MULTI, "name": "Both of them"}),
    )
}
ENTRIES = {a: Entry("v1:", {}, id=f"file-{a.name}") for a in UPSTREAM if a.kind == "file"}


def identity_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return identity(JobSpec.model_validate(body), UPSTREAM)


def edited(path: str, value: Any) -> dict[str, Any]:
    """BODY with the value at a dotted path replaced, or taken out if it is `...`."""
    body = deepcopy(BODY)
    *parents, last = path.split(".")
    holder = body
    for part in parents:
        holder = holder.setdefault(part, {})
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return body


GRADER = "method.reinforcement.grader"
HYPER = "method.reinforcement.hyperparameters"
FORMAT_AT = "method.reinforcement.response_format"

COUNTS = [
    ("model", "o4-mini"),
    ("training_file", "test"),
    ("training_file", {"id": "file-abc"}),
    ("validation_file", "train"),
    ("validation_file", ...),
    ("seed", 8),
    ("seed", ...),
    ("suffix", "products"),
    ("integrations", ...),
    ("extra_body", {"trainer": {"speed": 3}}),
    (f"{HYPER}.n_epochs", 3),
    (f"{HYPER}.n_epochs", ...),
    (f"{HYPER}.reasoning_effort", "high"),
    (f"{GRADER}.calculate_output", "exact"),
    (f"{GRADER}.graders.exact.operation", "ne"),
    (f"{GRADER}.graders.tone.range", [0, 5]),
    (f"{FORMAT_AT}.json_schema.schema", {"type": "object"}),
    (f"{FORMAT_AT}.json_schema.strict", False),
    (FORMAT_AT, ...),
]


@pytest.mark.parametrize(("path", "value"), COUNTS, ids=[f"{path}={value}"[:60] for path, value in COUNTS])
def test_what_makes_another_job(path: str, value: Any) -> None:
    assert identity_of(edited(path, value)) != identity_of(BODY)


COUNTS_NOT = [
    ("training_file", "copy"),
    ("metadata", {"team": "physics"}),
    ("metadata", ...),
    ("run", "paused"),
    ("run", "running"),
    ("retry", {"attempts": 3}),
    ("lifecycle", {"prevent_replace": True}),
    (GRADER, "both"),
    (GRADER, "named"),
    (f"{GRADER}.name", "Both"),
    (f"{GRADER}.graders.exact.name", "Exact"),
    (f"{GRADER}.graders.tone.input", [{"role": "user", "type": "message", "content": "Rate it"}]),
    (f"{GRADER}.graders.tone.range", [0.0, 10.0]),
    (f"{GRADER}.graders.tone.pass_threshold", None),
    (FORMAT_AT, {"type": "json_schema", "name": "sum", "strict": True, "schema": SCHEMA}),
    (f"{HYPER}.batch_size", "auto"),
    (f"{HYPER}.eval_interval", "auto"),
    (f"{HYPER}.reasoning_effort", "default"),
    (f"{HYPER}.learning_rate_multiplier", 1.50),
    ("hyperparameters", None),
]


@pytest.mark.parametrize(("path", "value"), COUNTS_NOT, ids=[f"{path}={value}"[:60] for path, value in COUNTS_NOT])
def test_what_makes_no_other_job(path: str, value: Any) -> None:
    assert canonical_json(identity_of(edited(path, value))) == canonical_json(identity_of(BODY))


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_defaults_written_out_make_no_other_job(method: str) -> None:
    plain = {"model": "m", "training_file": "train", "method": {"type": method}}
    written = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
    full = {**plain, "method": {"type": method, method: {"hyperparameters": written}}}
    assert identity_of(plain) == identity_of(full)
    assert identity_of({**plain, "method": {"type": method, method: {}}}) == identity_of(plain)
    more = {**plain, "method": {"type": method, method: {"hyperparameters": {**written, "n_epochs": 1}}}}
    assert identity_of(more) != identity_of(plain)


def shuffled(value: Any, draw: Any) -> Any:
    """The same mapping with its keys in another order, at every depth."""
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, draw) for item in value]
    return value


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)


@st.composite
def disguises(draw: st.DrawFn) -> dict[str, Any]:
    """BODY as another person might have written it."""
    body = deepcopy(BODY)
    reinforcement = body["method"]["reinforcement"]
    if draw(st.booleans()):
        reinforcement["response_format"] = {"type": "json_schema", **FORMAT["json_schema"]}  # type: ignore[dict-item]
    for member in (reinforcement["grader"], *reinforcement["grader"]["graders"].values()):
        if draw(st.booleans()):
            member["name"] = draw(TEXTS)
    if draw(st.booleans()):
        reinforcement["grader"] = draw(st.sampled_from(["both", "named"]))
    for name in draw(st.sets(st.sampled_from(["batch_size", "compute_multiplier", "eval_samples", "eval_interval"]))):
        reinforcement["hyperparameters"][name] = "auto"
    if draw(st.booleans()):
        reinforcement["hyperparameters"] |= {"n_epochs": 2, "reasoning_effort": "default"}
    body["metadata"] = draw(st.dictionaries(TEXTS.filter(lambda k: not k.startswith("rftplan_")), TEXTS, max_size=3))
    body["run"] = draw(st.sampled_from(["running", "paused", "cancelled"]))
    body["training_file"] = draw(st.sampled_from(["train", "copy"]))
    found: dict[str, Any] = shuffled(body, draw)
    return found


@given(disguises())
def test_a_job_is_the_same_however_it_is_written(body: dict[str, Any]) -> None:
    assert fingerprint(identity_of(body)) == fingerprint(identity_of(BODY))


@given(st.sampled_from(COUNTS), disguises())
def test_a_job_is_another_however_the_change_is_written(edit: tuple[str, Any], disguise: dict[str, Any]) -> None:
    assert fingerprint(identity_of(edited(*edit))) != fingerprint(identity_of(disguise))


def request(
    body: Mapping[str, Any],
    style: ResponseFormatStyle = ResponseFormatStyle.NESTED,
    of: str = "openai",
    **metadata: str,
) -> dict[str, Any]:
    spec = JobSpec.model_validate(body)
    inputs = identity(spec, UPSTREAM)
    job = Resource(Address("job", "sums"), spec, PLACE, (), fingerprint(inputs), inputs)
    provider = replace(profile(of), response_format_style=style)
    return request_body(job, resources=UPSTREAM, entries=ENTRIES, profile=provider, metadata=metadata)


def test_the_request_is_what_was_written_with_ids_for_names_and_names_filled_in() -> None:
    assert request(BODY, rftplan_launch="v1:x:1") == {
        "model": "o4-mini-2025-04-16",
        "training_file": "file-train",
        "validation_file": "file-test",
        "seed": 7,
        "suffix": "sums",
        "metadata": {"team": "maths", "rftplan_launch": "v1:x:1"},
        "integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
        "trainer": {"speed": 2},
        "method": {
            "type": "reinforcement",
            "reinforcement": {
                "grader": {
                    "name": "sums",
                    "type": "multi",
                    "graders": {"exact": {"name": "exact", **CHECK}, "tone": {"name": "tone", **JUDGE}},
                    "calculate_output": "exact + tone",
                },
                "response_format": FORMAT,
                "hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 1.5},
            },
        },
    }


def test_what_is_ours_is_never_sent() -> None:
    body = {**BODY, "run": "paused", "retry": {"attempts": 2}, "lifecycle": {"prevent_replace": True}}
    assert request(body) == request(BODY)


def test_the_least_that_can_be_written_is_the_least_that_is_sent() -> None:
    body = {"model": "gpt-4.1", "training_file": {"id": "file-abc"}}
    assert request(body, a="b") == {"model": "gpt-4.1", "training_file": "file-abc", "metadata": {"a": "b"}}


@pytest.mark.parametrize(
    "method",
    [
        {"type": "supervised"},
        {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": "auto"}}},
        {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
    ],
    ids=["bare", "supervised", "dpo"],
)
def test_other_methods_are_sent_as_they_are_written(method: dict[str, Any]) -> None:
    assert request({"model": "m", "training_file": "train", "method": method})["method"] == method


def test_a_response_format_is_sent_in_the_style_of_the_provider() -> None:
    flat = request(BODY, ResponseFormatStyle.FLAT)["method"]["reinforcement"]["response_format"]
    assert flat == {"type": "json_schema", "name": "sum", "strict": True, "schema": SCHEMA}
    other = edited(FORMAT_AT, {"type": "json_object"})
    assert request(other, ResponseFormatStyle.FLAT)["method"]["reinforcement"]["response_format"] == {
        "type": "json_object"
    }


def test_numbers_have_one_form() -> None:
    body = edited(f"{GRADER}.graders.tone.range", [0.0, 10.0])
    sent = request(body)["method"]["reinforcement"]["grader"]["graders"]["tone"]["range"]
    assert [type(number) for number in sent] == [int, int]


@pytest.mark.parametrize(
    ("written", "name"),
    [(MULTI, "sums"), ({**MULTI, "name": "Both"}, "Both"), ("both", "both"), ("named", "Both of them")],
    ids=["in place", "in place and named", "by reference", "by reference and named"],
)
def test_a_grader_is_sent_under_its_own_name_or_that_of_its_key(written: Any, name: str) -> None:
    spec = JobSpec.model_validate(edited(GRADER, written))
    job = Resource(Address("job", "sums"), spec, PLACE, (), "v1:", {})
    assert sent_grader(job, UPSTREAM)["name"] == name


def test_a_launch_names_its_attempt() -> None:
    assert attempt_of(launch_of("v1:abc", 12)) == 12
    assert attempt_of("nonsense") == 0
    assert attempt_of("") == 0


def test_what_a_simulation_draws_from_is_sent_where_one_simulates_and_is_no_part_of_the_job() -> None:
    body = {**BODY, "simulate": {"candidates": {"id": "file-9"}}}
    assert identity_of(body) == identity_of(BODY)
    assert request(body) == request(BODY)
    assert request(body, of="local")["simulate"] == {"candidates": "file-9"}
