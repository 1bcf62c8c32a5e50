"""A softmax policy over the answers to a prompt, moved by group-relative policy gradient. Knows no text, no grader.

This is what stands in for a model: a logit of each kind of answer that all prompts share, so that what is learned on
one prompt moves the others and the validation too, and a small logit of each answer's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random

from msgspec import Struct, field

from rftplan.grading.candidates import Kind

# Where a base model is taken to start: it sometimes gets it right and rarely breaks the format.
_START = {
    Kind.RIGHT: 0.11,
    Kind.NEAR: 0.14,
    Kind.WRONG: 0.26,
    Kind.MALFORMED: 0.11,
    Kind.CONSTANT: 0.24,
    Kind.VERBOSE: 0.14,
    Kind.RECORDED: 1.0,  # of those there are: how often each was said is known of them
}
_SPREAD = 0.5  # standard deviation of a prompt's own logits at the start: prompts differ in difficulty
_SHARED_RATE = 4.5
_OWN_RATE = 1.0


class PromptPolicy(Struct):
    """The answers to one prompt: the kind of each, and its own logit."""

    kinds: Sequence[Kind]
    own: list[float]


class Draw(Struct, frozen=True):
    """What was sampled for one prompt: the places of answers in the order drawn, and their rewards."""

    prompt: PromptPolicy
    places: Sequence[int]
    rewards: Sequence[float]

    @property
    def kinds(self) -> list[Kind]:
        return [self.prompt.kinds[place] for place in self.places]

    @property
    def flat(self) -> bool:
        """All rewards are the same: the group teaches nothing."""
        return max(self.rewards) == min(self.rewards)


class Policy(Struct):
    """`learning_rate` multiplies the simulation's own.

    Steps do not depend on the scale of the rewards: they are divided by the widest range seen so far.
    """

    learning_rate: float
    shared: dict[Kind, float] = field(default_factory=lambda: logits_of(None))
    _lowest: float = math.inf
    _highest: float = -math.inf

    @staticmethod
    def prompt(kinds: Sequence[Kind], rng: Random) -> PromptPolicy:
        """A prompt that was not trained on yet, with one answer of each kind."""
        return PromptPolicy(kinds, [rng.gauss(0.0, _SPREAD) for _ in kinds])

    def sample(self, prompt: PromptPolicy, count: int, rng: Random) -> list[int]:
        """Draw answers to a prompt, by their places."""
        logits = [self.shared[kind] + own for kind, own in zip(prompt.kinds, prompt.own, strict=True)]
        return rng.choices(range(len(logits)), _weights(logits), k=count)

    def learn(self, draws: Sequence[Draw]) -> None:
        """One update from one batch. A sample's advantage is its reward less the mean of its group."""
        learned = [draw for draw in draws if not draw.flat]
        gradients = [self._gradient(draw) for draw in learned]
        for draw, gradient in zip(learned, gradients, strict=True):
            for place, slope in gradient.items():
                kind = draw.prompt.kinds[place]
                self.shared[kind] += self.learning_rate * _SHARED_RATE * slope / len(draws)
                draw.prompt.own[place] += self.learning_rate * _OWN_RATE * slope

    def _gradient(self, draw: Draw) -> Mapping[int, float]:
        """Of the mean log-probability of the draw, weighted by advantage.

        The part that pushes all answers down cancels, because a group's advantages add up to zero.
        """
        self._lowest = min(self._lowest, *draw.rewards)
        self._highest = max(self._highest, *draw.rewards)
        mean = math.fsum(draw.rewards) / len(draw.rewards)
        scale = (self._highest - self._lowest) * len(draw.rewards)
        gradient: dict[int, float] = {}
        for place, reward in zip(draw.places, draw.rewards, strict=True):
            gradient[place] = gradient.get(place, 0.0) + (reward - mean) / scale
        return gradient


def as_recorded(kinds: Sequence[Kind], counts: Sequence[int]) -> PromptPolicy:
    """A prompt whose answers a base model draws as often as they were recorded."""
    start = logits_of(None)
    return PromptPolicy(kinds, [math.log(count) - start[kind] for kind, count in zip(kinds, counts, strict=True)])


def logits_of(stored: Mapping[str, float] | None) -> dict[Kind, float]:
    """The shared logits that a checkpoint kept, by the kinds' names; of None, those of a base model."""
    start = {kind: math.log(share) for kind, share in _START.items()}
    return start | {Kind(name): logit for name, logit in (stored or {}).items() if name in list(Kind)}


def chosen(shared: Mapping[Kind, float], prompt: PromptPolicy, *, temperature: float, rng: Random) -> tuple[int, float]:
    """The place of one of the answers, and how likely it was; at temperature 0 the likeliest, surely."""
    logits = [shared[kind] + own for kind, own in zip(prompt.kinds, prompt.own, strict=True)]
    if not temperature:
        return max(range(len(logits)), key=logits.__getitem__), 1.0
    weights = _weights([logit / temperature for logit in logits])
    (place,) = rng.choices(range(len(logits)), weights)
    return place, weights[place] / math.fsum(weights)


def _weights(logits: Sequence[float]) -> list[float]:
    highest = max(logits)
    return [math.exp(logit - highest) for logit in logits]
