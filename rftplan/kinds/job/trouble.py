"""What the service says went wrong inside a run's graders, in words. Reads metrics events only; judges nothing.

A grader that fails gives the answer a reward of 0 and no other sign, so a run can end well on a broken grader.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from rftplan.api.port import JobEvent
from rftplan.canonical import Json
from rftplan.lockfile import Entry

KEY: Final = "grader_errors"
"""Where the lock keeps them, for a job that ended."""
_NOT_THE_GRADERS: Final = frozenset({"sample_parse_error"})
"""An answer that is not JSON is the model's fault."""
_SPLITS: Final = (("valid", "validation"), ("train", "training"))


def grader_errors(events: Sequence[JobEvent]) -> tuple[str, ...]:
    """`explanation 61 of 61 validation answers (model_grader_server_error)`: the newest figures of each grader.

    `events` newest first. The validation figures count where there are any, for they are what gates see.
    """
    listed = [graders for event in events if event.type == "metrics" and (graders := _listed(event))]
    found: dict[tuple[str, str], str] = {}
    for split, noun in _SPLITS:
        newest = next((graders for graders in listed if _was_counted(graders, split)), [])
        for name, error, count, total in _counts(newest, split):
            found.setdefault((name, error), f"{name} {count} of {total} {noun} answers ({error})")
    return tuple(text for _, text in sorted(found.items()))


def kept_errors(entry: Entry | None) -> tuple[str, ...]:
    """Those that the lock keeps of a job that ended."""
    kept = entry.resolved.get(KEY) if entry is not None else None
    return tuple(text for text in kept if isinstance(text, str)) if isinstance(kept, list) else ()


def said(errors: Sequence[str]) -> str:
    """`grader errors: …`; nothing for none."""
    return f"grader errors: {'; '.join(errors)}" if errors else ""


def _listed(event: JobEvent) -> list[dict[str, Json]]:
    errors = event.data.get("errors")
    graders = errors.get("graders") if isinstance(errors, dict) else None
    return [g for g in graders if isinstance(g, dict)] if isinstance(graders, list) else []


def _was_counted(graders: Sequence[dict[str, Json]], split: str) -> bool:
    return any(key.startswith(f"{split}_") and _figure(g[key]) is not None for g in graders for key in g if _mean(key))


def _counts(graders: Sequence[dict[str, Json]], split: str) -> Iterator[tuple[str, str, int, int]]:
    """Name, error, how many answers, of how many: the service gives the first count and a mean."""
    for grader in graders:
        for key in grader:
            error = key.removeprefix(f"{split}_").removesuffix("_mean")
            mean, count = _figure(grader[key]), _figure(grader.get(f"{split}_{error}_count"))
            if key != f"{split}_{error}_mean" or error in _NOT_THE_GRADERS or not mean or not count:
                continue
            yield str(grader.get("name")), error, round(count), max(round(count), round(count / mean))


def _mean(key: str) -> bool:
    return key.endswith("_mean")


def _figure(value: Json) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and math.isfinite(value) else None  # type: ignore[arg-type]
