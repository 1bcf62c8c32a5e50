"""A plan made, shown and carried out: one apply from the specs to the lock. Decides nothing about changes, prints
nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.carrying import Execution, Stop
from rftplan.changes import Action, Change, Plan
from rftplan.errors import BusyError, LockError, RefusedPlanError
from rftplan.evaluations import evaluator
from rftplan.events import LockAwaited, OnEvent, Result, ignore
from rftplan.execution import execute
from rftplan.file_lock import acting_alone, busy, lock_standing
from rftplan.journal import Paths, State, differs
from rftplan.kinds.base import Act
from rftplan.kinds.steps import RecordStep
from rftplan.ledger import Ledger, open_ledger
from rftplan.loading import Loaded, Options
from rftplan.made_from import MadeFrom, made_from
from rftplan.moving import moved_launches
from rftplan.opening import dated, opened, telling
from rftplan.planner import PlanInputs, Selection
from rftplan.planning import allowed_plan, checked_state, plan_inputs
from rftplan.promoted import state_paths
from rftplan.queueing import waits_for_place
from rftplan.wiring import World, connected, real_world

if TYPE_CHECKING:
    from rftplan.api.port import Port

Review = Callable[[Plan, MadeFrom], None]
"""Sees the whole plan before anything else, follow-ups included; raises RefusedPlanError where it is not the one that
was agreed to."""
Consent = Callable[[Plan], bool]
"""Sees the plan and says whether to go on; raises RefusedPlanError when its hazards are not allowed."""


class Applied(Struct, frozen=True):
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
    lock_timeout: float = 0,
    world: World | None = None,
    review: Review | None = None,
) -> Applied | None:
    """Plan, ask, act. None if consent was not given. SpecError, RefusedPlanError, BusyError, LockError.

    Where somebody else acts, it waits for up to `lock_timeout` seconds, and plans on what that one left.
    """
    world = world or real_world()
    stopping = Stop(stop or asyncio.Event())
    until = world.now() + lock_timeout
    while True:
        if lock_timeout:
            await _until_free(state_paths(options.directory, options.lock), until, on_event, stopping, world)
        try:
            return await _apply(options, consent, selection, wait, parallelism, on_event, stopping, world, review)
        except _Overtaken as overtaken:
            if not lock_timeout or world.now() >= until:
                raise overtaken.error from None


class _Overtaken(Exception):
    """Somebody else acts, or has acted since the plan was made. Nothing was done."""

    def __init__(self, error: BusyError | RefusedPlanError) -> None:
        super().__init__(str(error))
        self.error = error


async def _until_free(paths: Paths, until: float, on_event: OnEvent, stop: Stop, world: World) -> None:
    """Until nobody acts. BusyError when that takes too long, KeyboardInterrupt when somebody stops the waiting."""
    told = None
    while (standing := lock_standing(paths)).held:
        if world.now() >= until:
            raise busy(standing)
        if standing.holder != told or told is None:
            on_event(LockAwaited(str(standing.holder or "somebody")))
            told = standing.holder
        await world.sleep(_LOOKS_AGAIN)
        if stop.asked:
            raise KeyboardInterrupt


_LOOKS_AGAIN: Final = 0.5
"""Seconds: whoever acts has calls to make."""


async def _apply(
    options: Options,
    consent: Consent,
    selection: Selection,
    wait: bool,
    parallelism: int,
    on_event: OnEvent,
    stopping: Stop,
    world: World,
    review: Review | None,
) -> Applied | None:
    loaded = opened(options, on_event, world)
    async with AsyncExitStack() as open_until_done:
        with telling(loaded.diagnostics) as told:  # until the plan is shown: what was found is shown with it
            pauses = Pauses(world.now)
            way = connected(loaded, world, on_event=on_event, stop=stopping.event, paused=pauses.heard)
            port = await open_until_done.enter_async_context(way)
            told[:] = await dated(loaded, port)
            inputs, state = await plan_inputs(loaded, port, world, selection, told)
        made = allowed_plan(loaded, inputs)
        if review is not None:
            review(made, made_from(loaded))
        made = made if wait else made.without_follow_ups()
        if (made.acts or made.hazards() or any(map(waits_for_place, made.changes))) and not consent(made):
            return None
        if not wait and not _writes(made, state) and not differs(state, loaded.lock):
            return Applied(made, (), port.requests, stopping.asked)
        scope = replace(inputs.scope, lineage=made.lineage or inputs.scope.lineage)
        inputs, doing = replace(inputs, scope=scope), _command(selection)
        execution = Execution(
            plan=made.without_left_out(),
            acting=pauses.noted_by(
                acting_on(loaded, port, world, inputs, state, on_event, doing, stopped=stopping.event.is_set)
            ),
            on_event=on_event,
            stop=stopping,
            parallelism=parallelism,
            poll_seconds=loaded.profile.poll_seconds,
            sleep=world.sleep,
        )
        try:
            done = await execute(execution, wait=wait)
        except (BusyError, RefusedPlanError) as error:
            raise _Overtaken(error) from None
        return Applied(made, done.results, port.requests, stopping.asked, done.unsaved)


class Pauses(Struct, eq=False):
    """Tells the journal of every wait that the service asks for: what waits for its turn goes out after it, and is not
    over when its time is counted from when it began."""

    now: Callable[[], float]
    ledger: Ledger | None = None

    def heard(self, seconds: float) -> None:
        if self.ledger is not None:
            self.ledger.goes_on(until=self.now() + seconds)

    def noted_by(self, acting: Callable[[], AbstractContextManager[Act]]) -> Callable[[], AbstractContextManager[Act]]:
        @contextmanager
        def noted() -> Iterator[Act]:
            with acting() as act:
                self.ledger = act.ledger
                try:
                    yield act
                finally:
                    self.ledger = None

        return noted


def never() -> bool:
    """Nobody stops it."""
    return False


def _command(selection: Selection) -> str:
    return "destroy" if selection.destroy else "apply"


def _writes(made: Plan, state: State) -> bool:
    return made.acts or made.waiting != state.waiting or any(_notes(change) for change in made.changes)


def _notes(change: Change) -> bool:
    """Whether lock or journal shall know something more, although nothing is done."""
    return change.closes is not None or (change.action is Action.NOOP and isinstance(change.step, RecordStep))


def acting_on(
    loaded: Loaded,
    port: Port,
    world: World,
    inputs: PlanInputs,
    planned: State,
    on_event: OnEvent,
    doing: str = "apply",
    *,
    stopped: Callable[[], bool] = never,
) -> Callable[[], AbstractContextManager[Act]]:
    """How to begin acting: take the file lock, and refuse if the state moved since it was planned on. `doing` is the
    command, as whoever comes meanwhile is told."""
    expected: list[State | None] = [planned]
    lineages: list[str] = []

    @contextmanager
    def acting() -> Iterator[Act]:
        before = expected.pop() if expected else None
        with acting_alone(loaded.paths, doing):
            if before is not None:
                refuse_moved(checked_state(loaded, world), before)
            ledger = open_ledger(
                loaded.paths,
                loaded.identity,
                project=loaded.project,
                now=world.now,
                new_lineage=lambda: inputs.scope.lineage,
            )
            if before is None:
                ledger.require_lineage(lineages[0])
            lineages.append(ledger.lineage)
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
                evaluate=evaluator(loaded, port, world, stopped),
            )
            try:
                yield act
            finally:
                ledger.close()

    return acting


def refuse_moved(now: State, planned: State) -> None:
    """RefusedPlanError if lock and journal are not what was planned on."""
    same = (now.entries, now.tombstones, now.intents, now.waiting) == (
        planned.entries,
        planned.tombstones,
        planned.intents,
        planned.waiting,
    )
    if not same:
        raise RefusedPlanError(
            "somebody else applied while this plan was being looked at", hint="run rftplan apply again"
        )
