"""What is seen of the service, and when a look-up proves something."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.journal import Intent
from rftplan.observe import observe, open_intents
from tests.planning import graph_of, scope, settled_inputs
from tests.world import Small

JOB = Address("job", "review")
TIMES = st.floats(0, 1e6)


def intent(number: int = 1, *, at: float = 0.0, ended_at: float | None = None, address: Address = JOB) -> Intent:
    return Intent(number, address, "launch", f"token-{number}", None, at, ended_at)


@given(TIMES, st.none() | TIMES, TIMES)
def test_a_look_up_is_trusted_only_when_the_attempt_must_have_ended_and_settled(
    at: float, ended: float | None, now: float
) -> None:
    paid = scope(paid=True)
    (found,) = open_intents([intent(at=at, ended_at=ended)], now=now, scope=paid).values()
    end = at + paid.profile.call_seconds if ended is None else ended
    assert found.settled == (now >= end + paid.profile.settle_seconds)


def test_the_newest_intent_of_an_address_counts() -> None:
    found = open_intents([intent(2), intent(1), intent(3, address=Address("file", "a"))], now=0, scope=scope())
    assert {address: each.intent.number for address, each in found.items()} == {JOB: 2, Address("file", "a"): 3}


def test_what_is_settled_in_the_lock_is_asked_of_nobody() -> None:
    """Every job has ended and nothing is to be done: no port is needed for jobs and graders."""

    class Silent:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked for")

    inputs = settled_inputs({})
    assert asyncio.run(observe(graph_of({}), inputs.entries, (), port=Silent(), scope=inputs.scope, now=0.0)) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("wait", [False, True])
def test_looking_is_bounded_in_requests_and_changes_nothing(small: Small, wait: bool) -> None:
    small.apply(wait=wait)
    before = (small.root / "rftplan.lock").read_bytes()
    first, second = small.plan(), small.plan()
    assert first == second
    assert (small.root / "rftplan.lock").read_bytes() == before


def test_the_file_of_figures_that_a_job_leaves_is_seen_by_no_plan(small: Small) -> None:
    small.train()
    (result,) = small.service(lambda port: port.list_files("fine-tune-results"))
    with_lock = small.plan()
    assert {change.verb for change in with_lock.changes} == {"keep"}
    (small.root / "rftplan.lock").unlink()
    without_lock = small.plan()
    assert result.id not in repr(with_lock) + repr(without_lock)
    assert {change.address for change in without_lock.changes} == {change.address for change in with_lock.changes}
