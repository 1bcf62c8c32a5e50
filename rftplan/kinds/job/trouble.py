"""What the service says went wrong inside a run's graders, in words. Reads metrics events only; judges nothing.

A grader that fails gives the answer a reward of 0 and no other sign, so a run can end well on a broken grader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from rftplan.api.port import JobEvent
from rftplan.canonical import Json, JsonObject
from rftplan.lockfile import Entry
from rftplan.typed_json import finite_of

KEY: Final = "grader_errors"
"""Where the lock keeps them, for a job that ended."""
_NOT_THE_GRADERS: Final = frozenset({"sample_parse_error"})
"""An answer that is not JSON is the model's fault."""
_SPLITS: Final = {"valid": "validation", "train": "training"}


class GraderFault(Struct, frozen=True):
    """How many answers of one step a grader could not score, and by which error. `split` is "valid" or "train"."""

    grader: str
    error: str
    split: str
    count: int
    of: int

    def __str__(self) -> str:
        return f"{self.grader} {self.count} of {self.of} {_SPLITS[self.split]} answers ({self.error})"


def grader_errors(events: Sequence[JobEvent]) -> tuple[str, ...]:
    """`explanation 61 of 61 validation answers (model_grader_server_error)`: `newest_faults` in words."""
    return tuple(map(str, newest_faults(events)))


def newest_faults(events: Sequence[JobEvent]) -> tuple[GraderFault, ...]:
    """The newest figures of each grader, by its name and the error.

    `events` newest first. The validation figures count where there are any, for they are what gates see.
    """
    told = [event.data for event in events if event.type == "metrics" and _listed(event.data)]
    found: dict[tuple[str, str], GraderFault] = {}
    for split in _SPLITS:
        newest = next((data for data in told if _was_counted(_listed(data), split)), {})
        for fault in faults_in(newest, split):
            found.setdefault((fault.grader, fault.error), fault)
    return tuple(found[key] for key in sorted(found))


def faults_in(data: JsonObject, split: str) -> Iterator[GraderFault]:
    """Those of one step. The service gives how many answers, and their share."""
    for grader in _listed(data):
        for key in grader:
            error = key.removeprefix(f"{split}_").removesuffix("_mean")
            mean, count = finite_of(grader[key]), finite_of(grader.get(f"{split}_{error}_count"))
            if key != f"{split}_{error}_mean" or error in _NOT_THE_GRADERS or not mean or not count:
                continue
            of = max(round(count), round(finite_of(count / mean) or 0))
            yield GraderFault(str(grader.get("name")), error, split, round(count), of)


def kept_errors(entry: Entry | None) -> tuple[str, ...]:
    """Those that the lock keeps of a job that ended."""
    kept = entry.resolved.get(KEY) if entry is not None else None
    return tuple(text for text in kept if isinstance(text, str)) if isinstance(kept, list) else ()


def said(errors: Sequence[str]) -> str:
    """`grader errors: …`; nothing for none."""
    return f"grader errors: {'; '.join(errors)}" if errors else ""


def _listed(data: JsonObject) -> list[dict[str, Json]]:
    errors = data.get("errors")
    graders = errors.get("graders") if isinstance(errors, dict) else None
    return [g for g in graders if isinstance(g, dict)] if isinstance(graders, list) else []


def _was_counted(graders: Sequence[dict[str, Json]], split: str) -> bool:
    return any(
        key.startswith(f"{split}_") and finite_of(g[key]) is not None for g in graders for key in g if _mean(key)
    )


def _mean(key: str) -> bool:
    return key.endswith("_mean")
