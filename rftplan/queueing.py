"""Those that wait for a place at the provider while one plan is carried out: who joins them, and who has left.

Launches nothing, asks nobody. The plan said who waits; a service may have fewer places than it knew.
"""

from __future__ import annotations

from collections.abc import Mapping

from rftplan.address import Address
from rftplan.carrying import Execution
from rftplan.changes import Action, Change
from rftplan.events import Outcome, Result
from rftplan.kinds.base import result
from rftplan.kinds.steps import PlaceStep
from rftplan.places import until_place


def refuse(execution: Execution, change: Change, why: str) -> Result:
    """The service had no place: it waits for one, as if the plan had said so."""
    waits = until_place(change, f"{why}; come again when a job has ended")
    execution.refused[change.address] = waits
    return result(change, Outcome.DEFERRED, detail=f"waits for a place: {waits.detail}")


def waits_for_place(change: Change) -> bool:
    return isinstance(change.step, PlaceStep) and change.action is Action.DEFER


def still_waiting(execution: Execution, results: Mapping[Address, Result]) -> tuple[Address, ...]:
    """What the lock shall keep of the order after all was tried: whoever has an object at the service has left."""
    plan = execution.plan
    left = {address for address in plan.line if address in results and results[address].id is not None}
    return tuple(a for a in still_in_line(execution) if (a in plan.waiting or a in execution.refused) and a not in left)


def in_turn(execution: Execution, watched: Mapping[Address, Change]) -> list[Address]:
    """First what runs, for its end may free a place, then who waits for one, in the order of the line."""
    turns = {address: turn for turn, address in enumerate(still_in_line(execution))}
    waiting = [address for address in watched if waits_for_place(watched[address])]
    running = sorted(address for address in watched if address not in waiting)
    return [*running, *sorted(waiting, key=turns.__getitem__)]


def still_in_line(execution: Execution) -> tuple[Address, ...]:
    return tuple(dict.fromkeys((*execution.plan.line, *sorted(execution.refused))))
