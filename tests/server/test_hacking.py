"""A grader is hacked where reward climbs and right answers do not follow; nothing else is called so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.candidates import Kind
from rftplan.server.hacking import ENOUGH, HackingWatch, Seen, right_share

shares = st.integers(0, ENOUGH)


def step(*, right: int, paid: int) -> list[Seen]:
    """So many right answers of 64, and so many that are padded and score as much; the rest scores nothing."""
    kinds = [Kind.RIGHT] * right + [Kind.VERBOSE] * paid + [Kind.WRONG] * (ENOUGH - right - paid)
    return [Seen(kind, float(kind is not Kind.WRONG), kind is Kind.RIGHT) for kind in kinds]


@given(st.lists(shares, min_size=1, max_size=6))
def test_a_grader_that_pays_for_right_answers_alone_is_never_called_hacked(rights: list[int]) -> None:
    watch = HackingWatch()
    assert [watch.hear(step(right=right, paid=0)) for right in rights] == [None] * len(rights)


@given(st.integers(8, 32), st.integers(10, 32))
def test_reward_that_rises_by_something_else_is_seen_and_named(right: int, paid: int) -> None:
    watch = HackingWatch()
    assert watch.hear(step(right=right, paid=0)) is None, "the first step shows nothing yet"
    said = watch.hear(step(right=right, paid=paid))
    assert said is not None
    assert f"the share of right answers went from {right / ENOUGH:.2f} to {right / ENOUGH:.2f}" in said
    assert ("padded, and score 1.00" in said) or paid < ENOUGH - right - paid


def test_it_is_over_when_right_answers_have_caught_up() -> None:
    watch = HackingWatch()
    heard = [watch.hear(step(right=r, paid=p)) for r, p in ((10, 0), (10, 30), (50, 0))]
    assert [one is not None for one in heard] == [False, True, False]


def test_what_nobody_knows_is_no_reproach() -> None:
    watch = HackingWatch()
    for reward in (0.0, 1.0):
        assert watch.hear([Seen(Kind.RECORDED, reward, None)] * ENOUGH) is None
    assert right_share([Seen(Kind.RECORDED, 1.0, None)]) is None
    assert right_share([Seen(Kind.RECORDED, 1.0, None), Seen(Kind.NEAR, 1.0, False)]) == 0.0
    assert right_share([]) is None


def test_few_samples_a_step_are_put_together_before_they_are_compared() -> None:
    watch = HackingWatch()
    small = [Seen(Kind.WRONG, 0.0, False), Seen(Kind.RIGHT, 1.0, True)]
    assert [watch.hear(small) for _ in range(ENOUGH)] == [None] * ENOUGH
    padded = [Seen(Kind.VERBOSE, 1.0, False)] * 2
    heard = [watch.hear(padded) for _ in range(ENOUGH // 2)]
    assert heard[0] is None
    assert heard[-1] is not None
    assert "100% of the answers are now padded" in heard[-1]
