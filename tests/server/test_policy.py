"""The policy: what pays is drawn more often, and the scale of rewards does not matter."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from rftplan.grading.candidates import Kind
from rftplan.server.policy import Draw, Policy


def learned(*, scale: float, rate: float = 1.0, steps: int = 30) -> Policy:
    rng = Random(3)
    policy = Policy(rate)
    prompts = [policy.prompt(list(Kind), rng) for _ in range(8)]
    for _ in range(steps):
        draws = []
        for prompt in prompts:
            kinds = policy.sample(prompt, 8, rng)
            draws.append(Draw(prompt, kinds, [scale * (kind is Kind.RIGHT) for kind in kinds]))
        policy.learn(draws)
    return policy


def share_of_right(policy: Policy) -> float:
    rng = Random(4)
    prompts = [policy.prompt(list(Kind), rng) for _ in range(50)]
    drawn = Counter(kind for prompt in prompts for kind in policy.sample(prompt, 20, rng))
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
    assert set(policy.sample(prompt, 10, Random(1))) == {Kind.CONSTANT}
