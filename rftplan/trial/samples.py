"""A file of samples that somebody recorded or wrote: one shape, checked whole before anything is graded.

`{"sample": …, "item": {…}}`, one a line, or a JSON list of them. Grades nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from rftplan.canonical import Json, JsonObject
from rftplan.codes import ROW_NOT_JSON, SAMPLE_SHAPE, finding
from rftplan.data import DataError, DataProblem, OnProgress, read_facts
from rftplan.data.probes import Probe
from rftplan.data.rows import Problems, row_of
from rftplan.data.sample_shape import SHAPE, misfit
from rftplan.errors import Place, SamplesError, UserError, has_errors
from rftplan.grading import Sample
from rftplan.reading import NotTextError, UnreadableError, decode_text, read_at_most
from rftplan.trial.rows import rows_spread, spread

LARGEST_LIST: Final = 64 << 20
"""Bytes of one JSON list, which is read whole; a file of lines may have any size."""


_KEPT: Final = ("sample", "item", "messages")


class Entry(Struct, frozen=True):
    """One sample and the item it is graded with. `line` is 1-based."""

    line: int
    sample: Sample
    item: Mapping[str, Any]
    given: JsonObject = field(default_factory=dict)
    """As it stands in the file."""


class Samples(Struct, frozen=True):
    """A checked file. `listed` are the entries of a JSON list; those of lines are read when they are asked for."""

    path: Path
    count: int
    listed: tuple[tuple[int, JsonObject], ...] | None = None

    def entries(self, wanted: int, *, with_json: bool) -> Iterator[Entry]:
        """So many, evenly spread. `with_json`: whether texts are read as JSON, as a job with a response format does."""
        for line, row in self._rows(wanted):
            if misfit(row) is None:  # unless the file changed since it was checked
                yield Entry(line, _sample(row["sample"], with_json=with_json), _object(row["item"]), row)

    def _rows(self, wanted: int) -> Iterator[tuple[int, JsonObject]]:
        if self.listed is None:
            return rows_spread(self.path, self.count, wanted)
        return (one for at, one in enumerate(self.listed) if spread(self.count, wanted, at))


def read_samples(path: Path, on_progress: OnProgress) -> Samples:
    """Check the whole file. SamplesError with every finding, UserError if it cannot be read at all."""
    try:
        start = read_at_most(path, 4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        return _listed(path) if start.startswith(b"[") else _lines(path, on_progress)
    except (UnreadableError, DataError) as error:
        missing = not path.exists()
        raise UserError(f"{path} {error.message}", hint="check the spelling" if missing else error.hint) from None


def _sample(value: Json, *, with_json: bool) -> Sample:
    read = Sample.of_text if with_json else Sample.of_plain_text
    if isinstance(value, str):
        return read(value)
    given = _object(value)
    text = given.get("output_text")
    if text is None:
        text = json.dumps(given["output_json"], ensure_ascii=False) if "output_json" in given else ""
    made = read(text, tools=given.get("output_tools", ()))
    return Sample(text, given["output_json"], made.output_tools) if "output_json" in given else made


def recorded(sample: Sample, item: Mapping[str, Any], *, answer: str, score: float) -> JsonObject:
    """An answer that was graded, as an entry of such a file."""
    said: Json = sample.output_text
    if sample.output_tools:
        said = {"output_text": sample.output_text, "output_tools": [dict(tool) for tool in sample.output_tools]}
    return {"sample": said, "item": dict(item), "answer": answer, "score": score}


def regraded(entry: Entry, *, score: float) -> JsonObject:
    """A sample as it was given, but with this score."""
    return {**{key: entry.given[key] for key in _KEPT if key in entry.given}, "score": score}


def _object(value: Json) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


class _Shapes(Struct):
    """Watches rows for those that are no samples."""

    problems: Problems = field(default_factory=Problems)

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        if wrong := misfit(dict(row)):
            self.problems.add(SAMPLE_SHAPE, line, 1, *wrong)

    def found(self) -> JsonObject:
        return {}


def _lines(path: Path, on_progress: OnProgress) -> Samples:
    shapes = _Shapes()
    facts = read_facts(path, [Probe("samples", lambda: shapes)], on_progress=on_progress)
    _refuse(path, [*facts.problems, *shapes.problems.listed()])
    return Samples(path, facts.rows)


def _listed(path: Path) -> Samples:
    data = read_at_most(path, LARGEST_LIST + 1)
    if len(data) > LARGEST_LIST:
        hint = f"write one object a line: jq -c '.[]' {path.name}"
        raise UserError(f"{path} is one JSON list of more than {LARGEST_LIST >> 20} MB", hint=hint)
    problems = Problems()
    try:
        text = decode_text(data)
    except NotTextError as error:
        problems.add(error.code, error.line, error.column, f"the file {error.message}", error.hint)
        _refuse(path, problems.listed())
    entries = tuple(_Reader(text, problems).elements())
    if not entries and not problems.listed():
        raise UserError(f"{path} is an empty list", hint=f"it has {SHAPE} for each sample")
    _refuse(path, problems.listed())
    return Samples(path, len(entries), entries)


class _Reader(Struct):
    """Goes through the text of a list once."""

    text: str
    problems: Problems
    at: int = 0
    line: int = 1
    line_start: int = 0

    def elements(self) -> Iterator[tuple[int, JsonObject]]:
        decoder = json.JSONDecoder()
        self._go(self.text.index("[") + 1)
        while self.text[self.at : self.at + 1] != "]":
            try:
                _, end = decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                return self._stop(error.pos, error.msg)
            except (ValueError, RecursionError):
                return self._stop(self.at, "it cannot be read: a number or a nesting is too large")
            yield from self._element(self.text[self.at : end])
            self._go(end)
            if self.text[self.at : self.at + 1] == ",":
                self._go(self.at + 1)
            elif self.text[self.at : self.at + 1] != "]":
                return self._stop(self.at, "Expecting ',' or ']'")
        self._go(self.at + 1)
        return None if self.at == len(self.text) else self._stop(self.at, "there is something behind the list")

    def _element(self, text: str) -> Iterator[tuple[int, JsonObject]]:
        row, _, fault = row_of(text.encode("utf-8", "surrogatepass"))
        if fault is not None:
            self.problems.add(fault.code, self.line, self._column, fault.detail, fault.hint)
        elif row is not None and (wrong := misfit(row)):
            self.problems.add(SAMPLE_SHAPE, self.line, self._column, *wrong)
        elif row is not None:
            yield self.line, row

    def _go(self, to: int) -> None:
        """To the first character at `to` or behind it that is no space."""
        while self.text[to : to + 1].isspace():
            to += 1
        self.line += self.text.count("\n", self.at, to)
        self.line_start = max(self.line_start, self.text.rfind("\n", self.at, to) + 1)
        self.at = to

    @property
    def _column(self) -> int:
        return self.at - self.line_start + 1

    def _stop(self, at: int, said: str) -> None:
        self._go(at)
        self.problems.add(ROW_NOT_JSON, self.line, self._column, said, "mend the list, or write one object a line")


def _refuse(path: Path, problems: list[DataProblem] | tuple[DataProblem, ...]) -> None:
    """SamplesError if any of them is an error; a byte order mark is none."""
    found = [
        finding(one.code, one.detail, place=Place(path.as_posix(), one.line, one.column), hint=one.hint)
        for one in problems
    ]
    if has_errors(found):
        raise SamplesError(found)
