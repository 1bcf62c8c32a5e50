"""Who scores for a `score_model` grader: the seam, and a stand-in that asks no model. Does no network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct, field

from rftplan.grading.result import Flag, TokenUsage


class JudgeMessage(Struct, frozen=True):
    """One message of the grader's prompt, with its variables filled in."""

    role: str
    text: str


class JudgeRequest(Struct, frozen=True):
    """One question to a judge.

    `answer` and `references` are for a judge that reads no prompt: what the prompt says of the sample, and
    each text that it says of the item (all text fields of the item if it names none).
    """

    model: str
    messages: Sequence[JudgeMessage]
    range: tuple[float, float]
    answer: str
    references: Sequence[str]
    sampling_params: Mapping[str, Any] = field(default_factory=dict)


class JudgeFailure(Struct, frozen=True):
    """Why there is no score: one of the vendor's model_grader flags, and what happened."""

    flag: Flag
    details: str


class JudgeReply(Struct, frozen=True):
    """`model` is who really judged. `usage` is None where no model was asked. The grader clamps the score."""

    model: str
    outcome: float | JudgeFailure
    usage: TokenUsage | None = None


class Judge(Protocol):
    """Scores answers. `stand_in` is True where no model is asked; `name` is said where its scores appear."""

    @property
    def name(self) -> str: ...

    @property
    def stand_in(self) -> bool: ...

    def score(self, request: JudgeRequest) -> JudgeReply:
        """Called once a sample, perhaps from several threads; a failure is a reply, not an exception."""
        ...


_WORD = re.compile(r"\w+")


class StandInJudge(Struct, frozen=True):
    """Scores by overlap of words with the nearest reference. Reads no prompt and understands nothing."""

    @property
    def name(self) -> str:
        return "stand-in judge (text overlap)"

    @property
    def stand_in(self) -> bool:
        return True

    def score(self, request: JudgeRequest) -> JudgeReply:
        """The F1 of the words, scaled into the range; without any reference it gives no score."""
        if not request.references:
            missing = "The stand-in judge compares with the item's texts, and this item has none."
            return JudgeReply(self.name, JudgeFailure(Flag.MODEL_SERVER, missing))
        answer = words(request.answer)
        overlap = max(word_overlap(answer, words(text)) for text in request.references)
        low, high = request.range
        return JudgeReply(self.name, low + overlap * (high - low))


def words(text: str) -> Counter[str]:
    """Its words without case, counted."""
    return Counter(_WORD.findall(text.casefold()))


def word_overlap(answer: Counter[str], reference: Counter[str]) -> float:
    """F1 of two bags of words, 0 to 1; two empty ones do not overlap."""
    total = answer.total() + reference.total()
    return 2 * (answer & reference).total() / total if total else 0.0
