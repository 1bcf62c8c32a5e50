"""The grader types: a sample and an item → a result. Knows no API, no spec, and no way to read a definition.

They are made by `parse_grader` and then grade any number of samples. A failure is a result with reward 0 and
the vendor's flag, never an exception.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from rftplan.grading.expressions import Formula, FormulaError
from rftplan.grading.judges import Judge, JudgeFailure, JudgeMessage, JudgeReply, JudgeRequest
from rftplan.grading.metrics import (
    Metric,
    MetricError,
    Operation,
    check_strings,
    missing_package,
    similarity,
)
from rftplan.grading.result import Flag, Result, TokenUsage
from rftplan.grading.sample import Sample
from rftplan.grading.templates import Namespace, Reference, Template, VariableError, as_text

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
            return _failed(self, error.flag, error.message)
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
            return _failed(self, error.flag, error.message)
        except MetricError as error:
            return _failed(self, Flag.OTHER, str(error))
        except ImportError as error:
            raise RuntimeError(self.refusal or str(error)) from error
        return Result(self.name, "text_similarity", score)


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a model grader's prompt. `media` is True if it also shows images or plays audio."""

    role: str
    text: Template
    media: bool = False


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """A judge's score, clamped to the range."""

    name: str
    model: str
    input: tuple[PromptMessage, ...]
    range: tuple[float, float]
    sampling_params: Mapping[str, Any]
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> GraderType:
        return GraderType.SCORE_MODEL

    @property
    def references(self) -> Sequence[Reference]:
        return tuple(reference for message in self.input for reference in message.text.references)

    @property
    def refusal(self) -> str | None:
        if any(message.media for message in self.input):
            return "Images and audio in a score_model grader's input are not judged by this service yet."
        return None

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        _refuse(self)
        try:
            reply = judge.score(self._request(sample, item))
        except VariableError as error:
            return _failed(self, error.flag, error.message)
        usage = {reply.model: reply.usage} if reply.usage else {}
        reward, errors = self._outcome(reply)
        return Result(self.name, "score_model", reward, errors, usage, reply.model)

    def _outcome(self, reply: JudgeReply) -> tuple[float, dict[Flag, str]]:
        match reply.outcome:
            case JudgeFailure(flag, details):
                return 0.0, {flag: details}
            case score if math.isfinite(score):
                return min(self.range[1], max(self.range[0], score)), {}
            case _:
                return 0.0, {Flag.MODEL_PARSE: "The judge's score is not a finite number."}

    def _request(self, sample: Sample, item: Item) -> JudgeRequest:
        return JudgeRequest(
            model=self.model,
            messages=tuple(
                JudgeMessage(message.role, message.text.render(sample, item)) for message in self.input
            ),
            range=self.range,
            answer=self._answer(sample, item),
            references=self._texts_of_item(sample, item),
            sampling_params=self.sampling_params,
        )

    def _answer(self, sample: Sample, item: Item) -> str:
        named = _named(self.references, Namespace.SAMPLE)
        return " ".join(as_text(ref.value(sample, item)) for ref in named) if named else sample.output_text

    def _texts_of_item(self, sample: Sample, item: Item) -> tuple[str, ...]:
        named = _named(self.references, Namespace.ITEM)
        if not named:
            return tuple(value for value in item.values() if isinstance(value, str))
        if counterparts := _counterparts(_named(self.references, Namespace.SAMPLE), named):
            return (" ".join(as_text(reference.value(sample, item)) for reference in counterparts),)
        return tuple(as_text(reference.value(sample, item)) for reference in named)


@dataclass(frozen=True, slots=True)
class Python:
    """A function of the user's. It is read and kept, but nothing here runs it."""

    name: str
    source: str
    image_tag: str | None
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> GraderType:
        return GraderType.PYTHON

    @property
    def references(self) -> Sequence[Reference]:
        return ()

    @property
    def refusal(self) -> str | None:
        return "Python graders are not run by this service yet."

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        raise RuntimeError(self.refusal)


@dataclass(frozen=True, slots=True)
class Multi:
    """A formula over other graders' rewards. A member that fails counts as 0; its flags are the whole's."""

    name: str
    members: Mapping[str, Grader]
    formula: Formula
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> GraderType:
        return GraderType.MULTI

    @property
    def references(self) -> Sequence[Reference]:
        return tuple(reference for member in self.members.values() for reference in member.references)

    @property
    def refusal(self) -> str | None:
        refusals = (
            (key, refusal) for key, member in self.members.items() if (refusal := member.refusal) is not None
        )
        return next((f"Grader '{key}': {refusal}" for key, refusal in refusals), None)

    def grade(self, sample: Sample, item: Item, judge: Judge) -> Result:
        results = {key: member.grade(sample, item, judge) for key, member in self.members.items()}
        errors = _merged_errors(results)
        try:
            reward = self.formula.value({key: result.reward for key, result in results.items()})
        except FormulaError as error:
            reward, errors[Flag.FORMULA_PARSE] = 0.0, error.message
        models = dict.fromkeys(result.sampled_model_name for result in results.values())
        return Result(
            self.name,
            "multi",
            reward,
            errors,
            _merged_usage(results),
            ", ".join(model for model in models if model) or None,
            results,
        )


def _merged_errors(results: Mapping[str, Result]) -> dict[Flag, str]:
    errors: dict[Flag, str] = {}
    for key, result in results.items():
        for flag, details in result.errors.items():
            errors[flag] = f"{errors[flag]}; {key}: {details}" if flag in errors else f"{key}: {details}"
    return errors


def _merged_usage(results: Mapping[str, Result]) -> dict[str, TokenUsage]:
    usage: dict[str, TokenUsage] = {}
    for result in results.values():
        for model, tokens in result.token_usage.items():
            usage[model] = usage.get(model, TokenUsage()) + tokens
    return usage


def _named(references: Sequence[Reference], namespace: Namespace) -> list[Reference]:
    """Those of one namespace, each path once."""
    return list({ref.path: ref for ref in references if ref.namespace is namespace}.values())


def _counterparts(asked: Sequence[Reference], known: Sequence[Reference]) -> list[Reference]:
    """For each part of the answer the item's field of the same name; empty unless each has one.

    Then the whole answer is compared with the whole of them, in the same order.
    """
    by_name = {reference.path[-1]: reference for reference in reversed(known)}
    found = [by_name[reference.path[-1]] for reference in asked if reference.path[-1] in by_name]
    return found if len(found) == len(asked) else []


def _failed(grader: Grader, flag: Flag, details: str) -> Result:
    return Result(grader.name, grader.type.value, 0.0, {flag: details})


def _refuse(grader: Grader) -> None:
    if grader.refusal is not None:
        raise RuntimeError(grader.refusal)
