"""What is decided where a service keeps no metadata and nobody can tell whose launch a job is: never to launch beside
it, and to say so. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rftplan.api.port import RemoteJob
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, Hazard, HazardOf, Reason
from rftplan.kinds.base import Situation
from rftplan.kinds.job.kept import BESIDE
from rftplan.kinds.job.launch import TOKEN_KEY, age
from rftplan.kinds.job.observe import SeenJob
from rftplan.kinds.job.steps import CancelStep
from rftplan.lockfile import Entry, Origin


def hold_for_nameless(situation: Situation, seen: SeenJob, *, active: bool = False) -> Change | None:
    """HOLD where a job without metadata may be the launch that is due, or was made and forgotten; only those that go
    on, where `active`. A person who asks for a replacement has seen them."""
    found = [job for job in seen.nameless if not (active and job.status.ended)]
    if not found or situation.replace:
        return None
    detail = (
        f"{_each(found)}, from the same files with the same settings, and without metadata: "
        f"nobody can tell whether it is this launch; {_taken(situation, found)}"
    )
    return situation.change(Action.HOLD, "hold", Reason.MAY_BE_OURS, detail)


def hold_for_fate(situation: Situation, seen: SeenJob) -> Change | None:
    """HOLD where a launch was cut off and what is there may be it, or another that nothing tells from it."""
    if not seen.maybe or situation.replace:
        return None
    detail = (
        f"a launch was cut off, and {_each(seen.maybe)} without metadata, and may be it: {_why(seen)}, so that nothing "
        f"tells two launches apart; {_taken(situation, seen.maybe)}"
    )
    return situation.change(Action.HOLD, "hold", Reason.FATE_UNKNOWABLE, detail)


def _why(seen: SeenJob) -> str:
    return "no seed is shown" if any(job.seed is None for job in seen.maybe) else "the specs set the seed"


def _each(jobs: Sequence[RemoteJob]) -> str:
    return ", ".join(f"{job.id} is {job.status} there" for job in jobs)


def _taken(situation: Situation, jobs: Sequence[RemoteJob]) -> str:
    """How it becomes the address's own."""
    forget = f"rftplan state rm {situation.address}, then " if situation.entry is not None else ""
    one = jobs[0].id if len(jobs) == 1 else "ID"
    return f"if it is, {forget}rftplan import {situation.address} {one} takes it"


def beside(situation: Situation, seen: SeenJob, job: RemoteJob, entry: Entry) -> Change | None:
    """Where another apply launched the same: the older stays, and ours is cancelled while it costs nothing. Neither
    knows the other's, so that a person is asked about the rest. What was there before the launch a person let stand."""
    stands = entry.resolved.get(BESIDE)
    known = stands if isinstance(stands, list) else []
    others = [one for one in seen.nameless if not one.status.ended and one.id not in known]
    if not others or job.status.ended or entry.origin is not Origin.CREATED:
        return None
    first = min((job, *others), key=age)
    if first.id != job.id and job.status.unbilled:
        return _yielding(situation, job, first)
    ids = ", ".join(one.id for one in others)
    detail = f"{ids} runs beside {job.id}, from the same files with the same settings"
    return situation.change(Action.HOLD, "hold", Reason.DUPLICATE, detail)


def let_stand(situation: Situation, job: RemoteJob) -> JsonObject:
    """What a person let stand beside a launch of ours whose answer was lost, as the entry keeps it."""
    intent = situation.intent.intent if situation.intent else None
    ours = intent is not None and intent.verb == "launch" and job.metadata.get(TOKEN_KEY) == intent.token
    return {BESIDE: [*intent.target[4:]]} if intent is not None and ours and intent.target[4:] else {}


def _yielding(situation: Situation, job: RemoteJob, first: RemoteJob) -> Change:
    detail = f"{first.id} is older, from the same files with the same settings, and stays"
    risk = HazardOf(Hazard.CANCEL_ACTIVE, f"cancels {job.id}, which is {job.status}")
    step = CancelStep((job,))
    return situation.change(Action.UPDATE, "cancel", Reason.DUPLICATE, detail, hazards=(risk,), step=step)
