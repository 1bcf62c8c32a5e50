"""The warm process that serves many rows: shuts itself in, reads graders, gives each row a process. Runs no grader.

It only ever imports modules of this system that graders name, so that processes for rows start with them loaded.
Messages: first the settings; then for each a reply. A request is a line of JSON and, after it, what is passed on: a
source, or rows, one behind the other. To rows it answers from the first on, as far as one process took them.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any, Final

from rftplan.grading.sandbox import row
from rftplan.grading.sandbox.cell import Cell, TrustedCell, limit_resources
from rftplan.grading.sandbox.confine import MissingIsolationError, confine
from rftplan.grading.sandbox.frames import Frames
from rftplan.grading.sandbox.session import Session, SpentError
from rftplan.grading.sandbox.setting import Setting

_LARGEST_REQUEST: Final = 1 << 28
_IMAGE: Final = """numpy scipy sympy pandas rapidfuzz sklearn rouge_score deepdiff jsonschema pydantic yaml nltk
    sqlparse rdkit skbio ast_grep_py"""
"""What the service's image has beside the standard library."""
_ODD: Final = "antigravity this idlelib turtledemo test lib2to3 __main__ __hello__ __phello__"
"""Modules that do something when they are imported."""


@dataclass(frozen=True, slots=True)
class Source:
    """A grader that was read. `code` came out of a process of a row: it goes into such ones only."""

    code: bytes
    plain: bool


@dataclass(slots=True, eq=False)
class Worker:
    """Answers requests, one at a time."""

    control: Frames
    cell: Cell
    memory: int
    _sources: dict[str, Source] = field(default_factory=dict)
    _session: Session | None = None
    _session_of: str = ""

    def serve(self) -> None:
        row.settle()
        while (request := self.control.receive()) is not None:
            line, _, rest = request.partition(b"\n")
            order = json.loads(line)
            name, seconds = order["source"], order["seconds"]
            if order["do"] == "read":
                self.control.send(json.dumps(self._read(name, seconds, rest)).encode())
            else:
                self.control.send(json.dumps(self._grade(name, seconds, _parts(rest, order["rows"]))).encode())
            self._get_ready(name)
        self.end()

    def end(self) -> str:
        """Of the present session, if there is one."""
        session, self._session = self._session, None
        return session.end() if session is not None else ""

    def _read(self, name: str, seconds: float, text: bytes) -> dict[str, Any]:
        self.end()
        session = self._session = Session.begin(self.cell, row.read)
        try:
            session.tell(text)
            answer = self._answer(session, seconds)
        except SpentError as error:
            return self._spent(error)
        self.end()
        if answer[:1] != row.READ:
            return _runtime_error(answer)
        facts, _, code = answer[1:].partition(b"\n")
        read = json.loads(facts)
        self._sources[name] = Source(code, read["plain"] is True)
        for module in read["imports"]:
            _load(str(module))
        row.settle()
        return {"plain": self._sources[name].plain}

    def _grade(self, name: str, seconds: float, rows: Sequence[bytes]) -> list[dict[str, Any]]:
        """At least one answer: after a row without a score the process is over, and the rest is to come again."""
        session = self._session if self._session_of == name else None
        session = session or self._begin(name)
        plain, answers = self._sources[name].plain, []
        taken = rows if plain else rows[:1]
        try:
            session.tell(*taken)
            for _ in taken:
                answer = self._answer(session, seconds)
                answers.append(_score(answer))
                if not plain or answer[:1] != row.SCORE:
                    self.end()
                    break
        except SpentError as error:
            answers.append(self._spent(error))
        return answers

    def _answer(self, session: Session, seconds: float) -> bytes:
        return session.answer(seconds=seconds, memory=self.memory, watched=self.control.incoming)

    def _spent(self, error: SpentError) -> dict[str, Any]:
        how = self.end()
        return {"fault": error.kind, "details": error.details or how}

    def _begin(self, name: str) -> Session:
        self.end()
        source = self._sources[name]
        grade = row.grade_many if source.plain else row.grade_one
        self._session = Session.begin(self.cell, partial(grade, code=source.code))
        self._session_of = name
        return self._session

    def _get_ready(self, name: str) -> None:
        """A process for the next row, made while its sender is busy with this one's score."""
        if self._session is None and name in self._sources:
            self._begin(name)


def _parts(joined: bytes, lengths: Sequence[int]) -> list[bytes]:
    ends = list(accumulate(lengths))
    return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _score(answer: bytes) -> dict[str, Any]:
    if answer[:1] in (row.SCORE, row.LAST_SCORE) and len(answer) == 1 + row.DOUBLE.size:
        (score,) = row.DOUBLE.unpack(answer[1:])
        if math.isfinite(score):
            return {"score": score}
    return _runtime_error(answer)


def _runtime_error(answer: bytes) -> dict[str, Any]:
    if answer[:1] == row.ERROR:
        return {"fault": "runtime", "details": answer[1:2000].decode("utf-8", "replace")}
    return {"fault": "crash", "details": "its process gave no proper answer"}


def _load(name: str) -> None:
    parts = name.split(".")
    known = parts[0] in sys.stdlib_module_names or parts[0] in _IMAGE.split()
    if known and not set(parts) & set(_ODD.split()) and all(part.isidentifier() for part in parts):
        with suppress(Exception, SystemExit):
            importlib.import_module(name)


def main() -> None:
    """Be the worker: the two standard streams are the pipes to whoever asks."""
    control = _take_streams()
    told = control.receive()
    if told is None:
        return
    given = json.loads(told)
    setting = Setting(given["readable"], given["memory"], given["disk"], given["processes"])
    _look_ordinary(given)
    try:
        cell = _cell(setting, given["scratch"])
    except MissingIsolationError as error:
        control.send(json.dumps({"missing": str(error)}).encode())
        return
    control.send(json.dumps({"missing": None}).encode())
    worker = Worker(control, cell, setting.memory)
    with suppress(EOFError, BrokenPipeError):
        worker.serve()
    worker.end()


def _cell(setting: Setting, scratch: str | None) -> Cell:
    if scratch is None:
        return confine(setting)
    os.chdir(scratch)
    limit_resources(setting)
    return TrustedCell(setting, scratch)


def _take_streams() -> Frames:
    control = Frames(os.dup(0), os.dup(1), _LARGEST_REQUEST)
    nothing = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    return control


def _look_ordinary(given: dict[str, Any]) -> None:
    """As an interpreter looks to a program, without any sign of ours."""
    sys.path[:] = given["path"]
    sys.executable = given["executable"]
    sys.argv[:] = [""]
    for name in [name for name in sys.modules if name.split(".")[0] == "rftplan"]:
        del sys.modules[name]
