"""What a crash left open: what is known of it at the service, and what of it can be settled now.

Writes down what is certain. Launches, uploads, pauses and cancels nothing: that is for an apply.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from rftplan.address import Address
from rftplan.amending import known_state
from rftplan.applying import acting_on
from rftplan.changes import Action, Change
from rftplan.errors import RftplanError, SpecError
from rftplan.events import ignore
from rftplan.execution import note_silently
from rftplan.journal import Intent, Trace
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, OpenIntent
from rftplan.kinds.file.spec import AdoptStep as AdoptFile
from rftplan.kinds.job.steps import AdoptStep as AdoptJob
from rftplan.kinds.steps import RecordStep
from rftplan.loading import Options
from rftplan.opening import dated, opened
from rftplan.planner import PlanInputs, Selection, make_plan
from rftplan.planning import plan_inputs
from rftplan.subject import read_subject
from rftplan.wiring import World, connected, real_world


class Fate(StrEnum):
    """What became of an open effect."""

    RECORDED = "recorded"
    """It was done, and the lock has what came of it now."""
    NOT_DONE = "not-done"
    """It certainly was not done; whoever applies next may do it."""
    FOR_APPLY = "for-apply"
    """The next apply settles it, for something has to be done about it."""
    OPEN = "open"
    """Nobody can say yet."""


class Recovered(Struct, frozen=True):
    """One effect that was begun and of whose end the journal knew nothing. `at` is in seconds since the epoch, `id`
    and `state` are what was found at the service. `settles_in`: in so many seconds a look-up proves something;
    `next_verb` is what the next apply does about it."""

    address: Address
    verb: str
    at: float
    fate: Fate
    id: str | None = None
    state: str | None = None
    detail: str = ""
    settles_in: int | None = None
    next_verb: str | None = None


class Recovery(Struct, frozen=True):
    """Every effect that was open, oldest first. `unasked` says why the service was not asked."""

    effects: tuple[Recovered, ...]
    requests: int = 0
    unasked: RftplanError | None = None


async def recover(options: Options, *, world: World | None = None) -> Recovery:
    """Look at every open effect, and settle what can be. BusyError where an apply is going on: its effects are open,
    and not lost. With specs that cannot be planned it only lists them."""
    world = world or real_world()
    subject = read_subject(options, world.today())
    new = subject.damage is None and (subject.state is None or subject.state.new)
    open_now = [] if new else sorted(known_state(subject).intents.values(), key=lambda one: one.number)
    if not open_now:
        return Recovery(())
    try:
        loaded = opened(options, ignore, world)
    except SpecError as error:
        return Recovery(tuple(Recovered(i.address, i.verb, i.at, Fate.OPEN) for i in open_now), unasked=error)
    async with connected(loaded, world) as port:
        await dated(loaded, port)
        inputs, state = await plan_inputs(loaded, port, world, Selection())
        changes = {change.address: change for change in make_plan(inputs).changes}
        with acting_on(loaded, port, world, inputs, state, ignore, "recover")() as act:
            told = [await _settled(intent, act, inputs, changes, world.now()) for intent in open_now]
            act.ledger.fold()
        return Recovery(tuple(told), port.requests)


async def _settled(
    intent: Intent, act: Act, inputs: PlanInputs, changes: Mapping[Address, Change], now: float
) -> Recovered:
    """Settle one effect as far as it is certain. An effect before the newest of its address is told as it stands."""
    address = next((a for a, one in inputs.intents.items() if one.intent.number == intent.number), None)
    if address is None:
        return Recovered(intent.address, intent.verb, intent.at, Fate.FOR_APPLY, detail="a later effect decides")
    open_, change = inputs.intents[address], changes.get(address)
    trace = KINDS[address.kind].trace(inputs.snapshot.get(address), open_, inputs.graph.resources.get(address))
    fate = await _fate(open_, trace, act, change)
    settles_in = _seconds_left(open_, inputs, now) if fate is Fate.OPEN else None
    detail = change.detail if change is not None and fate in (Fate.OPEN, Fate.FOR_APPLY) else ""
    verb = change.verb if change is not None and fate is Fate.FOR_APPLY and change.action.acts else None
    return Recovered(address, intent.verb, intent.at, fate, trace.id, trace.state, detail, settles_in, verb)


async def _fate(open_: OpenIntent, trace: Trace, act: Act, change: Change | None) -> Fate:
    if change is None:
        return Fate.FOR_APPLY
    if trace.nothing or change.closes == open_.intent.number:
        act.ledger.abandon(act.open_intents[change.address])
        return Fate.NOT_DONE
    if _only_records(change):
        await KINDS[change.address.kind].perform(change, act)
        return Fate.RECORDED
    if change.action is Action.NOOP and isinstance(change.step, RecordStep):
        note_silently(act, change.address, change.step)
    still = any(one.number == open_.intent.number for one in act.ledger.intents)
    if not still:
        return Fate.RECORDED
    return Fate.OPEN if change.action is Action.DEFER else Fate.FOR_APPLY


def _only_records(change: Change) -> bool:
    """An adoption that does nothing at the service."""
    match change.step:
        case AdoptFile():
            return True
        case AdoptJob(cancels=cancels):
            return not cancels
        case _:
            return False


def _seconds_left(open_: OpenIntent, inputs: PlanInputs, now: float) -> int:
    """Until a look-up that finds nothing proves something."""
    profile, intent = inputs.scope.profile, open_.intent
    return max(0, math.ceil(intent.over_by(profile.call_seconds) + profile.settle_seconds - now))
