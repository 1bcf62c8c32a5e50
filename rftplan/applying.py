"""A plan made, shown and carried out: one apply from the specs to the lock. Decides nothing about changes, prints
nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rftplan.carrying import Execution, Stop
from rftplan.changes import Action, Change, Plan
from rftplan.errors import LockError, RefusedPlanError
from rftplan.events import OnEvent, Result, ignore
from rftplan.execution import execute
from rftplan.journal import State
from rftplan.kinds.base import Act, RecordStep
from rftplan.ledger import open_ledger
from rftplan.loading import Loaded, Options
from rftplan.made_from import MadeFrom, made_from
from rftplan.moving import moved_launches
from rftplan.opening import dated, opened, telling
from rftplan.patience import patience_of
from rftplan.planner import PlanInputs, Selection, make_plan
from rftplan.planning import checked_state, plan_inputs
from rftplan.wiring import World, acting_alone, connected, real_world

if TYPE_CHECKING:
    from rftplan.api.port import Port

Review = Callable[[Plan, MadeFrom], None]
"""Sees the whole plan before anything else, follow-ups included; raises RefusedPlanError where it is not the one that
was agreed to."""
Consent = Callable[[Plan], bool]
"""Sees the plan and says whether to go on; raises RefusedPlanError when its hazards are not allowed."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. `interrupted`: somebody stopped it; the rest was not tried. `unsaved`: why what was
    done could not be written into the lock; the journal knows it."""

    plan: Plan
    results: tuple[Result, ...]
    requests: int
    interrupted: bool
    unsaved: LockError | None = None


async def apply(
    options: Options,
    *,
    consent: Consent,
    selection: Selection = Selection(),
    wait: bool = False,
    parallelism: int = 10,
    on_event: OnEvent = ignore,
    stop: asyncio.Event | None = None,
    world: World | None = None,
    review: Review | None = None,
) -> Applied | None:
    """Plan, ask, act. None if consent was not given. SpecError, RefusedPlanError, BusyError, LockError."""
    world = world or real_world()
    loaded = opened(options, on_event, world)
    stopping = Stop(stop or asyncio.Event())
    patience = patience_of(world, on_event, stopping.event)
    async with AsyncExitStack() as open_until_done:
        with telling(loaded.diagnostics) as told:  # until the plan is shown: what was found is shown with it
            port = await open_until_done.enter_async_context(connected(loaded, world, patience=patience))
            told[:] = await dated(loaded, port)
            inputs, state = await plan_inputs(loaded, port, world, selection, told)
        made = make_plan(inputs)
        if review is not None:
            review(made, made_from(loaded))
        made = made if wait else made.without_follow_ups()
        if (made.acts or made.hazards()) and not consent(made):
            return None
        if not wait and not _writes(made):
            return Applied(made, (), port.requests, stopping.asked)
        scope = replace(inputs.scope, lineage=made.lineage or inputs.scope.lineage)
        execution = Execution(
            plan=made,
            acting=_acting(loaded, port, world, replace(inputs, scope=scope), state, on_event),
            on_event=on_event,
            stop=stopping,
            parallelism=parallelism,
            poll_seconds=loaded.profile.poll_seconds,
            sleep=world.sleep,
        )
        done = await execute(execution, wait=wait)
        return Applied(made, done.results, port.requests, stopping.asked, done.unsaved)


def _writes(made: Plan) -> bool:
    return made.acts or any(_notes(change) for change in made.changes)


def _notes(change: Change) -> bool:
    """Whether lock or journal shall know something more, although nothing is done."""
    return change.closes is not None or (change.action is Action.NOOP and isinstance(change.step, RecordStep))


def _acting(
    loaded: Loaded, port: Port, world: World, inputs: PlanInputs, planned: State, on_event: OnEvent
) -> Callable[[], AbstractContextManager[Act]]:
    """How to begin acting: take the file lock, and refuse if the state moved since it was planned on."""
    expected: list[State | None] = [planned]

    @contextmanager
    def acting() -> Iterator[Act]:
        before = expected.pop() if expected else None
        with acting_alone(loaded.paths):
            if before is not None:
                _refuse_moved(checked_state(loaded, world), before)
            ledger = open_ledger(
                loaded.paths,
                loaded.identity,
                project=loaded.project,
                now=world.now,
                new_lineage=lambda: inputs.scope.lineage,
            )
            intents = moved_launches(ledger.intents, loaded.moves, inputs.entries)
            act = Act(
                port=port,
                scope=inputs.scope,
                ledger=ledger,
                resources=loaded.graph.resources,
                new_token=world.new_id,
                data_path=loaded.data_paths.__getitem__,
                on_event=on_event,
                open_intents={intent.address: intent for intent in intents},
            )
            try:
                yield act
            finally:
                ledger.close()

    return acting


def _refuse_moved(now: State, planned: State) -> None:
    same = (now.entries, now.tombstones, now.intents) == (
        planned.entries,
        planned.tombstones,
        planned.intents,
    )
    if not same:
        raise RefusedPlanError(
            "somebody else applied while this plan was being looked at", hint="run rftplan apply again"
        )
