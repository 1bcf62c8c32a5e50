"""The file of a job's figures, a line a step: what is in it and what it is called. Stores nothing.

It is written with the job's future, and like all of that it is shown when its time has come.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rftplan.server.trainer import Step

RESULTS = "fine-tune-results"
FILENAME = "step_metrics.csv"
_ID_LENGTH = 22
_SAID_ELSEWHERE = frozenset({"step", "total_steps"})


def result_file_id(job_id: str) -> str:
    return f"file-{hashlib.sha256(f'result:{job_id}'.encode()).hexdigest()[:_ID_LENGTH]}"


def result_csv(steps: Sequence[Step], *, trainer: str | None) -> bytes:
    """The step and each figure that the events give without nesting, under its name; empty where a step has none.

    `trainer` is who simulated the steps: every line says so. None if a model was trained.
    """
    lines = [(step.number, dict(figures_of(step.metrics))) for step in steps]
    names = dict.fromkeys(name for _, figures in lines for name in figures)
    told = {} if trainer is None else {"simulation": trainer}
    text = io.StringIO()
    table = csv.DictWriter(text, ["step", *names, *told], restval="", lineterminator="\n")
    table.writeheader()
    table.writerows({"step": number, **figures, **told} for number, figures in lines)
    return text.getvalue().encode()


def figures_of(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """What of an event's data is a figure of the whole step; None where the step has none."""
    for name, value in metrics.items():
        if name not in _SAID_ELSEWHERE and isinstance(value, int | float | None):
            yield name, value
