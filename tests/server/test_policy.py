"""The policy: what pays is drawn more often, and the scale of rewards does not matter."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.candidates import BUILT, Kind
from rftplan.server.policy import Draw, Policy, as_recorded


def learned(*, scale: float, rate: float = 1.0, steps: int = 30) -> Policy:
    rng = Random(3)
    policy = Policy(rate)
    prompts = [policy.prompt(BUILT, rng) for _ in range(8)]
    for _ in range(steps):
        draws = []
        for prompt in prompts:
            places = policy.sample(prompt, 8, rng)
            rewards = [scale * (prompt.kinds[place] is Kind.RIGHT) for place in places]
            draws.append(Draw(prompt, places, rewards))
        policy.learn(draws)
    return policy


def share_of_right(policy: Policy) -> float:
    rng = Random(4)
    prompts = [policy.prompt(BUILT, rng) for _ in range(50)]
    drawn = Counter(prompt.kinds[place] for prompt in prompts for place in policy.sample(prompt, 20, rng))
    return drawn[Kind.RIGHT] / drawn.total()


def test_what_pays_is_learned_for_prompts_never_trained_on() -> None:
    assert share_of_right(Policy(1.0)) < 0.3
    assert share_of_right(learned(scale=1.0)) > 0.9


def test_the_scale_of_the_rewards_does_not_matter() -> None:
    assert learned(scale=5.0).shared == pytest.approx(learned(scale=1.0).shared)


def test_groups_that_score_all_the_same_teach_nothing() -> None:
    untouched = Policy(1.0).shared
    assert learned(scale=0.0).shared == untouched
    assert learned(scale=1.0, rate=0.0).shared == untouched


def test_only_kinds_that_exist_are_drawn() -> None:
    policy = Policy(1.0)
    prompt = policy.prompt([Kind.CONSTANT], Random(1))
    assert set(policy.sample(prompt, 10, Random(1))) == {0}


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(1, 40)), min_size=1, max_size=6))
def test_an_untrained_policy_draws_what_was_recorded_as_often_as_it_was(said: list[tuple[Kind, int]]) -> None:
    kinds, counts = [kind for kind, _ in said], [count for _, count in said]
    prompt = as_recorded(kinds, counts)
    drawn = Counter(Policy(1.0).sample(prompt, 4_000, Random(5)))
    for place, count in enumerate(counts):
        assert drawn[place] / 4_000 == pytest.approx(count / sum(counts), abs=0.04)


def test_among_recorded_answers_of_one_kind_those_that_pay_are_learned_by_their_own_prompt() -> None:
    rng, policy = Random(3), Policy(1.0)
    prompt, other = (as_recorded([Kind.RECORDED] * 4, [5, 5, 5, 5]) for _ in range(2))
    for _ in range(60):
        places = policy.sample(prompt, 8, rng)
        policy.learn([Draw(prompt, places, [float(place == 2) for place in places])])
    assert Counter(policy.sample(prompt, 100, rng))[2] > 90
    assert Counter(policy.sample(other, 100, rng))[2] < 50
