"""What runs in the process of a row: reads the grader, calls it, says a score or why there is none. Guards nothing.

From `exec` on, everything here is in the hands of the grader: whoever reads the answers trusts none of them.
"""

from __future__ import annotations

import ast
import gc
import json
import marshal
import math
import resource
import struct
import sys
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final

from rftplan.grading.sandbox.frames import Frames
from rftplan.grading.sandbox.plain import imported, is_plain

SCORE: Final = b"s"
LAST_SCORE: Final = b"l"
"""A score, after which this process is not good for another row."""
ERROR: Final = b"e"
READ: Final = b"r"

DOUBLE: Final = struct.Struct("!d")
_FILE: Final = "<grader>"
_MODULE: Final = "grader"
_MOST_GROWN: Final = 32 * 1024  # in KiB; on macOS in bytes, so that there hardly any row shares a process
_MOST_SAID: Final = 600


class InvalidScoreError(Exception):
    """What the grader gave is no score."""


def read(frames: Frames) -> None:
    """Compile one source. The answer: whether it is plain, what it imports, its code."""
    source = frames.receive()
    if source is None:
        return
    try:
        tree = ast.parse(source, _FILE)
        facts = json.dumps({"plain": is_plain(tree), "imports": imported(tree)})
        code = marshal.dumps(compile(tree, _FILE, "exec", dont_inherit=True))
    except BaseException as error:  # a hostile text may fail the compiler in any way
        frames.send(ERROR, _described(error))
    else:
        frames.send(READ, facts.encode(), b"\n", code)


def grade_one(frames: Frames, code: bytes) -> None:
    """One row, in a process of its own."""
    run = marshal.loads(code)
    if (row := frames.receive()) is not None:
        frames.send(*_answer(run, row))


def grade_many(frames: Frames, code: bytes) -> None:
    """Rows of a plain grader, until there are no more of them or one has no score. What a row has taken is gone
    before its answer."""
    run = marshal.loads(code)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while (row := frames.receive()) is not None:
        kind, said = _answer(run, row)
        sys.modules.pop(_MODULE, None)
        gc.collect()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > _MOST_GROWN:
            kind = LAST_SCORE if kind == SCORE else kind
        frames.send(kind, said)
        if kind != SCORE:
            return


def _answer(run: CodeType, row: bytes) -> tuple[bytes, bytes]:
    try:
        return SCORE, DOUBLE.pack(_score(run, row))
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: it has no say in when we end
        return ERROR, _described(error)


def _score(run: CodeType, row: bytes) -> float:
    given = json.loads(row)
    module = sys.modules[_MODULE] = ModuleType(_MODULE)
    exec(run, module.__dict__)
    function = module.__dict__.get("grade")
    if function is None:
        raise InvalidScoreError("The source defines no function grade(sample, item).")
    return _number(function(given["sample"], given["item"]))


def _number(value: Any) -> float:
    """A float, or an integer that is no boolean; subclasses count as what they are at bottom."""
    kind = type(value)
    if issubclass(kind, float):
        number = float.__float__(value)
    elif issubclass(kind, int) and kind is not bool:
        number = int.__float__(value)
    else:
        raise InvalidScoreError(f"grade() returned {_named(kind)}, not a number.")
    if not math.isfinite(number):
        raise InvalidScoreError(f"grade() returned {number}, not a finite number.")
    return number


def _named(kind: type) -> str:
    return "None" if kind is type(None) else f"a value of type {kind.__name__}"


def _described(error: BaseException) -> bytes:
    try:
        text = str(error)
        if not isinstance(error, InvalidScoreError):
            text = f"{type(error).__name__}: {text}" if text else type(error).__name__
            line = _line(error, error.__traceback__)
            text = f"{text} (line {line})" if line and not isinstance(error, SyntaxError) else text
        return text[:_MOST_SAID].encode("utf-8", "backslashreplace")
    except BaseException:  # its texts are made by the grader's own code
        return b"An exception that cannot be shown."


def _line(error: BaseException, trace: TracebackType | None) -> int | None:
    """The last line of the grader's own text on the way to the error."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def settle() -> None:
    """Before any process is made of this one: what is loaded is never looked at again by the collector."""
    gc.collect()
    gc.freeze()
