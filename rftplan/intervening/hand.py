"""One job paused, resumed or cancelled, and its hold set or lifted. Decides nothing about any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, Port, RemoteJob
from rftplan.changes import Hazard
from rftplan.errors import ApiError, NotDoneError, RejectedError
from rftplan.events import Outcome
from rftplan.intervening.meant import Meant
from rftplan.journal import LostEffect
from rftplan.kinds.base import Act
from rftplan.kinds.job.following import with_status
from rftplan.kinds.job.kept import CANCELLED_BY
from rftplan.kinds.job.progress import progress_of
from rftplan.kinds.job.whose_pause import went_on, with_step
from rftplan.lockfile import RELEASED, Entry, Hold


class Command(StrEnum):
    """What a person says to a job."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Touched(Struct, frozen=True):
    """What became of one job, in the service's words for how it stood `before` and `after`. `outcome` SKIPPED: it was
    so already, or has ended. `held`: an apply leaves it alone."""

    id: str
    address: Address | None
    before: str
    after: str
    outcome: Outcome
    held: bool = False
    detail: str = ""
    hint: str | None = None
    simulated: bool = False


_THERE: Final = {
    Command.PAUSE: (JobStatus.PAUSING, JobStatus.PAUSED),
    Command.RESUME: (
        *(JobStatus.RESUMING, JobStatus.RUNNING),
        *(JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING),
    ),
    Command.CANCEL: (JobStatus.CANCELLED,),
}
"""Where each command leads; a job that is there needs none."""
_HELD_AS: Final = {Command.PAUSE: "paused", Command.CANCEL: "cancelled"}
_OURS: Final = {Command.PAUSE: "paused_by", Command.CANCEL: CANCELLED_BY}
_EARLY: Final = (JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.PENDING, JobStatus.RESUMING)


class Hand(Struct, frozen=True):
    """`act` None: the lock cannot be written, and no hold set."""

    command: Command
    port: Port
    act: Act | None
    reason: str
    allowed: frozenset[Hazard]

    async def touch(self, meant: Meant) -> Touched:
        """Do it, or say why not. A hold is written before the call and lifted after it: whoever dies in between, or
        hears no answer, has stopped the next apply."""
        job, before = meant.job, meant.job.raw_status
        entry = self._entry(meant)
        if job.status in _THERE[self.command]:
            gone_on = with_status(entry, job, None) if self.command is Command.RESUME else entry
            self._keep(meant, self._with_hold(gone_on, job))
            return self._told(meant, job, Outcome.SKIPPED, f"it is {before} already")
        if job.status.ended:
            return self._told(meant, job, Outcome.SKIPPED, f"it has ended: {before}")
        if self.command is Command.RESUME and (strange := await self._strange(entry, job)):
            return self._told(meant, job, Outcome.FAILED, f"it {strange}", hint=_ALLOW)
        if self.command is not Command.RESUME:
            self._keep(meant, self._with_hold(entry, job))
        try:
            after = await self._call(meant)
        except (NotDoneError, RejectedError) as error:
            self._keep(meant, entry)
            return self._told(meant, job, Outcome.FAILED, str(error), hint=self._instead(job))
        except ApiError as error:
            return await self._looked_again(meant, error)
        except LostEffect as lost:
            return await self._looked_again(meant, lost.error)
        self._keep(meant, self._lifted(meant))
        if self.command is Command.PAUSE:
            self._keep(meant, await with_step(self.port, self._entry(meant), after))
        return self._told(meant, after, Outcome.DONE)

    def _lifted(self, meant: Meant) -> Entry | None:
        """The entry as it is by now, without the hold that a resume has made untrue."""
        entry = self._entry(meant)
        return self._with_hold(entry, meant.job) if self.command is Command.RESUME else entry

    def _entry(self, meant: Meant) -> Entry | None:
        """What the lock says of the address, if it is of this very job."""
        if self.act is None or meant.address is None:
            return None
        entry = self.act.ledger.entries.get(meant.address)
        return entry if entry is not None and entry.id == meant.job.id else None

    def _keep(self, meant: Meant, entry: Entry | None) -> None:
        if self.act is not None and meant.address is not None and entry is not None:
            self.act.ledger.record(meant.address, entry)

    def _with_hold(self, entry: Entry | None, job: RemoteJob) -> Entry | None:
        """The entry with the hold that the command leaves, or without those that it lifts."""
        if entry is None:
            return None
        if self.command is Command.RESUME:
            return replace(entry, holds=tuple(one for one in entry.holds if one.code != _HELD_AS[Command.PAUSE]))
        hold = Hold(_HELD_AS[self.command], self.reason or "by hand", operator=True)
        others = tuple(one for one in entry.holds if one.code != hold.code)
        return replace(entry, holds=(hold, *others))

    async def _strange(self, entry: Entry | None, job: RemoteJob) -> str:
        """Why the pause is not ours to lift without leave, as part of a sentence; empty if it is."""
        if Hazard.RESUME_AFTER_SERVICE_PAUSE in self.allowed:
            return ""
        if entry is None or entry.resolved.get("paused_by") not in ("us", RELEASED):
            return "was not paused from here"
        with suppress(ApiError):
            return went_on(entry, await progress_of(self.port, job))
        return ""

    async def _call(self, meant: Meant) -> RemoteJob:
        calls: dict[Command, Callable[[str], Awaitable[RemoteJob]]] = {
            Command.PAUSE: self.port.pause_job,
            Command.RESUME: self.port.resume_job,
            Command.CANCEL: self.port.cancel_job,
        }
        call, id, act = calls[self.command], meant.job.id, self.act
        if act is None or meant.address is None or self._entry(meant) is None:
            return await call(id)
        return await act.effect(meant.address, self.command, lambda _: call(id), lambda job: self._now(meant, job))

    def _now(self, meant: Meant, job: RemoteJob) -> Entry | None:
        return with_status(self._entry(meant), job, _OURS.get(self.command))

    async def _looked_again(self, meant: Meant, error: ApiError) -> Touched:
        """The reply was lost: how the job stands says whether it was done."""
        try:
            now = await self.port.get_job(meant.job.id)
        except ApiError:
            now = None
        if now is not None and now.status in _THERE[self.command]:
            self._keep(meant, self._now(meant, now))
            self._keep(meant, self._lifted(meant))
            return self._told(meant, now, Outcome.DONE)
        return self._told(meant, now or meant.job, Outcome.FAILED, f"{error}; it may be done all the same", hint=_AGAIN)

    def _told(
        self, meant: Meant, now: RemoteJob, outcome: Outcome, detail: str = "", *, hint: str | None = None
    ) -> Touched:
        entry = self._entry(meant)
        held = entry is not None and any(hold.operator for hold in entry.holds)
        before = meant.job.raw_status
        return Touched(
            meant.job.id, meant.address, before, now.raw_status, outcome, held, detail, hint, now.simulation is not None
        )

    def _instead(self, job: RemoteJob) -> str | None:
        if self.command is Command.PAUSE and (job.status in _EARLY or job.status is JobStatus.RUNNING):
            return "a job can be paused from its first step on; cancelling one that is queued costs nothing"
        return None


_ALLOW: Final = "look why it is paused; then add --allow resume-after-service-pause"
_AGAIN: Final = "run the command again: it looks first"
