"""A grader that fails gives no reward and no other sign: what the service counts of it is told."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobEvent
from rftplan.kinds.job.kept import resolved_values
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.trouble import grader_errors, kept_errors, said
from rftplan.lockfile import Entry
from tests.kinds.builders import remote
from tests.planning import JobStatus


def event(*graders: Any) -> JobEvent:
    return JobEvent("e", 0, "info", "", "metrics", {"errors": {"graders": list(graders)}})


def counted(split: str, error: str, count: float, of: float) -> dict[str, Any]:
    return {f"{split}_{error}_mean": count / of, f"{split}_{error}_count": count}


def grader(*figures: dict[str, Any], name: str = "explanation") -> dict[str, Any]:
    merged: dict[str, Any] = {"name": name, "type": "score_model"}
    for each in figures:
        merged |= each
    return merged


NOT_VALIDATED = {"valid_other_error_mean": None, "valid_other_error_count": 0}


def test_what_gates_see_counts_and_may_be_of_an_earlier_step() -> None:
    newest = event(grader(NOT_VALIDATED, counted("train", "other_error", 3, 24)))
    before = event(grader(counted("valid", "other_error", 61, 61), counted("train", "other_error", 9, 24)))
    assert grader_errors([newest, before]) == ("explanation 61 of 61 validation answers (other_error)",)
    assert grader_errors([newest]) == ("explanation 3 of 24 training answers (other_error)",)


def test_a_later_validation_without_errors_takes_the_older_ones_back() -> None:
    healed = event(grader(counted("valid", "other_error", 0, 61), counted("train", "other_error", 0, 24)))
    assert grader_errors([healed, event(grader(counted("valid", "other_error", 61, 61)))]) == ()


def test_an_answer_that_is_not_json_is_not_the_graders_fault() -> None:
    assert grader_errors([event(grader(counted("valid", "sample_parse_error", 4, 61)))]) == ()


def test_every_grader_and_error_is_told_once() -> None:
    both = event(
        grader(counted("valid", "python_grader_runtime_error", 2, 4), name="b"),
        grader(counted("valid", "invalid_variable_error", 4, 4), counted("valid", "other_error", 1, 4), name="a"),
    )
    assert said(grader_errors([both])) == (
        "grader errors: a 4 of 4 validation answers (invalid_variable_error); a 1 of 4 validation answers "
        "(other_error); b 2 of 4 validation answers (python_grader_runtime_error)"
    )
    assert said(()) == ""


def test_the_lock_keeps_them_for_a_job_that_ended() -> None:
    progress = Progress(9, 9, grader_errors=("a 4 of 4 validation answers (other_error)",))
    for status in JobStatus:
        values = resolved_values(remote(status), progress)
        assert kept_errors(Entry("v1:a", {}, resolved=values)) == (progress.grader_errors if status.ended else ())
    assert kept_errors(None) == kept_errors(Entry("v1:a", {}, resolved={"grader_errors": "x"})) == ()


odd = st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.lists(st.integers(), max_size=1)
graders = st.dictionaries(st.sampled_from(["valid_x_mean", "valid_x_count", "train_x_mean", "name"]), odd)


@given(odd | st.builds(lambda of: {"graders": of}, odd | st.lists(odd | graders)))
def test_nonsense_is_not_read(errors: Any) -> None:
    assert isinstance(grader_errors([JobEvent("e", 0, "info", "", "metrics", {"errors": errors})]), tuple)
