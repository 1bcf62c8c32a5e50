"""What a simulated checkpoint says to a prompt: an answer of a kind drawn from its policy. Trains and grades nothing.

A prompt is looked up among the rows that the job had. What was right for a prompt without a row nobody knows, so
that an answer to it is made of what the job knows besides: the constant one, another row's, a malformed one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Protocol

from msgspec import Struct

from rftplan.grading import Grader
from rftplan.grading.calls import Spoken, SpokenBook
from rftplan.grading.candidates import item_of
from rftplan.grading.recorded import Truth
from rftplan.server.choices import Choices
from rftplan.server.policy import chosen, logits_of
from rftplan.server.prompts import digest_of, digests_before, text_of, tokens_of
from rftplan.server.recorded import Recordings
from rftplan.server.tokens import REASONING, reasoning_of, text_tokens
from rftplan.server.trainer import Answer, Question, RefusedQuestionError, ToolCall, TrainingRun

_REASONING_MODELS = ("o1", "o3", "o4", "gpt-5")
_FOUND = 200  # characters that a prompt's digest and place take
_DIGITS = 12  # of a digest: enough to choose another row by


class Knowledge(Protocol):
    """What can be known of a prompt: all of a job's rows, or what a request brings.

    `characters` is about how much is kept for it.
    """

    @property
    def characters(self) -> int: ...

    def answer(self, question: Question) -> Answer: ...


def knowledge_of(run: TrainingRun) -> Knowledge:
    """Takes as long as reading all of a job's rows: to be kept for the next question."""
    return KnownRows(run) if run.method == "reinforcement" else KnownPairs(run)


class _Place(Struct, frozen=True):
    """A row of a job, from 0."""

    split: str
    row: int
    item: Mapping[str, Any]


class KnownRows:
    """The rows of a reinforcement job. What is right follows from its grader."""

    def __init__(self, run: TrainingRun) -> None:
        self._items = [item_of(row) for row in run.train]
        self._grader, self._format = run.grader, run.response_format
        self._places: dict[str, _Place] = {}
        for split, rows in (("training", run.train), ("validation", run.valid)):
            for number, row in enumerate(rows):
                self._places[digest_of(row["messages"])] = _Place(split, number, item_of(row))
        self._books: dict[str, SpokenBook] = {}
        self._recordings = Recordings.of(run.recorded)
        self._truth = Truth(run.grader, run.response_format)
        self.characters = sum(_kept(item) for item in self._items) + sum(_kept(p.item) for p in self._places.values())

    def answer(self, question: Question) -> Answer:
        digest = digest_of(question.messages)
        place = self._places.get(digest, _Place("unknown", int(digest[:_DIGITS], 16), {}))
        if question.hint is not None:
            place = _Place("simulate.item", place.row, question.hint.item)
        told = {"prompt": place.split} | ({"row": place.row} if place.split in ("training", "validation") else {})
        return _drawn(question, self._choices(question, place), told)

    def _choices(self, question: Question, place: _Place) -> Choices:
        """What was recorded of a row, unless the request wants something else than the job did."""
        demanded = _demanded(question)
        row = {"messages": question.messages, **place.item}
        if place.split in ("training", "validation") and demanded in (None, self._format):
            said = self._recordings.of_row(row)
            if said and (question.tools or not any(one.calls for one in said)):
                return Choices.recorded(said, place.item, self._truth)
        book = self._book(demanded or self._format)
        return Choices.built(book.candidates(place.item, question.tools, turn=place.row))

    def _book(self, response_format: Mapping[str, Any] | None) -> SpokenBook:
        key = json.dumps(response_format, sort_keys=True)
        if key not in self._books:
            self._books.clear()  # one at a time: who asks for another form goes on asking for it
            self._books[key] = SpokenBook(self._items, self._grader, response_format)
        return self._books[key]


class KnownPairs:
    """The rows of a supervised or dpo job, each a prompt and its answer; of dpo with the one to avoid."""

    def __init__(self, run: TrainingRun) -> None:
        self._known: dict[str, tuple[str, int, Mapping[str, Any], Mapping[str, Any] | None]] = {}
        for split, rows in (("training", run.train), ("validation", run.valid)):
            for number, row in enumerate(rows):
                for digest, right, wrong in _pairs(row):
                    self._known[digest] = (split, number, right, wrong)
        self._answers = [right for _, _, right, _ in self._known.values()]
        self.characters = sum(_kept(right) + _kept(wrong) for _, _, right, wrong in self._known.values())

    def answer(self, question: Question) -> Answer:
        """Right as often as the checkpoint's tokens were; otherwise what dpo avoids, or another row's answer."""
        if question.hint is not None:
            raise RefusedQuestionError("a supervised or dpo checkpoint answers from its job's own rows alone.")
        rng = _rng(question)
        known = self._known.get(digest_of(question.messages))
        if known is None:
            return _message_answer(question, rng.choice(self._answers), {"prompt": "unknown", "kind": "wrong"})
        split, number, right, wrong = known
        told = {"prompt": split, "row": number}
        if rng.random() < _sharpened(_accuracy(question), question.temperature):
            return _message_answer(question, right, told | {"kind": "right"})
        others = [answer for answer in self._answers if answer != right]
        avoided = wrong or (rng.choice(others) if others else right)
        return _message_answer(question, avoided, told | {"kind": "wrong"})


