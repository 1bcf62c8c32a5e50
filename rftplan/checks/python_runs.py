"""What running a Python grader on some answers shows. Runs nothing: what was seen is handed in.

`check --run-python` runs them, in the sandbox, where somebody asked; no rule does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from rftplan.checks.preflight import Written
from rftplan.codes import error, finding, info, warning
from rftplan.errors import Diagnostic
from rftplan.grading.python_image import PACKAGES, is_there
from rftplan.grading.table import blames_answer

FAILS: Final = error("G161", "Python grader fails on answers that it must score")
FAILS_ON_SOME: Final = info("G162", "Python grader fails on some answers")
SCORES_ALIKE: Final = warning("G163", "Python grader scores right and wrong answers alike")
TOO_LONG: Final = error("G164", "Python grader runs out of time")
PACKAGE_ABSENT: Final = warning("G165", "Python grader imports what is not installed here")
NOT_RUN: Final = error("G166", "Python grader cannot be run here")
NO_ROWS: Final = info("G167", "Python grader has no rows to be run on")

_ABSENT: Final = re.compile(r"(?:ModuleNotFoundError|ImportError): .*")
_MODULE: Final = re.compile(r"No module named '([^']+)'")
_SAME: Final = 1e-9


class Seen(Struct, frozen=True):
    """One answer to one row and what came of it. `answer` says what kind it is, for a sentence; `compared`: it is
    certainly wrong. `failure` is what happened in place of a score."""

    line: int
    answer: str
    right: bool
    compared: bool
    score: float
    failure: str | None = None
    timed_out: bool = False


def absent_package(failure: str) -> str | None:
    """The error, if it is one of an import that finds nothing."""
    found = _ABSENT.search(failure)
    return found and found[0]


def remedy(absent: str, *, again: str) -> str:
    """What to do about an import that finds nothing here; `again` is the word for what was done."""
    named = _MODULE.search(absent)
    if named is None or is_there(named[1]):
        return f"install it beside rftplan, and {again} again"
    module = named[1].partition(".")[0]
    return f"do without it: the service's image lacks {module}, too; it has {', '.join(sorted(PACKAGES.values()))}"


def said_of_runs(where: Written, path: str, seen: Sequence[Seen]) -> Iterator[Diagnostic]:
    """The findings about one grader that was run on rows of the file at `path`."""
    failed = [one for one in seen if one.failure is not None]
    if late := next((one for one in failed if one.timed_out), None):
        detail = f"{late.failure}, for {late.answer} to {path}:{late.line}; the service stops it, too"
        yield where.finding(TOO_LONG, detail, "source", hint="do less for each answer, or bound the loops")
    elif absent := next((found for one in failed if (found := absent_package(one.failure or ""))), None):
        detail = f"{absent}; so nothing can be said of what it scores"
        yield where.finding(PACKAGE_ABSENT, detail, "source", hint=remedy(absent, again="check"))
    elif failed:
        yield _failing(where, path, seen, failed)
    elif _alike(seen):
        rows = len({one.line for one in seen})
        detail = f"{seen[0].score:g} for each of {len(seen)} answers to {rows} rows, right and wrong"
        yield where.finding(SCORES_ALIKE, detail, "source", hint="rftplan grade shows what it was asked")


def _failing(where: Written, path: str, seen: Sequence[Seen], failed: Sequence[Seen]) -> Diagnostic:
    rights = [one for one in seen if one.right]
    wrong = [one for one in failed if one.right]
    hopeless = not rights and len(failed) == len(seen) and not any(blames_answer(o.failure or "") for o in failed)
    must = failed if hopeless else wrong
    first, of = (must[0], rights or seen) if must else (failed[0], [one for one in seen if not one.right])
    count = f"{len(must or failed)} of {len(of)} {'right answers' if must and rights else 'answers'}"
    detail = f"{(first.failure or '').rstrip('.')}, for {count}; first for {first.answer} to {path}:{first.line}"
    place = where.source_place(_line(first.failure or ""))
    if must:
        said = f"{detail}. The service answers 200, and the reward is 0"
        return finding(FAILS, said, place=place, address=where.of, hint=_MEND)
    hint = "no harm if such an answer deserves 0; a score of 0.0 would not count as an error of the grader"
    return finding(FAILS_ON_SOME, detail, place=place, address=where.of, hint=hint)


def _line(failure: str) -> int:
    """The line of the source that a failure names; 0 if it names none."""
    found = _LINE.search(failure)
    return int(found[1]) if found else 0


_LINE: Final = re.compile(r"\(line (\d{1,6})\)")


_MEND: Final = "mend the line, and check again; rftplan grade shows every kind of answer"


def _alike(seen: Iterable[Seen]) -> bool:
    """Whether right answers and certainly wrong ones all have one score."""
    told = [one for one in seen if one.right or one.compared]
    both = any(one.right for one in told) and any(one.compared for one in told)
    return both and max(one.score for one in told) - min(one.score for one in told) <= _SAME


RULES: Final = ()
PROBES: Final = ()
