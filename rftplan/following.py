"""Follow the jobs of a plan that was carried out, and do what it announced for when they end; nothing else.

Adds no decision, reads no reason, prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

from rftplan.address import Address
from rftplan.carrying import Execution, note, told
from rftplan.changes import Action, Change
from rftplan.errors import ApiError, BusyError, LockError, RejectedError, StoppedError
from rftplan.events import LookFailed, Outcome, Result, WaitStarted
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, result


async def follow(execution: Execution, act: Act, results: dict[Address, Result]) -> LockError | None:
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
    except StoppedError:
        return None
    except ApiError as error:
        act.on_event(LookFailed(change.address, str(error)))
        return None


def _give_up(execution: Execution, change: Change, error: RejectedError, results: dict[Address, Result]) -> None:
    """Nobody can tell how it goes on: the key was taken away, or the service knows it no longer."""
    id = results[change.address].id if change.address in results else None
    said = f"it cannot be watched any more: {error}; what became of it is not known here"
    note(execution, results, result(change, Outcome.FAILED, id=id, error=said))
    for later in _announced(execution, change.address, results):
        note(execution, results, result(later, Outcome.SKIPPED, detail=f"{change.address} cannot be watched"))


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
                note(execution, results, await told(change, KINDS[change.address.kind].follow_up(change, act)))
                return
            entry = act.ledger.entries.get(change.address)
            if entry is None or entry.id != outcome.id:
                moved = "somebody else applied in the meantime: run rftplan plan"
                note(execution, results, replace(outcome, outcome=Outcome.DEFERRED, detail=moved))
                return
            await KINDS[change.address.kind].settle(change, act)
            note(execution, results, outcome)
            for later in _announced(execution, change.address, results):
                note(execution, results, await _follow_up(act, later, ended))
        finally:
            act.ledger.fold()


def _announced(execution: Execution, address: Address, results: Mapping[Address, Result]) -> Iterator[Change]:
    """What was announced for the end of that job; where something was to be done before, only if it was done."""
    for later in execution.plan.changes:
        done = later.address in results and results[later.address].outcome is Outcome.DONE
        if later.follows(address) and (done or later.action is Action.DEFER):
            yield later


async def _follow_up(act: Act, change: Change, ended: Mapping[Address, Result]) -> Result:
    bad = [a for a in (*change.after, *change.awaits) if a in ended and ended[a].outcome is not Outcome.DONE]
    if bad:
        return result(change, Outcome.SKIPPED, detail=f"{bad[0]} did not succeed")
    return await told(change, KINDS[change.address.kind].follow_up(change, act))
