"""Launching a job exactly once: the slot is looked at before and after, and a lost reply is looked up, not repeated.

Decides nothing about what is to be launched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Capability
from rftplan.canonical import JsonObject
from rftplan.changes import Change
from rftplan.errors import ApiError, LimitedError, StoppedError
from rftplan.events import Outcome, Result
from rftplan.journal import LostEffect
from rftplan.kinds.base import Act, result
from rftplan.kinds.file import used
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job.cancelling import cancel_one
from rftplan.kinds.job.kept import BESIDE, REPLACES, resolved_values, status_in
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, age, launch_of, request_body, sent_grader
from rftplan.kinds.job.nameless import Launched, Sent, named, with_token
from rftplan.kinds.job.slots import standing
from rftplan.kinds.job.steps import LaunchStep
from rftplan.lockfile import Entry

_BAD_ENDS: Final = (JobStatus.FAILED, JobStatus.CANCELLED)


def _place_taken(change: Change, step: LaunchStep, act: Act, id: str, *, launch: str | None) -> Result:
    """The next plan takes it up, unless this lock has an older launch that is as good: then it never learns of it,
    and a person brings the lock here that knows it. `launch` is the slot that it is seen to stand in."""
    entry = act.ledger.entries.get(change.address)
    older = entry is not None and launch_of(entry.fingerprint, step.attempt) == launch and entry.attempt < step.attempt
    if entry is None or not older or status_in(entry) in _BAD_ENDS:
        detail = f"{id} stands in its place, which this lock did not know; the next plan takes it up"
        return result(change, Outcome.DEFERRED, id=id, detail=detail)
    detail = (
        f"{id} is a newer launch of it that this lock does not know: another copy of the lock made it; "
        "bring that copy here (git pull), for what is live or paid for by now stands there"
    )
    return result(change, Outcome.HELD, id=id, detail=detail)


async def launch_once(change: Change, step: LaunchStep, act: Act) -> Result:
    """Launch into the step's slot, unless something stands there, and cancel what that replaces."""
    want = act.resources[change.address]
    spec = want.spec
    if spec.reinforcement is not None and isinstance(spec.reinforcement.grader, GraderSpec):
        await act.port.validate_grader(sent_grader(want, act.resources))
    launch = launch_of(want.fingerprint, step.attempt)
    try:
        now = await standing(change.address, launch, act)
    except (LimitedError, StoppedError):
        raise
    except ApiError as error:
        return result(change, Outcome.FAILED, error=f"nothing was launched: its place could not be looked at: {error}")
    if there := [*now.slot, *(job for job in now.alike if job.id not in step.beside)]:
        return _place_taken(change, step, act, there[0].id, launch=launch if now.slot else None)
    stale = act.open_intents.get(change.address)
    if stale is not None and stale.verb == "launch":
        act.ledger.abandon(stale)
    sent = _Launch(change, launch, step, act)
    job = await sent.once()
    keep_files(change, act)
    return await _tidy_up(step, job, sent)


async def _tidy_up(step: LaunchStep, job: RemoteJob, sent: _Launch) -> Result:
    """One launch a slot, and nothing left of what it replaces. The job is there and on record: whatever goes
    wrong now is told beside it, and the next apply goes on here."""
    change, act = sent.change, sent.act
    try:
        place = await _one_a_slot(step, job, sent)
        kept = place.kept
    except (ApiError, LostEffect) as error:
        detail = f"{job.id} was launched; what else is in its place is not known: {error}; run rftplan apply again"
        return result(change, Outcome.DEFERRED, id=job.id, detail=detail)
    try:
        for old in step.cancels:
            await cancel_one(change, old, act)
    except (LimitedError, StoppedError) as error:
        detail = f"{kept.id} was launched; what it replaces is cancelled by the next apply: {error}"
        return result(change, Outcome.DEFERRED, id=kept.id, detail=detail)
    except ApiError as error:
        return result(change, Outcome.FAILED, id=kept.id, error=f"{kept.id} was launched, but: {error}")
    replaced = f"replaces {_ids(step.cancels)}" if step.cancels else ""
    detail = "; ".join(filter(None, (replaced, *place.said())))
    held = place.rivals or place.gave_way_to
    return result(change, Outcome.HELD if held else Outcome.DONE, id=kept.id, detail=detail)


def _ids(jobs: Sequence[RemoteJob]) -> str:
    return ", ".join(job.id for job in jobs)


def keep_files(change: Change, act: Act) -> None:
    """What the job starts from is part of what the model is, even after the job has left the specs."""
    for ref in act.resources[change.address].refs:
        entry = act.ledger.entries.get(ref.address)
        if entry is not None and ref.address.kind == "file":
            act.ledger.record(ref.address, used(entry))


