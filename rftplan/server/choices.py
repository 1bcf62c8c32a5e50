"""What can be answered to a row: what was recorded of it, else what is built from its reference. Draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from msgspec import Struct

from rftplan.grading import Grader
from rftplan.grading.calls import Spoken, SpokenBook, tools_of
from rftplan.grading.candidates import Kind, item_of
from rftplan.grading.recorded import Truth
from rftplan.server.policy import Policy, PromptPolicy, as_recorded
from rftplan.server.recorded import Recordings
from rftplan.server.trainer import Rows


class Choices(Struct, frozen=True):
    """The answers to one prompt, the kind of each, and how often each was recorded; None of built ones."""

    answers: Sequence[Spoken]
    kinds: Sequence[Kind]
    counts: Sequence[int] | None = None

    @classmethod
    def built(cls, answers: Mapping[Kind, Spoken]) -> Choices:
        return cls(list(answers.values()), list(answers))

    @classmethod
    def recorded(cls, said: Mapping[Spoken, int], item: Mapping[str, Any], known: Truth) -> Choices:
        return cls(list(said), [known.kind(one, item) for one in said], list(said.values()))

    @property
    def rights(self) -> list[bool | None]:
        """Of each answer whether it is right; None where nobody knows. The same answer may be there as of two kinds."""
        if self.counts is not None:
            return [None if kind is Kind.RECORDED else kind is Kind.RIGHT for kind in self.kinds]
        if Kind.RIGHT not in self.kinds:
            return [None] * len(self.kinds)
        right = self.answers[self.kinds.index(Kind.RIGHT)]
        return [answer == right for answer in self.answers]

    def policy(self, rng: Random) -> PromptPolicy:
        """Where training on the prompt starts: somewhere near the base model's kinds, or as was recorded."""
        return Policy.prompt(self.kinds, rng) if self.counts is None else as_recorded(self.kinds, self.counts)

    def usual(self) -> PromptPolicy:
        """As of a prompt that is like all others."""
        return PromptPolicy(self.kinds, [0.0] * len(self.kinds)) if self.counts is None else self.policy(Random(0))


class ChoiceBook:
    """The choices of all rows of a job."""

    def __init__(
        self,
        train: Rows,
        grader: Grader,
        response_format: Mapping[str, Any] | None,
        recorded: Sequence[Mapping[str, Any]],
    ) -> None:
        self._book = SpokenBook([item_of(row) for row in train], grader, response_format)
        self._truth = Truth(grader, response_format)
        self.recordings = Recordings.of(recorded)

    def of_row(self, row: Mapping[str, Any], *, turn: int) -> Choices:
        """`turn` chooses whose answer a built wrong one is."""
        if said := self.recordings.of_row(row):
            return Choices.recorded(said, item_of(row), self._truth)
        return Choices.built(self._book.candidates(item_of(row), tools_of(row), turn=turn))


def recorded_notes(prompts: Sequence[Choices], *, left_over: int) -> Iterator[str]:
    """What there is to know of the recorded samples of a run; `left_over` of them belong to no row."""
    kinds = Counter[Kind]()
    for prompt in prompts:
        for kind, count in zip(prompt.kinds, prompt.counts or (), strict=prompt.counts is not None):
            kinds[kind] += count
    rows = sum(prompt.counts is not None for prompt in prompts)
    said = ", ".join(f"{kinds[kind]} {_SAID[kind]}" for kind in _SAID if kinds[kind]) or "there is none"
    yield f"{rows} of {len(prompts)} rows are answered with {kinds.total()} recorded samples: {said}."
    if rows < len(prompts):
        yield f"{len(prompts) - rows} of {len(prompts)} rows have no recorded sample: their answers are made up."
    if left_over:
        yield f"{left_over} of {kinds.total() + left_over} recorded samples belong to no row and are never drawn."
    if kinds[Kind.RECORDED]:
        yield (
            "Where nothing says whether recorded samples are right, what one prompt teaches moves that prompt alone:"
            " the validation reward need not follow the training's."
        )


_SAID = {
    Kind.RIGHT: "right",
    Kind.WRONG: "wrong",
    Kind.MALFORMED: "malformed",
    Kind.RECORDED: "of which nothing says whether they are right",
}
