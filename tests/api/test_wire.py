"""Raw replies into our types: every odd shape that a source has seen, and whatever hypothesis thinks of."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api import wire
from rftplan.api.port import GraderRun, JobFault, JobStatus, RemoteModel, Simulation
from rftplan.api.profiles import profile
from rftplan.canonical import canonical_json
from tests.api.wire import FILE, JOB

STATUSES = profile("openai").statuses


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (None, None),
        ({}, None),
        ({"code": None, "message": None, "param": None}, None),
        ("", None),
        ([], None),
        ("it broke", JobFault("it broke")),
        (
            {"code": "invalid_n_examples", "message": "too few", "param": "training_file"},
            JobFault("too few", "invalid_n_examples", "training_file"),
        ),
        ({"code": "exceeded_quota", "message": None}, JobFault("exceeded_quota", "exceeded_quota")),
        ({"detail": "x"}, JobFault('{"detail": "x"}')),
    ],
)
def test_no_error_is_said_in_many_ways(error: Any, fault: JobFault | None) -> None:
    assert wire.job({**JOB, "error": error}, STATUSES).error == fault


@pytest.mark.parametrize(
    ("said", "simulation"),
    [
        (None, None),
        (True, None),
        ({"trainer": "toy"}, Simulation("toy")),
        ({"trainer": "toy", "judge": "overlap"}, Simulation("toy", "overlap")),
        ({}, Simulation("unnamed")),
    ],
)
def test_a_simulation_is_never_taken_for_the_real_thing(said: Any, simulation: Simulation | None) -> None:
    assert wire.job({**JOB, "simulation": said}, STATUSES).simulation == simulation


@pytest.mark.parametrize("metadata", [None, {}, [], "x"])
def test_metadata_that_is_none_is_empty(metadata: Any) -> None:
    assert wire.job({**JOB, "metadata": metadata}, STATUSES).metadata == {}


def test_only_text_in_metadata_counts() -> None:
    assert wire.job({**JOB, "metadata": {"a": "1", "b": 2}}, STATUSES).metadata == {"a": "1"}


def test_a_job_may_leave_out_what_it_need_not_have() -> None:
    bare = {key: JOB[key] for key in ("id", "created_at", "status", "model")}
    job = wire.job(bare, STATUSES)
    assert (job.training_file, job.seed, job.error, job.status) == (None, None, None, JobStatus.QUEUED)


@pytest.mark.parametrize("key", ["id", "filename", "bytes", "purpose", "created_at"])
def test_a_file_has_all_that_tells_it_from_another(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        wire.file({k: v for k, v in FILE.items() if k != key})


def test_the_newer_name_of_a_metric_goes_before_the_older() -> None:
    found = wire.metrics({"valid_reward_mean": 0.9, "full_valid_mean_reward": 0.5, "train_mean_reward": 10**400})
    assert found == {"valid_reward_mean": 0.9, "full_valid_mean_reward": 0.5}


def test_a_list_without_has_more_goes_on_while_its_pages_are_full() -> None:
    assert wire.page({"data": [JOB, JOB]}, 2).has_more
    assert not wire.page({"data": [JOB]}, 2).has_more
    assert not wire.page({"data": [JOB, JOB], "has_more": False}, 2).has_more


def test_half_a_surrogate_does_not_survive_to_break_the_lock() -> None:
    body = wire.parse_object(b'{"message": "cut \\ud83d", "whole": "\\ud83d\\ude00", "l": ["\\uDE00"]}')
    assert body == {"message": "cut \ufffd", "whole": "😀", "l": ["\ufffd"]}


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_value_error(content: bytes) -> None:
    try:
        assert isinstance(wire.parse_object(content), dict)
    except ValueError as error:
        assert str(error).startswith("it is")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [*JOB, *FILE, "metrics", "data", "step_number", "error", "simulation", "shutdown_date", "reward"]
)


@given(st.dictionaries(FIELDS, JSON), st.booleans())
def test_what_a_reply_becomes_can_always_be_written_down_again(odd: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps({**JOB, **odd}, ensure_ascii=ascii_only)
    body = wire.parse_object(text.encode("utf-8", "replace"))
    canonical_json(body).encode()
    assert all(math.isfinite(value) for value in wire.metrics(body.get("metrics")).values())
    parsers = (wire.file, wire.event, wire.checkpoint, wire.permission, wire.model, wire.models, wire.grader_run)
    for parse in (lambda b: wire.job(b, STATUSES), *parsers):
        try:
            parse(body)
        except ValueError as error:
            assert "is missing" in str(error) or "is not" in str(error)


@pytest.mark.parametrize(
    ("said", "shutdown"),
    [("2027-01-14", date(2027, 1, 14)), ("2027-01-14T00:00:00Z", date(2027, 1, 14)), (None, None), ("soon", None)],
)
def test_the_day_that_a_model_shuts_down(said: str | None, shutdown: date | None) -> None:
    assert wire.model({"id": "m", "shutdown_date": said}) == RemoteModel("m", shutdown)
    assert wire.models({"data": [{"id": "m"}]}) == [RemoteModel("m")]


def test_a_grader_run_has_the_flags_that_are_raised_and_what_is_said_of_them() -> None:
    errors = {
        "invalid_variable_error": False,
        "invalid_variable_error_details": None,
        "model_grader_parse_error": True,
        "model_grader_parse_error_details": "no number",
        "python_grader_server_error": True,
        "python_grader_server_error_type": "timeout",
        "endpoint_grader_internal_error": True,
    }
    run = wire.grader_run({"reward": 0, "metadata": {"errors": errors}})
    assert run == GraderRun(
        0.0,
        {
            "model_grader_parse_error": "no number",
            "python_grader_server_error": "timeout",
            "endpoint_grader_internal_error": "",
        },
    )
    assert wire.grader_run({}) == GraderRun(None)
