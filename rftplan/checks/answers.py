"""Rules about what the service answered when graders were tried there. Pure; where nobody asked, nothing is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rftplan.checks.preflight import GraderTrial, Preflight, row_place, written_graders
from rftplan.codes import error
from rftplan.errors import Diagnostic

GRADER_REFUSED: Final = error("G160", "Service refuses the grader")
GRADER_FAILS: Final = error("G168", "Grader fails at the service")

_MAY_BE_THE_ANSWERS: Final = frozenset({"sample_parse_error", "invalid_variable_error", "python_grader_runtime_error"})
"""An answer that was made up may well not be what the grader reads; a right one is."""


def refused_grader(preflight: Preflight) -> Iterable[Diagnostic]:
    """A grader that the service does not take: so would it refuse the job."""
    refusals = preflight.told.refusals if preflight.told else {}
    for where, _ in written_graders(preflight):
        if where.of in refusals:
            yield where.finding(GRADER_REFUSED, refusals[where.of], hint="the job would be refused for it, too")


def failing_grader(preflight: Preflight) -> Iterable[Diagnostic]:
    """A grader that raised an error on a sample row: the reply is a 200 with reward 0, and so would training be."""
    trials = preflight.told.trials if preflight.told else ()
    for where, _ in written_graders(preflight):
        mine = [trial for trial in trials if trial.of == where.of]
        failed: dict[str, list[GraderTrial]] = {}
        for trial in mine:
            for flag in trial.errors:
                if trial.right or flag not in _MAY_BE_THE_ANSWERS:
                    failed.setdefault(flag, []).append(trial)
        for flag, trials_of_flag in failed.items():
            yield where.finding(GRADER_FAILS, _said(preflight, flag, trials_of_flag, len(mine)), hint=_hint(flag))


def _said(preflight: Preflight, flag: str, failed: list[GraderTrial], tried: int) -> str:
    first = failed[0]
    file = preflight.config.declared[first.file]
    answer = "its right answer" if first.right else "an answer that is made up"
    detail = f": {first.errors[flag]}" if first.errors[flag] else ""
    said = f"{flag} for {len(failed)} of {tried} rows, first for {answer} at {row_place(file, first.line)}"
    return f"{said}{detail}; the service answers it with reward 0"


def _hint(flag: str) -> str:
    if flag.startswith("model_grader_server"):
        return "try again later; if it stays, look whether the judge's model may be used with this key"
    if flag.startswith("model_grader"):
        return "look at the judge's prompt: its answer is no number that the service understands"
    if flag.startswith("python_grader"):
        return "run the source on this row by yourself, and mend what it raises"
    return "mend it before the launch: nothing is learnt from such rows"


RULES: Final = (refused_grader, failing_grader)
PROBES: Final = ()