class _Launch(Struct, frozen=True):
    """One launch into one slot: what it sends, what the lock shall know of it, under which tokens it went out."""

    change: Change
    slot: str
    step: LaunchStep
    act: Act
    tokens: set[str] = field(default_factory=set)

    @property
    def launched(self) -> tuple[Launched, ...]:
        """What went out, for a service that keeps no metadata."""
        name, sent = self.act.scope.launch_address(self.change.address), Sent.of(self._body({}))
        return tuple(Launched(name, self.slot, token, sent) for token in sorted(self.tokens))

    async def once(self) -> RemoteJob:
        """Create it. After a lost reply the slot is looked up; the create is repeated only where the profile says
        that a look-up proves the absence at once, otherwise LostEffect leaves the intent open."""
        try:
            return await self._create()
        except LostEffect as lost:
            found = await self._found(lost)
            if found is not None:
                self.act.ledger.finish(lost.intent, self._entry(found))
                return found
            profile = self.act.scope.profile
            if profile.settle_seconds > 0 or profile.call_seconds > 0 or not profile.can(Capability.METADATA):
                raise
            self.act.ledger.abandon(lost.intent)
        return await self._create()

    async def _create(self) -> RemoteJob:
        kept = self.act.scope.profile.can(Capability.METADATA)
        target = () if kept else (*Sent.of(self._body({})).as_target(), *sorted(self.step.beside))
        address, slot = self.change.address, self.slot
        return await self.act.effect(address, "launch", self._send, self._entry, launch=slot, target=target)

    async def _send(self, token: str) -> RemoteJob:
        self.tokens.add(token)
        name = self.act.scope.launch_address(self.change.address)
        body = self._body({ADDRESS_KEY: name, LAUNCH_KEY: self.slot, TOKEN_KEY: token})
        job = await self.act.port.create_job(with_token(body, token, self.act.scope.profile))
        return named(job, name, self.slot, token)

    def _body(self, metadata: Mapping[str, str]) -> JsonObject:
        return request_body(
            self.act.resources[self.change.address],
            resources=self.act.resources,
            entries=self.act.ledger.entries,
            profile=self.act.scope.profile,
            metadata=metadata,
        )

    def _entry(self, job: RemoteJob) -> Entry:
        want, resolved = self.act.resources[self.change.address], resolved_values(job)
        if self.step.cancels and not self.act.scope.profile.can(Capability.METADATA):
            resolved[REPLACES] = {old.id: old.metadata.get(LAUNCH_KEY, "") for old in self.step.cancels}
        if self.step.beside:
            resolved[BESIDE] = [*sorted(self.step.beside)]
        return Entry(
            fingerprint=want.fingerprint,
            inputs=want.inputs,
            id=job.id,
            attempt=int(self.slot.rpartition(":")[2]),
            resolved=resolved,
            history=self.step.history,
        )

    async def _found(self, lost: LostEffect) -> RemoteJob | None:
        """The job whose reply was lost. `lost` again where nobody can say yet: the intent stays open."""
        try:
            there = await standing(self.change.address, self.slot, self.act, self.launched)
        except ApiError:
            raise lost from None
        return next((job for job in there.slot if job.metadata.get(TOKEN_KEY) in self.tokens), None)


class _Place(Struct):
    """Who is in the slot after a launch: who stays, which of ours were cancelled, which of ours run and cost already
    (a person has to choose), and which are another's, who cancels them. `gave_way_to` are older ones of nobody knows
    whom, for which ours was cancelled."""

    kept: RemoteJob
    cancelled: list[RemoteJob] = field(default_factory=list)
    rivals: list[RemoteJob] = field(default_factory=list)
    theirs: list[RemoteJob] = field(default_factory=list)
    gave_way_to: list[RemoteJob] = field(default_factory=list)

    def said(self) -> Iterator[str]:
        """In words; nothing where it was launched once, as it should be."""
        if self.rivals:
            yield f"duplicate: {_ids(self.rivals)} runs in the same slot"
        if self.cancelled:
            yield f"it was launched twice: {_ids(self.cancelled)} was cancelled; {self.kept.id} is older and stays"
        if self.theirs:
            yield f"another apply launched {_ids(self.theirs)} in the same slot; {self.kept.id} is older and stays"
        if self.gave_way_to:
            yield (
                f"{_ids(self.gave_way_to)} is older, from the same files with the same settings, and nobody can tell "
                f"whose it is: {self.kept.id} was cancelled"
            )


async def _one_a_slot(step: LaunchStep, job: RemoteJob, sent: _Launch) -> _Place:
    """The oldest launch of the slot stays, and our own later one is cancelled while that is free."""
    change, act = sent.change, sent.act
    now = await standing(change.address, sent.slot, act, sent.launched)
    listed = {j.id: j for j in (*now.slot, job)}  # the list may be stale
    launches = sorted((j for j in listed.values() if j.status not in _BAD_ENDS or j.id == job.id), key=age)
    first = launches[0]
    place = _Place(first)
    for later in launches[1:]:
        if later.metadata.get(TOKEN_KEY) in sent.tokens and later.status.unbilled:
            await act.effect(
                change.address,
                "cancel",
                lambda _, id=later.id: act.port.cancel_job(id),  # type: ignore[misc]
                lambda _: act.ledger.entries.get(change.address),
            )
            place.cancelled.append(later)
        elif not later.status.ended:
            (place.rivals if later.metadata.get(TOKEN_KEY) in sent.tokens else place.theirs).append(later)
    if first.id != job.id:
        entry = act.ledger.entries[change.address]
        act.ledger.record(change.address, replace(entry, id=first.id, resolved=resolved_values(first)))
    others = [one for one in now.alike if one.id not in step.beside and not one.status.ended and one.id != job.id]
    await _give_way(place, others, sent)
    return place


async def _give_way(place: _Place, others: Sequence[RemoteJob], sent: _Launch) -> None:
    """What of nobody appeared at the same moment was launched for the same by another clone, as far as it shows: the
    older stays, and ours is cancelled while that is free."""
    older = [one for one in others if age(one) < age(place.kept)]
    if not older:
        place.theirs += others
    elif place.kept.status.unbilled and place.kept.metadata.get(TOKEN_KEY) in sent.tokens:
        await cancel_one(sent.change, place.kept, sent.act)
        place.gave_way_to = older
    else:
        place.rivals += older
