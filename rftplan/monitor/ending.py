"""How watching a job ends: by its own end, by a pause, or because nobody can look any more. Pure; acts on nothing."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from rftplan.api.port import JobStatus
from rftplan.monitor.facts import Facts


class End(StrEnum):
    """Why there is nothing more to watch."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    """It succeeded before its last step: a run that dies after a checkpoint may end so."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    LOST = "lost"
    """The service refuses to show it, or does not know it any more."""


class Ending(Struct, frozen=True):
    """`ours`: it was paused or cancelled from here. `detail` says more, in the service's own words."""

    end: End
    ours: bool = False
    detail: str = ""

    @property
    def needs_a_person(self) -> bool:
        """Whether a person has to act; what a person did from here is as it should be."""
        return self.end not in (End.SUCCEEDED, End.PARTIAL) and not self.ours


def ending(facts: Facts, *, ours: bool) -> Ending | None:
    """None while it goes on. `ours`: whoever paused or cancelled it did so from here."""
    match facts.job.status:
        case JobStatus.SUCCEEDED:
            return Ending(End.PARTIAL if _is_partial(facts) else End.SUCCEEDED)
        case JobStatus.FAILED:
            return Ending(End.FAILED, detail=_why(facts))
        case JobStatus.CANCELLED:
            return Ending(End.CANCELLED, ours)
        case JobStatus.PAUSED:
            return Ending(End.PAUSED, ours)
        case _:
            return None


def _is_partial(facts: Facts) -> bool:
    return facts.step is not None and facts.total_steps is not None and facts.step < facts.total_steps


def _why(facts: Facts) -> str:
    """The service's error, or what it told last that was one."""
    if facts.job.error is not None:
        return facts.job.error.message
    told = facts.last
    return told.message if told is not None and told.level == "error" else "the service does not say why"
