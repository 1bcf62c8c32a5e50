"""What a gate says: one subject, and what its figure must be. Values only; judges nothing, chooses nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from rftplan.kinds.selectors import BEST_BY
from rftplan.kinds.spec import Int, Name, Number, SpecModel, Str

KNOWN_METRICS: Final = (
    *BEST_BY,
    "train_reward_mean",
    "full_valid_mean_reward",
    "train_mean_reward",
    "full_valid_mean_parse_error",
    "mean_unresponsive_rewards",
    "completion_tokens_mean",
    "reasoning_tokens_mean",
    "valid_reasoning_tokens_mean",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_mean_token_accuracy",
    "full_valid_mean_token_accuracy",
)
"""What checkpoints are known to carry besides their `step`; a service may give more."""

CONFIDENCE: Final = 0.95
SUBJECTS: Final = ("metric", "gap", "grader_errors", "held_out")
_COMPARING: Final = ("better_than", "no_worse_than")


class Rival(StrEnum):
    """What a candidate is compared with on the same rows."""

    LIVE = "live"
    """The model that it would replace."""
    BASE = "base"
    """The model that its job was trained from."""


class HeldOut(SpecModel):
    """Rows that were used neither to train nor to choose, and the grader that scores answers to them."""

    file: Name
    grader: Name


class Gate(SpecModel):
    """A condition on one figure of the checkpoint. Missing or not a number fails.

    The figure is a metric that it carries; the gap, how much higher it scores on rows that it was trained on than on
    those that validate it; the share of answers that its graders failed on, of the grader that failed most; or the mean
    score on held-out rows, which has an interval: all of it has to lie within the bounds. On these it may be compared
    with another model, row by row: better than that by more than `by`, or worse by less.
    """

    later = frozenset({"smoke"})

    metric: Str | None = None
    gap: Literal["reward"] | None = None
    grader_errors: Literal["share"] | None = None
    held_out: HeldOut | None = None
    smoke: Str | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    better_than: Rival | None = None
    no_worse_than: Rival | None = None
    by: Annotated[Number, Field(ge=0)] | None = None
    confidence: Annotated[Number, Field(ge=0.5, lt=1)] | None = None
    samples: Annotated[Int, Field(ge=1, le=64)] | None = None

    @property
    def subject(self) -> str:
        """What is judged, in words."""
        if (of := self.held_out) is not None:
            than = f", compared with {self.rival}" if self.rival else ""
            return f"held_out file.{of.file} by grader.{of.grader}{than}"
        if self.gap is not None:
            return "gap of reward, train minus valid"
        return "share of grader errors" if self.grader_errors is not None else str(self.metric)

    @property
    def rival(self) -> Rival | None:
        return self.better_than or self.no_worse_than

    @property
    def sure(self) -> float:
        """How sure the interval has to be, filled in."""
        return CONFIDENCE if self.confidence is None else self.confidence

    @property
    def tries(self) -> int:
        """How often each row is answered, filled in."""
        return self.samples or 1

    @model_validator(mode="after")
    def _has_one_subject_and_a_bound(self) -> Gate:
        subjects = [name for name in SUBJECTS if getattr(self, name) is not None]
        if len(subjects) != 1:
            about = {"hint": "write a gate for each" if subjects else "add metric: valid_reward_mean"}
            raise PydanticCustomError("gate", "a gate has one subject: metric, gap, grader_errors or held_out", about)
        if self.held_out is None:
            self._says_nothing_of_rows(subjects[0])
        elif self.rival is not None:
            self._compares_once()
        elif self.by is not None:
            raise PydanticCustomError("gate", "by says how much better_than or no_worse_than, and neither is here")
        if self.rival is None and self.at_least is None and self.at_most is None:
            needed = "at_least or at_most, or both" + (", or better_than" if self.held_out else "")
            raise PydanticCustomError("gate", "a gate needs {needed}", {"needed": needed})
        return self

    def _says_nothing_of_rows(self, subject: str) -> None:
        for name in (*_COMPARING, "by", "confidence", "samples"):
            if getattr(self, name) is not None:
                about = {"name": name, "subject": subject, "hint": "add held_out: {file: …, grader: …} in its place"}
                raise PydanticCustomError("gate", "{name} is of a gate on held_out rows, not of {subject}", about)

    def _compares_once(self) -> None:
        both = self.better_than is not None and self.no_worse_than is not None
        if both or self.at_least is not None or self.at_most is not None:
            about = {"hint": "write a gate for each"}
            raise PydanticCustomError("gate", "a gate compares once, or has at_least and at_most", about)
        if self.no_worse_than is not None and not self.by:
            about = {"hint": "add by: 0.02"}
            raise PydanticCustomError("gate", "no_worse_than needs by: how much worse is good enough", about)
