"""One apply from consent to exit code. Shows, asks and reports; decides nothing about changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rftplan import project
from rftplan.api.port import JobStatus
from rftplan.changes import Drift, Hazard, Plan, Reason
from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import Invocation
from rftplan.errors import LockError, StoppedError, UsageError
from rftplan.events import Event, Hashed, OnEvent, Outcome
from rftplan.kinds.job.kept import status_in
from rftplan.planner import Selection
from rftplan.render.apply_text import apply_text, closing_text
from rftplan.render.documents import Command, apply_document, dumped, finding_document
from rftplan.render.plan_documents import plan_document
from rftplan.render.plan_text import proposal_text
from rftplan.render.shapes import ApplyDocument, ResultDocument
from rftplan.render.text import error_text
from rftplan.safety import refuse_unallowed

if TYPE_CHECKING:
    from rftplan.cli.interrupt import Interrupts
    from rftplan.cli.live import Listener
    from rftplan.lockfile import Entry, Lock
    from rftplan.project import Applied, Consent, Review
    from rftplan.promoted import Promoted
    from rftplan.wiring import World


class Order(Struct, frozen=True, kw_only=True):
    """What a person asked an apply to do, and how."""

    selection: Selection
    allowed: frozenset[Hazard]
    asks: bool
    waits: bool = False
    parallelism: int
    lock_timeout: float = 0
    json: bool
    world: World
    refreshes: bool = False
    """Only what is there is recorded."""
    review: Review | None = None
    """What holds it to a saved plan."""
    saving: str | None = None
    """The command that saves that plan."""


def parse_allowed(lists: Iterable[str]) -> frozenset[Hazard]:
    """`spend,delete` as hazards; UsageError for a word that is none."""
    words = {word.strip() for each in lists for word in each.split(",")} - {""}
    known = {hazard.value: hazard for hazard in Hazard}
    if unknown := sorted(words - known.keys()):
        raise UsageError(f'--allow does not know "{unknown[0]}"', hint=f"it knows {', '.join(known)}")
    return frozenset(known[word] for word in words)


_TIME: Final = re.compile(r"(\d{1,6})(s|m|h)?\Z")
_SECONDS: Final = {None: 1, "s": 1, "m": 60, "h": 3600}


def parse_seconds(text: str | None) -> float:
    """`90s`, `5m`, `1h` or `90` in seconds, 0 for None; UsageError for anything else."""
    if text is None:
        return 0
    found = _TIME.match(text)
    if found is None:
        raise UsageError(f'--lock-timeout does not understand "{text}"', hint="write 90s, 5m or 1h")
    return float(int(found[1]) * _SECONDS[found[2]])


def carried_out(run: Invocation, order: Order, interrupts: Interrupts) -> Applied | None:
    """Plan, ask, act. None if the answer was no; UsageError if there is nobody to ask."""
    if order.asks and not run.terminal.can_ask:
        raise UsageError(
            "there is no terminal to ask on, and nothing is done without a yes",
            hint=f"look with {run.program} plan, then give --yes (and --allow for the hazards it lists)",
        )
    try:
        return asyncio.run(_act(run, order, interrupts))
    except StoppedError:  # while the plan was made: nothing was begun that had to end in good order
        raise KeyboardInterrupt from None


async def _act(run: Invocation, order: Order, interrupts: Interrupts) -> Applied | None:
    with run.listener() as listener, interrupts.stopping(listener) as stop:
        on_event = _stoppable(listener, stop)
        if order.refreshes:
            consent = _consent(run, order, listener, stop)
            return await project.refresh(run.options(), consent=consent, on_event=on_event, world=order.world)
        return await project.apply(
            run.options(),
            consent=_consent(run, order, listener, stop),
            selection=order.selection,
            wait=order.waits,
            parallelism=order.parallelism,
            lock_timeout=order.lock_timeout,
            on_event=on_event,
            stop=stop,
            world=order.world,
            review=order.review,
        )


def _stoppable(listener: Listener, stop: asyncio.Event) -> OnEvent:
    """Hears everything. Files are read while the plan is made: nothing is begun yet that has to end in good order."""

    def heard(event: Event) -> None:
        if stop.is_set() and isinstance(event, Hashed):
            raise KeyboardInterrupt
        listener(event)

    return heard


def _consent(run: Invocation, order: Order, listener: Listener, stop: asyncio.Event) -> Consent:
    """Asked for plans that act; all others go on without."""

    def consent(plan: Plan) -> bool:
        listener.close()
        if stop.is_set():
            raise KeyboardInterrupt  # while the plan was made: nothing was begun that had to end in good order
        _show(run, order, plan)
        if order.asks:
            return run.terminal.ask("Apply this plan?")
        refuse_unallowed(plan, order.allowed, saving=order.saving)
        return True

    return consent


def _show(run: Invocation, order: Order, plan: Plan) -> None:
    """Findings and the plan; with --json the plan goes where progress goes, for stdout has one document."""
    document = plan_document(plan, allowed=order.allowed)
    run.findings(document["diagnostics"])
    if order.json:
        run.terminal.err(proposal_text(document, run.look_err) + "\n")
    else:
        run.result(proposal_text(document, run.look) + "\n")


def report(run: Invocation, order: Order, applied: Applied) -> int:
    """Print what became of it and say it in an exit code."""
    lock, outputs = _known(run, applied)
    document = apply_document(
        applied.plan,
        applied.results,
        requests=applied.requests,
        interrupted=applied.interrupted,
        outputs=outputs,
        running=still_running(lock, applied.plan.drift),
        ended=ended_badly(lock),
        unsaved=applied.unsaved,
        command=Command.DESTROY if order.selection.destroy else Command.APPLY,
    )
    if not applied.plan.acts:
        run.findings(map(finding_document, applied.plan.diagnostics))
    if run.terminal.live:
        run.terminal.err("\n")
    told = closing_text if run.terminal.shows_lines_with_results else apply_text
    run.result(dumped(document) if order.json else told(document, run.look))
    if applied.unsaved is not None:
        run.terminal.err(error_text(str(applied.unsaved), applied.unsaved.hint, run.look_err))
        return ExitCode.FAILED
    if applied.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.FAILED if needs_a_person(document, lock) else ExitCode.OK


def _known(run: Invocation, applied: Applied) -> tuple[Lock | None, Mapping[str, Promoted]]:
    """What is known now, and promoted; nothing where the lock became unreadable meanwhile: `unsaved` says so."""
    try:
        return project.state(run.options()), project.outputs(run.options())
    except LockError:
        if applied.unsaved is None:
            raise
        return None, {}


def still_running(lock: Lock | None, drift: Sequence[Drift]) -> tuple[str, ...]:
    """The jobs that train, or are about to: they go on without us. By what the lock knows, and what the plan saw of
    others' doing."""
    still = (JobStatus.PAUSED, JobStatus.PAUSING, JobStatus.UNKNOWN)
    statuses = {at: status_in(one) for at, one in (lock.resources if lock else {}).items() if at.kind == "job"}
    for one in drift:
        for field in one.fields:
            if field.path == "status" and statuses.get(one.address) == field.before:
                statuses[one.address] = JobStatus(str(field.after))
    return tuple(str(at) for at, status in sorted(statuses.items()) if not status.ended and status not in still)


def ended_badly(lock: Lock | None) -> dict[str, str]:
    """The jobs that the lock knows to have failed or been cancelled: id and status."""
    entries = [entry for address, entry in (lock.resources.items() if lock else ()) if address.kind == "job"]
    statuses = [(entry.id, status_in(entry)) for entry in entries]
    return {id: status.value for id, status in statuses if id and status in (JobStatus.FAILED, JobStatus.CANCELLED)}


def needs_a_person(document: ApplyDocument, lock: Lock | None) -> bool:
    """Whether something failed or is held, but for holds that an operator set."""
    entries = {str(address): entry for address, entry in (lock.resources if lock else {}).items()}
    return any(
        result["outcome"] == Outcome.FAILED
        or (result["outcome"] == Outcome.HELD and not _held_by_operator(result, entries))
        for result in document["results"]
    )


def _held_by_operator(result: ResultDocument, entries: Mapping[str, Entry]) -> bool:
    entry = entries.get(result["address"])
    holds = entry.holds if entry else ()
    return result.get("reason") == Reason.HELD and bool(holds) and all(hold.operator for hold in holds)