def base_answer(question: Question) -> Answer:
    """Of a model that nobody trained here: from where every policy starts, if the request brings a row."""
    if question.hint is None and _demanded(question) is None:
        said = f"[SIMULATED] There is no {question.base} here, and nothing that it could say."
        return _answer(question, Spoken(said), {"prompt": "unknown", "kind": "none"})
    grader: Grader | None = None if question.hint is None else question.hint.grader
    item = {} if question.hint is None else question.hint.item
    book = SpokenBook([], grader, _demanded(question))
    told = {"prompt": "unknown" if question.hint is None else "simulate.item"}
    return _drawn(question, Choices.built(book.candidates(item, question.tools, turn=0)), told)


def _drawn(question: Question, choices: Choices, told: Mapping[str, Any]) -> Answer:
    stored = None if question.learned is None else question.learned.model.get("logits")
    rng = _rng(question)
    place, share = chosen(logits_of(stored), choices.usual(), temperature=question.temperature, rng=rng)
    reasoning = reasoning_of(choices.kinds[place], _reasoning(question))
    told = {**told, "kind": choices.kinds[place].value, "share": round(share, 4)}
    return _answer(question, choices.answers[place], told, reasoning=reasoning)


def _rng(question: Question) -> Random:
    """One for each prompt: whoever asks for all rows with one seed wants them answered independently."""
    return Random(f"{question.seed}:{digest_of(question.messages)}")


def _answer(question: Question, said: Spoken, told: Mapping[str, Any], *, reasoning: int = 0) -> Answer:
    return Answer(
        text=said.text,
        prompt_tokens=tokens_of(question.messages),
        completion_tokens=reasoning + text_tokens(said.written),
        reasoning_tokens=reasoning,
        tool_calls=[ToolCall(call.name, call.arguments) for call in said.calls],
        told=told,
    )


def _message_answer(question: Question, message: Mapping[str, Any], told: Mapping[str, Any]) -> Answer:
    """What an assistant's message of a row says."""
    calls = _calls(message) if question.tools else []
    text = text_of(message.get("content")) or ""
    said = text + "".join(call.arguments for call in calls)
    reasoning = round(_reasoning(question))
    return Answer(
        text=text,
        prompt_tokens=tokens_of(question.messages),
        completion_tokens=reasoning + text_tokens(said),
        reasoning_tokens=reasoning,
        tool_calls=calls,
        told=told,
    )


def _calls(message: Mapping[str, Any]) -> list[ToolCall]:
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return [ToolCall(str(one.get("name")), str(one.get("arguments"))) for one in functions if isinstance(one, dict)]


def _pairs(row: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]]:
    """The prompt's digest, answer, answer to avoid: of a conversation, one for each turn of the assistant."""
    if "messages" not in row:  # a preference: a conversation may have fields of any name beside
        yield digest_of(row["input"]["messages"]), row["preferred_output"][-1], row["non_preferred_output"][-1]
        return
    for digest, message in zip(digests_before(row["messages"]), row["messages"], strict=True):
        if message["role"] == "assistant":
            yield digest, message, None


def _kept(one: Mapping[str, Any] | None) -> int:
    """About how many characters it takes, with what finds it."""
    return _FOUND + len(json.dumps(one)) if one else 0


def _accuracy(question: Question) -> float:
    model = {} if question.learned is None else question.learned.model
    return float(model.get("token_accuracy", 0.0))


def _sharpened(share: float, temperature: float) -> float:
    """The chance of the first of two answers that has this share at temperature 1."""
    if not temperature:
        return float(share >= 0.5)
    right, wrong = share ** (1 / temperature), (1 - share) ** (1 / temperature)
    return right / (right + wrong) if right + wrong else float(share >= 0.5)


def _reasoning(question: Question) -> float:
    """Tokens that the model thinks for, of a right answer; none of a model that does not."""
    if not question.base.startswith(_REASONING_MODELS):
        return 0.0
    return float(REASONING.get(question.reasoning_effort or "medium", REASONING["medium"]))


def _demanded(question: Question) -> Mapping[str, Any] | None:
    """The schema that the request wants the answer in, if it names one."""
    wanted = question.response_format
    return wanted if wanted is not None and wanted.get("type") == "json_schema" else None
