"""Carry out a plan: in order, concurrently, every step through its kind, failures kept to their dependents.

Adds no decision, reads no reason, prints nothing. Knows plans, not the planner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from rftplan.address import Address
from rftplan.changes import Action, Change, Plan
from rftplan.errors import ApiError, BusyError, LockError, RejectedError, RftplanError
from rftplan.events import LookFailed, OnEvent, Outcome, Result, StepEnded, StepStarted, WaitStarted
from rftplan.journal import LostEffect
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, MoveStep, RecordStep, result

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stop:
    """Set once by whoever wants to stop: calls in flight end, nothing new begins."""

    event: asyncio.Event

    @property
    def asked(self) -> bool:
        return self.event.is_set()


@dataclass(frozen=True, slots=True)
class Execution:
    """How one plan is carried out. `acting` opens the ledger under the file lock and makes the `Act` for it."""

    plan: Plan
    acting: Callable[[], AbstractContextManager[Act]]
    on_event: OnEvent
    stop: Stop
    parallelism: int
    poll_seconds: float
    sleep: Sleep


@dataclass(frozen=True, slots=True)
class Executed:
    """Every change's result, in the order of the plan. `unsaved` says why the lock could not be written; what was
    done is told all the same, and the journal knows it."""

    results: tuple[Result, ...]
    unsaved: LockError | None = None


async def execute(execution: Execution, *, wait: bool) -> Executed:
    """Carry out the plan. `wait` follows jobs and does what `then` announced. LockError, BusyError and
    RefusedPlanError come before anything is done."""
    plan = execution.plan
    results: dict[Address, Result] = {}
    with execution.acting() as act:
        unsaved = await _acted(execution, act, results)
    if wait and unsaved is None and not execution.stop.asked:
        unsaved = await _follow(execution, act, results)
    return Executed(tuple(results[c.address] for c in plan.changes if c.address in results), unsaved)


async def _acted(execution: Execution, act: Act, results: dict[Address, Result]) -> LockError | None:
    try:
        try:
            await _walk(execution, act, results)
        finally:
            act.ledger.fold()
    except LockError as error:
        return error
    return None


async def _walk(execution: Execution, act: Act, results: dict[Address, Result]) -> None:
    """Level by level; the lock is folded after each."""
    by_address = {change.address: change for change in execution.plan.changes}
    sorter: TopologicalSorter[Address] = TopologicalSorter()
    for change in execution.plan.changes:
        sorter.add(change.address, *(a for a in change.after if a in by_address))
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        acted = await _level(execution, act, [by_address[a] for a in ready], results)
        if acted:
            act.ledger.fold()
        sorter.done(*ready)


async def _level(execution: Execution, act: Act, changes: list[Change], results: dict[Address, Result]) -> bool:
    """Carry out the changes of one level; True if any of them acted."""
    places = asyncio.Semaphore(execution.parallelism)
    acting = []
    for change in changes:
        if isinstance(change.step, RecordStep) and change.action is Action.NOOP:
            _note_silently(act, change.address, change.step)
        if change.closes is not None:
            _close(act, change.address, change.closes)
        settled = _without_acting(execution, change, results)
        if settled is None:
            acting.append(change)
        elif change.action is not Action.NOOP:
            _note(execution, results, settled)

    async def run(change: Change) -> None:
        async with places:
            _note(execution, results, await _step(execution, act, change))

    async with asyncio.TaskGroup() as group:
        for change in acting:
            group.create_task(run(change))
    return bool(acting)


def _note_silently(act: Act, address: Address, step: RecordStep) -> None:
    """Keep what a NOOP has to say, and close the intent that it answers."""
    intent = act.open_intents.get(address)
    if intent is not None and intent.verb not in ("launch", "upload"):
        act.ledger.finish(intent, step.entry, tombstone=step.tombstone)
    else:
        act.ledger.record(address, step.entry, tombstone=step.tombstone)


def _close(act: Act, address: Address, number: int) -> None:
    intent = act.open_intents.get(address)
    if intent is not None and intent.number == number:
        act.ledger.abandon(intent)


def _without_acting(execution: Execution, change: Change, results: Mapping[Address, Result]) -> Result | None:
    match change.action:
        case Action.NOOP:
            return result(change, Outcome.DONE)
        case Action.DEFER:
            return result(change, Outcome.DEFERRED, detail=change.detail)
        case Action.HOLD:
            return result(change, Outcome.HELD, detail=change.detail, evidence=change.evidence)
        case _:
            pass
    stuck = [a for a in change.after if a in results and results[a].outcome is not Outcome.DONE]
    if stuck:
        names = ", ".join(str(a) for a in stuck)
        return result(change, Outcome.SKIPPED, detail=f"{names} is not done")
    return None


async def _step(execution: Execution, act: Act, change: Change) -> Result:
    if execution.stop.asked:
        return result(change, Outcome.SKIPPED, detail="apply was stopped")
    execution.on_event(StepStarted(change.address, change.verb))
    if isinstance(change.step, MoveStep):
        return await _told(change, _move(change, change.step, act))
    return await _told(change, KINDS[change.address.kind].perform(change, act))


async def _told(change: Change, work: Awaitable[Result]) -> Result:
    """What became of it: an unknown fate is not yet a failure, and never told as one."""
    try:
        return await work
    except LostEffect as lost:
        return result(
            change,
            Outcome.DEFERRED,
            detail=f"fate unknown: {lost}; the next apply looks it up before it repeats anything",
        )
    except RftplanError as error:
        hint = f"; {error.hint}" if error.hint else ""
        return result(change, Outcome.FAILED, error=f"{error}{hint}")


async def _move(change: Change, step: MoveStep, act: Act) -> Result:
    """Known under the new address first: a death in between leaves it known twice, never not at all."""
    intent = act.open_intents.get(change.address)
    if intent is not None:
        act.ledger.finish(intent, step.entry, tombstone=intent.launch if intent.verb == "cancel" else None)
    act.ledger.record(step.to, step.entry)
    for launch in step.tombstones:
        act.ledger.record(step.to, step.entry, tombstone=launch)
    act.ledger.record(change.address, None)
    return result(change, Outcome.DONE, id=step.entry.id)


def _note(execution: Execution, results: dict[Address, Result], ended: Result) -> None:
    results[ended.address] = ended
    execution.on_event(StepEnded(ended))


async def _follow(execution: Execution, act: Act, results: dict[Address, Result]) -> LockError | None:
    """Watch the jobs that run until they end, and do then what the plan announced; nothing else.

    `act` is only looked with: the file lock is free while we wait, and taken anew for what follows. A lock that
    cannot be written ends it.
    """
    watched = {c.address: c for c in execution.plan.changes if _watch(c, results)}
    if not watched:
        return None
    execution.on_event(WaitStarted(tuple(sorted(watched))))
    ended: dict[Address, Result] = {}
    said: dict[Address, str] = {}
    while watched and not execution.stop.asked:
        for address in sorted(watched):
            try:
                outcome = await _look(act, watched[address])
            except RejectedError as error:
                _give_up(execution, watched.pop(address), error, results)
                continue
            if outcome is not None:
                ended[address] = outcome
                try:
                    await _after_end(execution, watched[address], outcome, ended, results)
                except LockError as error:
                    return error
                except (ApiError, BusyError) as error:
                    # It has ended, and is looked at again until that is on record; why not yet is said once.
                    if said.get(address) != str(error):
                        execution.on_event(LookFailed(address, str(error)))
                    said[address] = str(error)
                    continue
                del watched[address]
        if watched:
            await _rest(execution)
    return None


async def _rest(execution: Execution) -> None:
    """Until it is time to look again, or somebody wants to stop."""
    sleeping = asyncio.ensure_future(execution.sleep(execution.poll_seconds))
    stopping = asyncio.ensure_future(execution.stop.event.wait())
    _, unfinished = await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)


def _watch(change: Change, results: Mapping[Address, Result]) -> bool:
    if not KINDS[change.address.kind].follows(change):
        return False
    return change.action in (Action.NOOP, Action.DEFER) or results[change.address].outcome is Outcome.DONE


async def _look(act: Act, change: Change) -> Result | None:
    """One look. A service that does not answer now is asked again next time, and said not to answer; one that
    refuses to answer raises RejectedError."""
    try:
        return await KINDS[change.address.kind].poll(change, act)
    except RejectedError:
        raise
    except ApiError as error:
        act.on_event(LookFailed(change.address, str(error)))
        return None


def _give_up(execution: Execution, change: Change, error: RejectedError, results: dict[Address, Result]) -> None:
    """Nobody can tell how it goes on: the key was taken away, or the service knows it no longer."""
    id = results[change.address].id if change.address in results else None
    said = f"it cannot be watched any more: {error}; what became of it is not known here"
    _note(execution, results, result(change, Outcome.FAILED, id=id, error=said))
    for later in execution.plan.changes:
        if change.address in later.after and later.then and later.action is Action.DEFER:
            _note(execution, results, result(later, Outcome.SKIPPED, detail=f"{change.address} cannot be watched"))


async def _after_end(
    execution: Execution,
    change: Change,
    outcome: Result,
    ended: Mapping[Address, Result],
    results: dict[Address, Result],
) -> None:
    """Record how it ended, and carry out the follow-ups that waited for it."""
    with execution.acting() as act:
        try:
            if change.action is Action.DEFER:  # it was waited for on its own account
                _note(execution, results, await _told(change, KINDS[change.address.kind].follow_up(change, act)))
                return
            entry = act.ledger.entries.get(change.address)
            if entry is None or entry.id != outcome.id:
                moved = "somebody else applied in the meantime: run rftplan plan"
                _note(execution, results, replace(outcome, outcome=Outcome.DEFERRED, detail=moved))
                return
            await KINDS[change.address.kind].settle(change, act)
            _note(execution, results, outcome)
            for later in execution.plan.changes:
                if change.address in later.after and later.then and later.action is Action.DEFER:
                    _note(execution, results, await _follow_up(act, later, ended))
        finally:
            act.ledger.fold()


async def _follow_up(act: Act, change: Change, ended: Mapping[Address, Result]) -> Result:
    bad = [a for a in change.after if a in ended and ended[a].outcome is not Outcome.DONE]
    if bad:
        return result(change, Outcome.SKIPPED, detail=f"{bad[0]} did not succeed")
    return await _told(change, KINDS[change.address.kind].follow_up(change, act))
