"""Follow the jobs of a plan that was carried out, and do what it announced for when they end; nothing else.

Adds no decision, reads no reason, prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.carrying import Execution, note, told
from rftplan.changes import Action, Change
from rftplan.errors import ApiError, BusyError, LimitedError, LockError, RejectedError, StoppedError
from rftplan.events import LookFailed, Outcome, Result, StepStarted, WaitStarted
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, result
from rftplan.kinds.steps import PlaceStep
from rftplan.queueing import in_turn, waits_for_place


async def follow(execution: Execution, act: Act, results: dict[Address, Result]) -> LockError | None:
    """Watch the jobs that run until they end, and do then what the plan announced; nothing else. What waits for a
    place is begun when one is free, in the order of the line, and watched from then on.

    `act` is only looked with: the file lock is free while we wait, and taken anew for what follows. A lock that
    cannot be written ends it.
    """
    planned = (execution.refused.get(c.address, c) for c in execution.plan.changes)
    watched = {c.address: c for c in planned if _watch(c, results)}
    if not watched:
        return None
    execution.on_event(WaitStarted(tuple(sorted(watched))))
    following = _Following(execution, watched, results, dict.fromkeys(watched, act))
    while watched and not execution.stop.asked:
        try:
            await _round(following)
        except LockError as error:
            return error
        if watched:
            await _rest(execution)
    return None


class _Following(Struct):
    """What is watched, each with what it is looked at with, and what has become of it. `said` is the last thing that
    kept an end from being recorded. `most` run at a time as far as the service's refusals tell; None: worth a try."""

    execution: Execution
    watched: dict[Address, Change]
    results: dict[Address, Result]
    acts: dict[Address, Act]
    ended: dict[Address, Result] = field(default_factory=dict)
    said: dict[Address, str] = field(default_factory=dict)
    most: int | None = None


async def _round(following: _Following) -> None:
    """One look at everything. Where there is no place for the first that waits, there is none for those behind it."""
    full, watched = False, following.watched
    for address in in_turn(following.execution, watched):
        change, act = watched[address], following.acts[address]
        if waits_for_place(change):
            full = full or not await _begun(following, change, act)
            continue
        try:
            outcome = await _look(act, change)
        except RejectedError as error:
            _give_up(following.execution, watched.pop(address), error, following.results)
            continue
        if outcome is not None and await _ended(following, change, outcome):
            del watched[address]
            following.most = None


async def _ended(following: _Following, change: Change, outcome: Result) -> bool:
    """Record the end and do what follows; False where that has to be tried again."""
    address, execution = change.address, following.execution
    following.ended[address] = outcome
    try:
        await _after_end(execution, change, outcome, following.ended, following.results)
    except (ApiError, BusyError) as error:
        # It has ended, and is looked at again until that is on record; why not yet is said once.
        if following.said.get(address) != str(error):
            execution.on_event(LookFailed(address, str(error)))
        following.said[address] = str(error)
        return False
    return True


async def _begun(following: _Following, change: Change, act: Act) -> bool:
    """Begin what waits for a place, if one is free; False if not, and then nobody behind it is tried either."""
    address, execution = change.address, following.execution
    try:
        if not await _is_free(following, act):
            return False
        begun = await _begin(execution, change, act, following.results)
    except (ApiError, BusyError) as error:
        if following.said.get(address) != str(error):
            execution.on_event(LookFailed(address, str(error)))
        following.said[address] = str(error)
        return False
    if begun is None:
        following.most = await KINDS[address.kind].places_taken(act.port)
        return False
    following.acts[address] = begun
    assert isinstance(change.step, PlaceStep)
    following.watched[address] = change.step.change
    if following.results[address].outcome is not Outcome.DONE:
        del following.watched[address]
        _skip_after(execution, address, f"{address} is not done", following.results)
    return True


async def _is_free(following: _Following, act: Act) -> bool:
    """By what the policy says and by what the service refused, whichever is less. Where nobody runs, one is free."""
    limits = [most for most in (act.scope.most_running, following.most) if most is not None]
    if not limits:
        return True
    taken = await KINDS["job"].places_taken(act.port)
    return taken == 0 or taken < min(limits)


async def _begin(execution: Execution, change: Change, looked: Act, results: dict[Address, Result]) -> Act | None:
    """Carry out what waited, and what it is looked at with from then on; None if the service has no place after all."""
    assert isinstance(change.step, PlaceStep)
    address, begun = change.address, change.step.change
    with execution.acting() as act:
        try:
            if act.ledger.entries.get(address) != looked.ledger.entries.get(address):
                moved = "somebody else applied in the meantime: run rftplan plan"
                note(execution, results, result(change, Outcome.DEFERRED, detail=moved))
                return act
            execution.on_event(StepStarted(address, begun.verb))
            note(execution, results, await told(begun, KINDS[address.kind].perform(begun, act)))
            act.ledger.queue(one for one in act.ledger.waiting if one != address)
            return act
        except LimitedError:
            return None
        finally:
            act.ledger.fold()


async def _rest(execution: Execution) -> None:
    """Until it is time to look again, or somebody wants to stop."""
    sleeping = asyncio.ensure_future(execution.sleep(execution.poll_seconds))
    stopping = asyncio.ensure_future(execution.stop.event.wait())
    _, unfinished = await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)


def _watch(change: Change, results: Mapping[Address, Result]) -> bool:
    if waits_for_place(change):
        return results[change.address].outcome is Outcome.DEFERRED
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
    _skip_after(execution, change.address, f"{change.address} cannot be watched", results)


def _skip_after(execution: Execution, address: Address, why: str, results: dict[Address, Result]) -> None:
    """What was announced for when it ends, and will not come of this apply."""
    for later in _announced(execution, address, results):
        note(execution, results, result(later, Outcome.SKIPPED, detail=why))


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
            note(execution, results, KINDS[change.address.kind].told(change, outcome, entry))
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
