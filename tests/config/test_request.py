"""A vendor's request body, or a grader alone, as what rules look at; and all that is neither."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.codes import DATA_NOT_NAMED, NOT_A_REQUEST
from rftplan.config.request import GRADER, JOB, TRAIN, VALID, DataNames, Request, Subject, read_request
from tests.findings import lines_of

MATCH = {"type": "string_check", "name": "m", "input": "{{sample.output_text}}", "operation": "eq", "reference": "1"}
BODY: dict[str, Any] = {
    "model": "o4-mini-2025-04-16",
    "training_file": "file-abc123",
    "validation_file": "file-def456",
    "method": {"type": "reinforcement", "reinforcement": {"grader": MATCH}},
}
BOTH = DataNames("t.jsonl", "v.jsonl")


def read(body: Any, names: DataNames = BOTH) -> Request:
    text = body if isinstance(body, str) else json.dumps(body, indent=1)
    return read_request(text.encode(), "job.json", names)


def found(body: Any, names: DataNames = BOTH) -> list[str]:
    return lines_of(read(body, names).findings)


def test_a_request_is_a_job_whose_files_are_those_that_were_named() -> None:
    request = read(BODY)
    assert (request.subject, request.findings, set(request.config.declared)) == (
        Subject.REQUEST,
        (),
        {JOB, TRAIN, VALID},
    )
    assert request.job is not None
    assert request.job.spec.training_file.name == "train"
    assert str(request.job.where(("model",))) == "job.json:2:11"


def test_a_file_that_is_not_named_stays_an_id() -> None:
    job = read(BODY, DataNames()).job
    assert job is not None
    assert (job.spec.training_file.id, job.spec.validation_file.id) == ("file-abc123", "file-def456")


@pytest.mark.parametrize(
    "fields",
    [
        {"suffix": None, "seed": None, "metadata": None, "integrations": None, "hyperparameters": None},
        {"metadata": {f"key{n}": "v" for n in range(16)}},
        {"metadata": {"rftplan_address": "mine"}},
        {"validation_file": "file-x", "integrations": [{"type": "wandb", "wandb": {"project": "p"}}]},
        {"training_file": "FILE_ID"},
    ],
    ids=str,
)
def test_what_the_api_takes_is_taken(fields: dict[str, Any]) -> None:
    assert found({**BODY, **fields}) == []


def test_members_of_a_multi_have_any_name_that_a_formula_can_use() -> None:
    multi = {"type": "multi", "name": "m", "graders": {"Right_1": MATCH}, "calculate_output": "Right_1"}
    assert found({**BODY, "method": {"type": "reinforcement", "reinforcement": {"grader": multi}}}) == []
    assert read(multi).findings == ()
    assert found({**multi, "graders": {"a b": MATCH}}) == [
        'S205 job.json:5:3 must be a name, not "a b" | use letters, digits and _, and start with a letter'
    ]


ANOTHER = "specs are checked by `rftplan check` alone, in their project"
SENT = "give the JSON that is sent to /fine_tuning/jobs, or a grader alone"
ROWS = "rows are given with --train or --valid, beside the request"
STRANGE = [
    ("project: {name: demo}\n", f"job.json it is YAML, and a request is JSON | {ANOTHER}"),
    ('{"messages": []}\n{"messages": []}\n', f"job.json it has one JSON object a line, as data files have | {ROWS}"),
    ('{"messages": []}\n', f"job.json:1:1 it is a row of data: it has messages | {ROWS}"),
    ('{"jobs": {}}', f"job.json:1:1 it has jobs: as specs have | {ANOTHER}"),
    ("[]", f"job.json:1:1 it holds [] | {SENT}"),
    ("3", f"job.json:1:1 it holds 3 | {SENT}"),
    (
        '{"object": "fine_tuning.job"}',
        f"job.json:1:1 it is a job as the service answers it, and not what was sent | {SENT}",
    ),
    ('{"type": "json_schema"}', f"job.json:1:1 it is a response_format, which is a part of a request | {SENT}"),
]


@pytest.mark.parametrize(("text", "expected"), STRANGE, ids=[text[:30] for text, _ in STRANGE])
def test_what_is_no_request_is_told_for_what_it_is(text: str, expected: str) -> None:
    request = read(text)
    assert lines_of(request.findings) == [f"{NOT_A_REQUEST.code} {expected}"]
    assert (request.strange, request.job) == (True, None)


WRONG = [
    (
        {"training_file": 5},
        'S204 job.json:3:19 training_file: must be the id of an uploaded file, not 5 | such as "file-abc123"; '
        "for a check any id will do",
    ),
    ({"sufix": "x"}, 'S202 job.json:17:2 "sufix" is not a field here | did you mean "suffix"?'),
    (
        {"run": "paused"},
        'S202 job.json:17:2 "run" is no field of a request | take it out: it is a word of rftplan\'s own specs',
    ),
    ({"model": " "}, 'S204 job.json:2:11 model: must be the name of a model, not " " | write the name without spaces'),
    ({"model": {"file": "x"}}, "S204 job.json:2:11 model: must be a text"),
    ({"api_key": "k"}, 'S202 job.json:17:2 "api_key" is not a field here | keys never go into specs'),
]


@pytest.mark.parametrize(("fields", "expected"), WRONG, ids=[str(fields) for fields, _ in WRONG])
def test_what_the_api_does_not_take(fields: dict[str, Any], expected: str) -> None:
    (line,) = found({**BODY, **fields})
    assert line.startswith(expected)


def test_a_field_that_belongs_elsewhere_is_left_to_the_rules_with_its_place() -> None:
    request = read({**BODY, "n_epochs": 3, "test_file": "file-x"})
    assert (request.findings, request.job is not None) == ((), True)
    assert request.job is not None
    assert str(request.job.where(("extra_body", "n_epochs"))) == "job.json:17:2"
    assert request.job.spec.extra_body == {"n_epochs": 3, "test_file": "file-x"}


def test_without_a_training_file_everything_else_is_still_looked_at() -> None:
    request = read({key: value for key, value in BODY.items() if key != "training_file"})
    assert lines_of(request.findings) == [
        'S203 job.json:1:1 "training_file" is required here | add "training_file" with the id of the uploaded file'
    ]
    assert request.job is not None


def test_rows_that_the_request_leaves_out() -> None:
    without = {key: value for key, value in BODY.items() if key != "validation_file"}
    assert found(without, DataNames("t.jsonl")) == []
    (line,) = found(without)
    assert line.startswith(f"{DATA_NOT_NAMED.code} job.json:1:1 --valid was given, but the request has no")


def test_a_request_has_texts_where_specs_may_name_files_and_graders() -> None:
    by_name = {**BODY, "method": {"type": "reinforcement", "reinforcement": {"grader": "answer"}}}
    assert found(by_name) == ['S204 job.json:8:14 must be a grader, not "answer"']
    by_file = {**BODY, "method": {"type": "reinforcement", "reinforcement": {"grader": {"file": "../x.json"}}}}
    (line,) = found(by_file)
    assert line.startswith("S211 job.json:8:14 {file: …} is a form of specs; the service wants the text itself")


@pytest.mark.parametrize("body", [MATCH, {"grader": MATCH}, {"grader": MATCH, "model_sample": "1", "item": {}}])
def test_a_grader_alone_gets_a_job_around_it(body: dict[str, Any]) -> None:
    request = read(body)
    assert (request.subject, request.findings, request.job is not None) == (Subject.GRADER, (), True)
    assert str(request.config.declared[GRADER].where(("operation",))).startswith("job.json:")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["multi", "reinforcement"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "model",
                        "method",
                        "type",
                        "grader",
                        "graders",
                        "reinforcement",
                        "training_file",
                        "metadata",
                        "input",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
    )
)
def test_no_json_at_all_ends_without_a_word(body: Any) -> None:
    request = read(body)
    assert request.findings or request.job is not None


@given(st.binary(max_size=60))
def test_no_bytes_at_all_end_without_a_word(text: bytes) -> None:
    request = read_request(text, "job.json", DataNames())
    assert request.findings or request.job is not None
