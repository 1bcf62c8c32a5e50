"""Carry out a plan: in order, concurrently, every step through its kind, failures kept to their dependents.

Adds no decision, reads no reason, prints nothing. Knows plans, not the planner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Final

from msgspec import Struct

from rftplan.address import Address
from rftplan.carrying import Execution, note, told
from rftplan.changes import Action, Change, Plan
from rftplan.errors import LimitedError, LockError
from rftplan.events import Outcome, Result, StepStarted
from rftplan.following import follow
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, result
from rftplan.kinds.steps import MoveStep, RecordStep
from rftplan.queueing import refuse, still_waiting

_LOST: Final = (Outcome.FAILED, Outcome.SKIPPED)


class Executed(Struct, frozen=True):
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
        unsaved = await follow(execution, act, results)
    return Executed(tuple(results[c.address] for c in plan.changes if c.address in results), unsaved)


async def _acted(execution: Execution, act: Act, results: dict[Address, Result]) -> LockError | None:
    act.ledger.queue(execution.plan.waiting)
    try:
        try:
            await _walk(execution, act, results)
            act.ledger.queue(still_waiting(execution, results))
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
            note_silently(act, change.address, change.step)
        if change.closes is not None:
            _close(act, change)
        settled = _without_acting(execution, change, results)
        if settled is None:
            acting.append(change)
        elif change.action is not Action.NOOP:
            note(execution, results, settled)

    async def run(ones: Sequence[Change]) -> None:
        for change in ones:
            async with places:
                note(execution, results, await _step(execution, act, change))

    async with asyncio.TaskGroup() as group:
        for ones in _one_by_one(execution.plan, acting, counted=act.scope.most_running is not None):
            group.create_task(run(ones))
    return bool(acting)


def _one_by_one(plan: Plan, acting: Sequence[Change], *, counted: bool) -> list[list[Change]]:
    """What goes at the same time, and within it in turn: where somebody waited for a place, whoever takes one goes in
    the order of the line, for the service may have fewer than the plan knows of. So it does where places are `counted`:
    somebody may have taken one since, and two that look at the same time would both see the last one free."""
    turns = {address: turn for turn, address in enumerate(plan.line if plan.waiting or counted else ())}
    lined = sorted((c for c in acting if c.address in turns), key=lambda c: turns[c.address])
    others = [[change] for change in acting if change.address not in turns]
    return [lined, *others] if lined else others


def note_silently(act: Act, address: Address, step: RecordStep) -> None:
    """Keep what a NOOP has to say, and close the intent that it answers. Touches no service."""
    intent = act.open_intents.get(address)
    if intent is not None and intent.verb not in ("launch", "upload"):
        act.ledger.finish(intent, step.entry, tombstone=step.tombstone)
    else:
        act.ledger.record(address, step.entry, tombstone=step.tombstone)


def _close(act: Act, change: Change) -> None:
    intent = act.open_intents.get(change.address)
    if intent is None or intent.number != change.closes:
        return
    if change.tombstone is None:
        act.ledger.abandon(intent)
    else:
        act.ledger.finish(intent, act.ledger.entries.get(change.address), tombstone=change.tombstone)


def _without_acting(execution: Execution, change: Change, results: Mapping[Address, Result]) -> Result | None:
    match change.action:
        case Action.NOOP:
            return result(change, Outcome.DONE)
        case Action.DEFER:
            lost = [a for a in change.after if a in results and results[a].outcome in _LOST]
            if lost:  # what it waits for will not come of this apply
                return result(change, Outcome.SKIPPED, detail=f"{', '.join(map(str, lost))} is not done")
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
    if execution.refused and KINDS[change.address.kind].wants_place(change):
        return refuse(execution, change, "the service had no place for those before it")
    execution.on_event(StepStarted(change.address, change.verb))
    if isinstance(change.step, MoveStep):
        return await told(change, _move(change, change.step, act))
    try:
        return await told(change, KINDS[change.address.kind].perform(change, act))
    except LimitedError as limited:
        return refuse(execution, change, str(limited))


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
