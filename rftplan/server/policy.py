"""A softmax policy over kinds of answers, moved by group-relative policy gradient. Knows no text, no grader.

This is what stands in for a model: logits shared by all prompts, so that what is learned on one prompt moves
the others and the validation too, and a small logit of each prompt's own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from rftplan.grading.candidates import Kind

# Where a base model is taken to start: it sometimes gets it right and rarely breaks the format.
_START = {
    Kind.RIGHT: 0.11,
    Kind.NEAR: 0.14,
    Kind.WRONG: 0.26,
    Kind.MALFORMED: 0.11,
    Kind.CONSTANT: 0.24,
    Kind.VERBOSE: 0.14,
}
_SPREAD = 0.5  # standard deviation of a prompt's own logits at the start: prompts differ in difficulty
_SHARED_RATE = 4.5
_OWN_RATE = 1.0


@dataclass(slots=True)
class PromptPolicy:
    """One prompt's own logits over the kinds that can be built for it."""

    kinds: Sequence[Kind]
    own: dict[Kind, float]


@dataclass(frozen=True, slots=True)
class Draw:
    """What was sampled for one prompt: kinds in the order drawn, and their rewards."""

    prompt: PromptPolicy
    kinds: Sequence[Kind]
    rewards: Sequence[float]

    @property
    def flat(self) -> bool:
        """All rewards are the same: the group teaches nothing."""
        return max(self.rewards) == min(self.rewards)


@dataclass(slots=True)
class Policy:
    """`learning_rate` multiplies the simulation's own.

    Steps do not depend on the scale of the rewards: they are divided by the widest range seen so far.
    """

    learning_rate: float
    shared: dict[Kind, float] = field(default_factory=lambda: logits_of(None))
    _lowest: float = math.inf
    _highest: float = -math.inf

    @staticmethod
    def prompt(kinds: Collection[Kind], rng: Random) -> PromptPolicy:
        """A prompt that was not trained on yet."""
        return PromptPolicy(list(kinds), {kind: rng.gauss(0.0, _SPREAD) for kind in kinds})

    def sample(self, prompt: PromptPolicy, count: int, rng: Random) -> list[Kind]:
        """Draw kinds of answers for a prompt."""
        logits = [self.shared[kind] + prompt.own[kind] for kind in prompt.kinds]
        return rng.choices(prompt.kinds, _weights(logits), k=count)

    def learn(self, draws: Sequence[Draw]) -> None:
        """One update from one batch. A sample's advantage is its reward less the mean of its group."""
        gradients = [self._gradient(draw) for draw in draws if not draw.flat]
        for kind in Kind:
            total = sum(gradient.get(kind, 0.0) for gradient in gradients)
            self.shared[kind] += self.learning_rate * _SHARED_RATE * total / len(draws)
        learned = [draw for draw in draws if not draw.flat]
        for draw, gradient in zip(learned, gradients, strict=True):
            for kind, slope in gradient.items():
                draw.prompt.own[kind] += self.learning_rate * _OWN_RATE * slope

    def _gradient(self, draw: Draw) -> Mapping[Kind, float]:
        """Of the mean log-probability of the draw, weighted by advantage.

        The part that pushes all kinds down cancels, because a group's advantages add up to zero.
        """
        self._lowest = min(self._lowest, *draw.rewards)
        self._highest = max(self._highest, *draw.rewards)
        mean = math.fsum(draw.rewards) / len(draw.rewards)
        scale = (self._highest - self._lowest) * len(draw.rewards)
        gradient: dict[Kind, float] = {}
        for kind, reward in zip(draw.kinds, draw.rewards, strict=True):
            gradient[kind] = gradient.get(kind, 0.0) + (reward - mean) / scale
        return gradient


def logits_of(stored: Mapping[str, float] | None) -> dict[Kind, float]:
    """The shared logits that a checkpoint kept, by the kinds' names; of None, those of a base model."""
    start = {kind: math.log(share) for kind, share in _START.items()}
    return start | {Kind(name): logit for name, logit in (stored or {}).items() if name in list(Kind)}


def chosen(
    shared: Mapping[Kind, float], kinds: Collection[Kind], *, temperature: float, rng: Random
) -> tuple[Kind, float]:
    """One of the kinds that can be answered, and how likely it was; at temperature 0 the likeliest, surely."""
    ordered = [kind for kind in Kind if kind in kinds]
    if not temperature:
        return max(ordered, key=lambda kind: shared[kind]), 1.0
    weights = _weights([shared[kind] / temperature for kind in ordered])
    (place,) = rng.choices(range(len(ordered)), weights)
    return ordered[place], weights[place] / math.fsum(weights)


def _weights(logits: Sequence[float]) -> list[float]:
    highest = max(logits)
    return [math.exp(logit - highest) for logit in logits]
