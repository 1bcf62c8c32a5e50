"""Commands that act: apply, destroy. They ask, call and report; the plan decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import Invocation, invocation, parse_selection
from rftplan.cli.reading import ExcludeOption, JsonFlag, RefreshOption, ReplaceOption, TargetOption, TrustOption
from rftplan.errors import UsageError

if TYPE_CHECKING:
    from rftplan.cli.order import Order

YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; hazards need --allow.")]
AllowOption = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="LIST", help="Hazards that --yes may take, with commas between them."),
]
LockTimeoutOption = Annotated[
    str | None,
    typer.Option("--lock-timeout", metavar="TIME", help="Where another acts, wait so long (90s, 5m, 1h)."),
]
ParallelismOption = Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Steps at a time.")]
PlanArgument = Annotated[
    Path | None, typer.Argument(metavar="PLAN", help="A plan that plan --out saved: this, or nothing.")
]
DigestOption = Annotated[
    str | None, typer.Option("--digest", metavar="SHA", help="The digest of PLAN that was reviewed, whole.")
]
DestroyTargetOption = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ADDRESS", help="Only this, and what depends on it. May be repeated."),
]
DestroyExcludeOption = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="ADDRESS", help="All but this, and what it depends on. May be repeated."),
]


def register(app: typer.Typer) -> None:
    for command in (apply, destroy):
        app.command()(command)


def apply(
    context: typer.Context,
    plan: PlanArgument = None,
    digest: DigestOption = None,
    yes: YesFlag = False,
    allow: AllowOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow jobs to their end, then promote.")] = False,
    json: JsonFlag = False,
    parallelism: ParallelismOption = 10,
    lock_timeout: LockTimeoutOption = None,
    replace: ReplaceOption = None,
    target: TargetOption = None,
    exclude: ExcludeOption = None,
    trust_python: TrustOption = False,
    refresh_only: RefreshOption = False,
) -> int:
    """Show the plan, ask, and make it so. What was done is recorded in the lock.

    With PLAN, a file that plan --out saved: exactly that without asking, or nothing if anything moved since.
    """
    from rftplan.cli.order import Order, parse_allowed, parse_seconds
    from rftplan.wiring import real_world, trusting

    run = invocation(context)
    order = Order(
        selection=parse_selection(replace, target, exclude),
        allowed=parse_allowed(allow or ()),
        asks=not yes,
        waits=wait,
        parallelism=parallelism,
        lock_timeout=parse_seconds(lock_timeout),
        json=json,
        world=trusting(real_world()) if trust_python else real_world(),
        refreshes=refresh_only,
    )
    selects = replace or target or exclude
    if refresh_only and (plan or wait or allow or selects):
        raise UsageError("--refresh-only records what is there, and does nothing else", hint="give it alone, or --yes")
    if plan is not None:
        if allow or selects:
            raise UsageError(
                "a saved plan says itself what is allowed, replaced and left out", hint="give that to plan --out"
            )
        order = _of_saved(run, order, plan, digest)
    elif digest is not None:
        raise UsageError("--digest is of a saved plan", hint="rftplan apply PLAN --digest SHA")
    return _carry_out(run, order)


def _of_saved(run: Invocation, order: Order, path: Path, digest: str | None) -> Order:
    """The order that a saved plan is: its selection, its leave, and nothing asked."""
    import shlex

    from msgspec.structs import replace

    from rftplan.cli.plan_files import held_to, read_plan_file
    from rftplan.render.plan_text import saving

    saved = read_plan_file(path)
    review = held_to(saved, digest, run=run, name=str(path))
    again = f"{run.program} {saving(saved.plan)} --out {shlex.quote(str(path))}"
    return replace(order, selection=saved.selection, allowed=saved.allowed, asks=False, review=review, saving=again)


def destroy(
    context: typer.Context,
    yes: YesFlag = False,
    allow: AllowOption = None,
    json: JsonFlag = False,
    parallelism: ParallelismOption = 10,
    lock_timeout: LockTimeoutOption = None,
    target: DestroyTargetOption = None,
    exclude: DestroyExcludeOption = None,
) -> int:
    """End and delete what this lock created.

    Cancels jobs that have not ended, deletes files, revokes permissions, and forgets everything: each is shown,
    and asked about, first. Models, ended jobs, and files that one of them was trained from stay at the service.
    """
    from msgspec.structs import replace

    from rftplan.cli.order import Order, parse_allowed, parse_seconds
    from rftplan.wiring import real_world

    order = Order(
        selection=replace(parse_selection(None, target, exclude), destroy=True),
        allowed=parse_allowed(allow or ()),
        asks=not yes,
        parallelism=parallelism,
        lock_timeout=parse_seconds(lock_timeout),
        json=json,
        world=real_world(),
    )
    return _carry_out(invocation(context), order)


def _carry_out(run: Invocation, order: Order) -> int:
    from rftplan.cli.interrupt import interruptible
    from rftplan.cli.order import carried_out, report
    from rftplan.render.documents import dumped
    from rftplan.render.error_document import declined_document

    with interruptible(run.program) as interrupts:
        if (applied := carried_out(run, order, interrupts)) is not None:
            return report(run, order, applied)
    run.terminal.err("Nothing was done.\n")
    if order.json:
        run.result(dumped(declined_document(exit_code=ExitCode.FAILED)))
    return ExitCode.FAILED
