"""The language of faults, and when each is due."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.server.faults import TAKES, USUAL, Board, Calls, Fault, FaultError, FaultKind, read_fault

NAMES = st.text(st.sampled_from("abcXYZ019-_.:*/"), min_size=1, max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "on": st.builds(Calls, st.sampled_from(["*", "GET", "POST", "DELETE"]), NAMES.map("/v1/".__add__) | st.just("*")),
    "after": st.integers(0, 1_000),
    "times": st.integers(1, 1_000) | st.none(),
    "seconds": st.floats(0.001, 86_400),
    "retry_after": st.integers(0, 86_400),
    "job": NAMES,
    "file": NAMES,
    "model": NAMES,
    "date": st.dates(),
}


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(FaultKind))
    return replace(USUAL[kind], **{name: draw(VALUES[name]) for name in TAKES[kind] if draw(st.booleans())})


@given(faults())
def test_a_fault_is_the_line_that_says_it(fault: Fault) -> None:
    if fault.kind is FaultKind.RETIRED and fault.date is None:
        assert "date" not in str(fault)
    assert read_fault(str(fault)) == fault
    assert read_fault("  " + str(fault).replace(" ", "  ")) == fault


@given(st.text(max_size=60) | st.tuples(st.sampled_from(FaultKind), st.text(max_size=40)).map(" ".join))
def test_any_other_line_is_refused_and_nothing_else_happens(line: str) -> None:
    try:
        fault = read_fault(line)
    except FaultError as error:
        assert str(error)
    else:
        assert read_fault(str(fault)) == fault


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", '"" is no fault: latency, '),
        ("498", '"498" is no fault'),
        ("429 seconds=3", '429 takes no "seconds": on, after, times, retry_after'),
        ("429 times=0", "at least 1, or always"),
        ("429 times=-1", 'whole number, not "-1"'),
        ("429 after=1 after=2", "after= is there twice"),
        ("429 now", '"now" is not name=value'),
        ("429 on=PATCH /v1/files", 'not with "PATCH"'),
        ("429 on=GET", 'not with ""'),
        ("429 on=GET /files", 'starts with /v1/ or *, not with "/files"'),
        ("latency seconds=0", "above 0"),
        ("latency seconds=nan", "above 0"),
        ("latency seconds=soon", 'number of seconds, not "soon"'),
        ("retired date=soon", 'not "soon"'),
        ("pause job=a b", "job= is one name"),
    ],
)
def test_a_wrong_line_says_what_would_be_right(line: str, says: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_fault(line)
    assert says in str(caught.value)


def test_a_word_without_an_equals_sign_goes_on_with_the_value_before_it() -> None:
    fault = read_fault("429 after=2 on=POST /v1/fine_tuning/jobs times=3")
    assert fault == Fault(
        kind=FaultKind.TOO_MANY, on=Calls("POST", "/v1/fine_tuning/jobs"), after=2, times=3, retry_after=1
    )
    assert read_fault("retired date=2026-10-23").date == date(2026, 10, 23)


@given(st.integers(0, 5), st.integers(1, 5) | st.none(), st.integers(0, 20))
def test_it_strikes_after_so_many_calls_so_many_times(after: int, times: int | None, calls: int) -> None:
    board = Board()
    board.add("fault_1", Fault(kind=FaultKind.TOO_MANY, after=after, times=times))
    struck = 0
    for _ in range(calls):
        for one in board.meet("GET", "/v1/files"):
            board.strike(one.id)
            struck += 1
    most = calls if times is None else times
    assert struck == min(most, max(0, calls - after))
    (one,) = board.all()
    assert (one.met, one.struck, one.left) == (calls, struck, None if times is None else times - struck)


@pytest.mark.parametrize(
    ("line", "method", "path", "strikes"),
    [
        ("429", "GET", "/v1/files", True),
        ("429", "GET", "/v1/local/faults", False),
        ("429 on=* *", "DELETE", "/v1/local/faults", False),
        ("429 on=GET /v1/files", "POST", "/v1/files", False),
        ("429 on=GET /v1/files", "GET", "/v1/files/file-1", False),
        ("429 on=GET /v1/files*", "GET", "/v1/files/file-1/content", True),
        ("429 on=POST */pause", "POST", "/v1/fine_tuning/jobs/ftjob-1/pause", True),
        ("429 on=GET /v1/[f]iles", "GET", "/v1/files", False),
        ("stale", "GET", "/v1/fine_tuning/jobs", True),
        ("stale", "GET", "/v1/fine_tuning/jobs/ftjob-1", False),
        ("stale", "POST", "/v1/fine_tuning/jobs", False),
        ("stale on=POST *", "POST", "/v1/files", False),
        ("stale", "DELETE", "/v1/files", False),
        ("stale", "GET", "/v1/fine_tuning/jobs/ftjob-1/events", True),
        ("stale", "GET", "/v1/fine_tuning/checkpoints/ft:a:b:c/permissions", True),
        ("no-metadata", "POST", "/v1/fine_tuning/jobs", True),
        ("no-metadata", "GET", "/v1/fine_tuning/jobs/ftjob-1", True),
        ("no-metadata", "POST", "/v1/fine_tuning/jobs/ftjob-1/cancel", True),
        ("no-metadata", "GET", "/v1/fine_tuning/jobs/ftjob-1/events", False),
        ("no-metadata", "GET", "/v1/files", False),
        ("lockout", "POST", "/v1/fine_tuning/jobs", True),
        ("lockout", "POST", "/v1/files", False),
    ],
)
def test_which_calls_a_fault_can_strike(line: str, method: str, path: str, strikes: bool) -> None:
    assert read_fault(line).strikes(method, path) is strikes
