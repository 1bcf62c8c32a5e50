"""Commands for 2 a.m.: pause, resume and cancel jobs now, whatever specs and lock say. They ask, call and report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import Invocation, invocation, parse_address
from rftplan.cli.reading import JsonFlag
from rftplan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from rftplan.intervening import Intervention, Meant, Target
    from rftplan.wiring import World

AddressArgument = Annotated[str | None, typer.Argument(metavar="ADDRESS", help="For example job.security-review.")]
IdOption = Annotated[str | None, typer.Option("--id", metavar="ID", help="The job with this id, whoever launched it.")]
AllFlag = Annotated[bool, typer.Option("--all", help="Every job of this project that has not ended.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept with the hold.")]
ResumeAllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", metavar="LIST", help="resume-after-service-pause: resume what was not paused from here, too."
    ),
]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    for command in (pause, resume, cancel):
        app.command()(command)


def pause(
    context: typer.Context,
    address: AddressArgument = None,
    id: IdOption = None,
    everything: AllFlag = False,
    reason: ReasonOption = "",
    json: JsonFlag = False,
) -> int:
    """Pause a job now. Works with broken specs and without a lock; no apply resumes it."""
    from rftplan.intervening import Command, intervene

    run, target = invocation(context), _target(address, id, everything)
    return _told(
        run, _run(run, lambda world: intervene(run.options(), Command.PAUSE, target, reason=reason, world=world)), json
    )


def resume(
    context: typer.Context,
    address: AddressArgument = None,
    id: IdOption = None,
    everything: AllFlag = False,
    allow: ResumeAllowOption = None,
    json: JsonFlag = False,
) -> int:
    """Resume a paused job now, and lift its hold. It is paid for from then on."""
    from rftplan.cli.order import parse_allowed
    from rftplan.intervening import Command, intervene

    run, target = invocation(context), _target(address, id, everything)
    allowed = parse_allowed(allow or ())
    return _told(
        run,
        _run(run, lambda world: intervene(run.options(), Command.RESUME, target, allowed=allowed, world=world)),
        json,
    )


def cancel(
    context: typer.Context,
    address: AddressArgument = None,
    id: IdOption = None,
    everything: AllFlag = False,
    reason: ReasonOption = "",
    yes: YesFlag = False,
    json: JsonFlag = False,
) -> int:
    """End a job now, for good: asks first. Works with broken specs and without a lock; no apply launches it again."""
    from rftplan.intervening import Command, intervene

    run, target = invocation(context), _target(address, id, everything)
    if not yes and not run.terminal.can_ask:
        raise UsageError("there is no terminal to ask on, and a cancelled job cannot be resumed", hint="give --yes")

    def consent(meant: Sequence[Meant]) -> bool:
        return yes or all(one.job.status.ended for one in meant) or run.terminal.ask(_question(meant))

    done = _run(
        run, lambda world: intervene(run.options(), Command.CANCEL, target, reason=reason, consent=consent, world=world)
    )
    return _told(run, done, json)


def _question(meant: Sequence[Meant]) -> str:
    from rftplan.render.escape import visible

    lines = [
        f"{visible(one.job.id)} ({one.address or 'not of this lock'}) is {visible(one.job.raw_status)}" for one in meant
    ]
    which = "it" if len(lines) == 1 else f"all {len(lines)}"
    return "\n".join([*lines, f"Cancel {which}? What was trained is kept; it cannot go on."])


def _target(address: str | None, id: str | None, everything: bool) -> Target:
    from rftplan.intervening import Every, JobId

    if [address is not None, id is not None, everything].count(True) != 1:
        raise UsageError("say which job: its ADDRESS, --id ID, or --all of this project")
    if id is not None:
        return JobId(id)
    if address is None:
        return Every()
    parsed = parse_address(address)
    if parsed.kind != "job":
        raise UsageError(f"{parsed} is not a job", hint="jobs are paused, resumed and cancelled: job.NAME")
    return parsed


def _run(
    run: Invocation, doing: Callable[[World], Coroutine[object, object, Intervention | None]]
) -> Intervention | None:
    """Said on stderr if the service is silent."""
    import asyncio

    from rftplan.wiring import real_world, telling

    with run.listener() as listener:
        return asyncio.run(doing(telling(real_world(), listener)))


def _told(run: Invocation, done: Intervention | None, json: bool) -> int:
    from rftplan.events import Outcome
    from rftplan.render.documents import dumped
    from rftplan.render.error_document import declined_document
    from rftplan.render.intervention_documents import intervention_document
    from rftplan.render.intervention_text import intervention_text

    if done is None:
        run.terminal.err("Nothing was done.\n")
        if json:
            run.result(dumped(declined_document(exit_code=ExitCode.FAILED)))
        return ExitCode.FAILED
    document = intervention_document(done)
    run.result(dumped(document) if json else intervention_text(document, run.look))
    return ExitCode.FAILED if any(job.outcome is Outcome.FAILED for job in done.jobs) else ExitCode.OK
