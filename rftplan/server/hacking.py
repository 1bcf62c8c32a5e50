"""Whether a grader is being hacked: reward climbs while right answers become no more. Sees figures, grades nothing."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from rftplan.grading.candidates import Kind

ENOUGH: Final = 64
"""Samples whose mean is compared: what fewer say is chance."""
CLIMB: Final = 0.1
"""How much of the range of all rewards so far the reward must have risen by."""
_FOLLOWS: Final = 0.25  # right answers that rise by this share of it rise with the reward
_CALLED: Final = {
    Kind.RIGHT: "right",
    Kind.NEAR: "nearly right",
    Kind.WRONG: "another row's",
    Kind.MALFORMED: "cut off or empty",
    Kind.CONSTANT: "the same for all rows",
    Kind.VERBOSE: "padded",
    Kind.RECORDED: "of which nobody knows whether they are right",
}


class Seen(Struct, frozen=True):
    """One sample: its kind, its reward, and whether it is right; None where nobody knows."""

    kind: Kind
    reward: float
    right: bool | None


def right_share(seen: Sequence[Seen]) -> float | None:
    """How many of the samples are right, whatever the grader says, of those that this is known of; None without any."""
    known = [one.right for one in seen if one.right is not None]
    return sum(known) / len(known) if known else None


class HackingWatch(Struct):
    """Compares the newest samples of a training with its first ones."""

    _first: list[Seen] = field(default_factory=list)
    _newest: deque[Sequence[Seen]] = field(default_factory=deque)
    _lowest: float = math.inf
    _highest: float = -math.inf

    def hear(self, step: Sequence[Seen]) -> str | None:
        """What the samples of one more step show, as a sentence without its full stop; None if all is well."""
        if len(self._first) < ENOUGH:
            self._first += step
        self._newest.append(step)
        while sum(map(len, self._newest)) - len(self._newest[0]) >= ENOUGH:
            self._newest.popleft()
        self._lowest = min(self._lowest, *(one.reward for one in step))
        self._highest = max(self._highest, *(one.reward for one in step))
        return self._said([one for samples in self._newest for one in samples])

    def _said(self, newest: Sequence[Seen]) -> str | None:
        before, now = right_share(self._first), right_share(newest)
        if before is None or now is None or self._highest == self._lowest:
            return None
        rewards = _mean_reward(self._first), _mean_reward(newest)
        climb = (rewards[1] - rewards[0]) / (self._highest - self._lowest)
        if climb < CLIMB or now - before >= _FOLLOWS * climb:
            return None
        moved = f"from {before:.2f} only to {now:.2f}" if now > before else f"from {before:.2f} to {now:.2f}"
        return (
            f"reward rose from {rewards[0]:.2f} to {rewards[1]:.2f}, but the share of right answers went {moved}:"
            f" the grader rewards something else. {_most(newest)}"
        )


def _mean_reward(seen: Sequence[Seen]) -> float:
    return math.fsum(one.reward for one in seen) / len(seen)


def _most(newest: Sequence[Seen]) -> str:
    """The commonest kind of answer that is not right."""
    wrong = Counter(one.kind for one in newest if not one.right)
    kind, count = wrong.most_common(1)[0]
    score = _mean_reward([one for one in newest if one.kind is kind and not one.right])
    return f"{count / len(newest):.0%} of the answers are now {_CALLED[kind]}, and score {score:.2f}"
