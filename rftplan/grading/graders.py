"""The grader types: a sample and an item → a result. Knows no API, no spec, and no way to read a definition.

They are made by `parse_grader` and then grade any number of samples. A failure is a result with reward 0 and
the vendor's flag, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from rftplan.grading.judges import Judge
from rftplan.grading.metrics import (
    Metric,
    MetricError,
    Operation,
    check_strings,
    missing_package,
    similarity,
)
from rftplan.grading.result import Flag, Result
from rftplan.grading.runners import PythonFailure, PythonRunner
from rftplan.grading.sample import Sample
from rftplan.grading.templates import Reference, Template, VariableError

Item = Mapping[str, Any]


class GraderType(StrEnum):
    """The types of the reinforcement method's union."""

    STRING_CHECK = "string_check"
    TEXT_SIMILARITY = "text_similarity"
    SCORE_MODEL = "score_model"
    PYTHON = "python"
    MULTI = "multi"


class Grader(Protocol):
    """Scores samples. Immutable, so one grader may serve several threads."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> GraderType: ...

    @property
    def definition(self) -> Mapping[str, Any]:
        """The definition as it was given, with every name filled in: what `graders/validate` sends back."""
        ...

    @property
    def references(self) -> Sequence[Reference]:
        """Every variable that it reads, members' included."""
        ...

    @property
    def refusal(self) -> str | None:
        """Why it cannot grade here, as a message for a person; None if it can."""
        ...

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        """Score one sample; `item` is the row without `messages` and `tools`. `score_model` asks the judge.

        Raises RuntimeError if there is a refusal: there is no score that would not be made up.
        """
        ...


@dataclass(frozen=True, slots=True)
class StringCheck:
    """1 if two texts stand to each other as the operation asks, else 0."""

    name: str
    input: Template
    reference: Template
    operation: Operation
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> GraderType:
        return GraderType.STRING_CHECK

    @property
    def references(self) -> Sequence[Reference]:
        return (*self.input.references, *self.reference.references)

    @property
    def refusal(self) -> str | None:
        return None

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        try:
            text, reference = self.input.render(sample, item), self.reference.render(sample, item)
        except VariableError as error:
            return failed(self, error.flag, error.message)
        return Result(self.name, "string_check", float(check_strings(self.operation, text, reference)))


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """How alike two texts are, 0 to 1, by a metric of the field's libraries."""

    name: str
    input: Template
    reference: Template
    metric: Metric
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> GraderType:
        return GraderType.TEXT_SIMILARITY

    @property
    def references(self) -> Sequence[Reference]:
        return (*self.input.references, *self.reference.references)

    @property
    def refusal(self) -> str | None:
        package = missing_package(self.metric)
        return package and f"The metric '{self.metric.value}' needs the package '{package}' to be installed."

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        try:
            text, reference = self.input.render(sample, item), self.reference.render(sample, item)
            score = similarity(self.metric, text, reference)
        except VariableError as error:
            return failed(self, error.flag, error.message)
        except MetricError as error:
            return failed(self, Flag.OTHER, str(error))
        except ImportError as error:
            raise RuntimeError(self.refusal or str(error)) from error
        return Result(self.name, "text_similarity", score)


@dataclass(frozen=True, slots=True)
class Python:
    """What a function of the user's returns. Whoever parsed it says who runs it; without a runner nobody does."""

    name: str
    source: str
    image_tag: str | None
    definition: Mapping[str, Any] = field(repr=False)
    runner: PythonRunner | None = field(default=None, repr=False, compare=False)

    @property
    def type(self) -> GraderType:
        return GraderType.PYTHON

    @property
    def references(self) -> Sequence[Reference]:
        return ()

    @property
    def refusal(self) -> str | None:
        return "Python graders are not run here." if self.runner is None else self.runner.refusal

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        return next(self.results([(sample, item)]))

    def results(self, answers: Iterable[tuple[Sample, Item]]) -> Iterator[Result]:
        """Of each, in order. Raises RuntimeError if there is a refusal."""
        if self.runner is None:
            raise RuntimeError(self.refusal)
        for score in self.runner.scores(self.source, ((sample.as_dict(), dict(item)) for sample, item in answers)):
            if isinstance(score, PythonFailure):
                yield failed(self, score.flag, score.details)
            else:
                yield Result(self.name, "python", score)


def failed(grader: Grader, flag: Flag, details: str) -> Result:
    """No reward, and why."""
    return Result(grader.name, grader.type.value, 0.0, {flag: details})
