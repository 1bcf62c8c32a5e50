"""The definition of the verdict: what pairs say, whatever graded them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.verdict import (
    BROKEN,
    MUST_BE_LOWER,
    Answer,
    Excused,
    Judgement,
    Order,
    Pairs,
    Score,
    Verdict,
    Why,
    compare,
    judge_pairs,
    judge_samples,
)

COUNTS = st.integers(0, 40)
PAIRS = st.builds(Pairs, COUNTS, COUNTS, COUNTS, COUNTS)
TABLES = st.dictionaries(st.sampled_from(MUST_BE_LOWER), PAIRS)
REWARDS = st.floats(-10, 10)
GOOD = {Answer.OTHER_ROW: Pairs(higher=9, ties=1), Answer.EMPTY: Pairs(higher=10)}


@given(st.integers(1, 50), TABLES)
def test_what_separates_is_above_every_kind_and_above_a_well_formed_one(
    rights: int, pairs: dict[Answer, Pairs]
) -> None:
    found = judge_pairs(rights, 0, pairs)
    compared = {kind: of for kind, of in pairs.items() if of.total}
    above = all(10 * of.higher >= 9 * of.total for of in compared.values())
    assert (found.verdict is Verdict.SEPARATES) == (above and bool(set(compared) - set(BROKEN)))
    never = any(10 * (of.higher + of.undecided) < 9 * of.total for of in compared.values())
    assert (found.verdict is Verdict.DOES_NOT_SEPARATE) == never


@given(st.integers(1, 50), TABLES, st.sampled_from(MUST_BE_LOWER), st.sampled_from(["ties", "lower", "undecided"]))
def test_a_pair_that_comes_out_better_never_makes_the_verdict_worse(
    rights: int, pairs: dict[Answer, Pairs], kind: Answer, was: str
) -> None:
    of = pairs.get(kind, Pairs())
    if not getattr(of, was):
        return
    counts = {name: getattr(of, name) for name in ("higher", "ties", "lower", "undecided")}
    better = Pairs(**{**counts, was: counts[was] - 1, "higher": of.higher + 1})
    rank = [Verdict.DOES_NOT_SEPARATE, Verdict.CANNOT_TELL, Verdict.SEPARATES]
    after = judge_pairs(rights, 0, {**pairs, kind: better}).verdict
    assert rank.index(after) >= rank.index(judge_pairs(rights, 0, pairs).verdict)


@given(st.integers(1, 50), TABLES, st.integers(2, 5))
def test_more_rows_of_the_same_say_the_same(rights: int, pairs: dict[Answer, Pairs], times: int) -> None:
    more = {
        k: Pairs(of.higher * times, of.ties * times, of.lower * times, of.undecided * times) for k, of in pairs.items()
    }
    assert judge_pairs(rights * times, 0, more) == judge_pairs(rights, 0, pairs)


@given(st.integers(1, 50), st.dictionaries(st.sampled_from(MUST_BE_LOWER), st.tuples(PAIRS, PAIRS)), st.data())
def test_an_excuse_takes_back_a_no_where_it_could_explain_it_and_gives_no_yes(
    rights: int, parts: dict[Answer, tuple[Pairs, Pairs]], data: st.DataObject
) -> None:
    failed = data.draw(st.integers(0, rights))
    of_them = data.draw(st.integers(0, failed))
    pairs = {kind: _sum(sure, doubtful) for kind, (sure, doubtful) in parts.items()}
    undecided = {kind: _sum(sure, Pairs(undecided=doubtful.total)) for kind, (sure, doubtful) in parts.items()}
    without = judge_pairs(rights, failed, pairs)
    found = judge_pairs(rights, failed, pairs, excused=Excused(of_them, undecided))
    at_best = judge_pairs(rights, failed - of_them, undecided)
    if without.verdict is not Verdict.DOES_NOT_SEPARATE:
        assert found == without
    elif at_best.verdict is Verdict.DOES_NOT_SEPARATE:
        assert found == at_best, "so the reason that is given is one that nothing excuses"
    else:
        assert found == Judgement(Verdict.CANNOT_TELL, Why.MADE_UP)


def _sum(one: Pairs, other: Pairs) -> Pairs:
    return Pairs(*(getattr(one, n) + getattr(other, n) for n in ("higher", "ties", "lower", "undecided")))


@given(st.integers(0, 50), TABLES, PAIRS, PAIRS)
def test_near_and_padded_answers_do_not_count(
    rights: int, pairs: dict[Answer, Pairs], near: Pairs, long: Pairs
) -> None:
    assert judge_pairs(rights, 0, {**pairs, Answer.NEAR: near, Answer.VERBOSE: long}) == judge_pairs(rights, 0, pairs)


@given(TABLES)
def test_without_a_right_answer_nobody_can_tell(pairs: dict[Answer, Pairs]) -> None:
    assert judge_pairs(0, 0, pairs).why is Why.NO_RIGHT_ANSWER


def test_each_reason_has_its_case() -> None:
    assert judge_pairs(10, 0, GOOD).why is Why.CLEAR
    assert judge_pairs(10, 2, GOOD).why is Why.FAILS
    assert judge_pairs(10, 1, GOOD).why is Why.CLEAR
    assert judge_pairs(10, 0, {**GOOD, Answer.CONSTANT: Pairs(8, 2)}).why is Why.NOT_ABOVE
    assert judge_pairs(10, 0, {**GOOD, Answer.CONSTANT: Pairs(8, undecided=2)}).why is Why.STAND_IN
    assert judge_pairs(10, 0, {Answer.EMPTY: Pairs(10), Answer.MALFORMED: Pairs(10)}).why is Why.ONLY_BROKEN
    assert judge_pairs(10, 0, {}).why is Why.ONLY_BROKEN
    assert judge_pairs(10, 0, GOOD, unjudged=2).why is Why.UNJUDGED
    assert judge_pairs(0, 0, {}, hopeless=50).verdict is Verdict.DOES_NOT_SEPARATE


def test_the_kind_that_comes_closest_is_named() -> None:
    pairs = {Answer.OTHER_ROW: Pairs(19, 1), Answer.CONSTANT: Pairs(18, 2), Answer.EMPTY: Pairs(20)}
    assert judge_pairs(20, 0, pairs).about is Answer.CONSTANT


def test_samples_tell_only_of_a_grader_that_fails_on_all() -> None:
    assert judge_samples(3, 3).why is Why.FAILS
    assert judge_samples(3, 2).why is Why.UNMARKED
    assert judge_samples(3, 3, unjudged=3).why is Why.UNJUDGED


@given(REWARDS, REWARDS)
def test_a_comparison_turned_round_is_the_opposite(one: float, other: float) -> None:
    opposite = {Order.HIGHER: Order.LOWER, Order.LOWER: Order.HIGHER, Order.TIE: Order.TIE}
    assert compare(Score(one), Score(other)) is opposite[compare(Score(other), Score(one))]


@given(REWARDS, REWARDS, st.tuples(REWARDS, REWARDS), st.tuples(REWARDS, REWARDS))
def test_what_the_stand_in_said_never_decides(
    one: float, other: float, mine: tuple[float, float], its: tuple[float, float]
) -> None:
    found = compare(Score(one, mine), Score(other, its))
    plain = {compare(Score(a), Score(b)) for a, b in zip(mine, its, strict=True)}
    assert found is (plain.pop() if plain in ({Order.HIGHER}, {Order.LOWER}) else Order.UNDECIDED)
