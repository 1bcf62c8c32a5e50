"""A model's score for a sample: renders the prompt, asks the judge, clamps to the range. Does no network itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from rftplan.grading.graders import GraderType, Item, failed
from rftplan.grading.judges import Judge, JudgeFailure, JudgeMessage, JudgeReply, JudgeRequest
from rftplan.grading.result import Flag, Result
from rftplan.grading.sample import Sample
from rftplan.grading.templates import Namespace, Reference, Template, VariableError, as_text


class PromptMessage(Struct, frozen=True):
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
        if self.refusal is not None:
            raise RuntimeError(self.refusal)
        try:
            reply = judge.score(self._request(sample, item))
        except VariableError as error:
            return failed(self, error.flag, error.message)
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
            messages=tuple(JudgeMessage(message.role, message.text.render(sample, item)) for message in self.input),
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
