"""Commands that look at jobs: watch, events, metrics, checkpoints, samples. They change nothing; where the lock knows
the job, broken specs do not matter."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.intervening import AddressArgument, IdOption
from rftplan.cli.invocation import Invocation, invocation, parse_address
from rftplan.cli.reading import JsonFlag
from rftplan.errors import RftplanError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import TypeVar

    from rftplan.cli.watch_view import WatchView
    from rftplan.monitor import Facts
    from rftplan.render.look import Look
    from rftplan.watching import Target, Watched
    from rftplan.watching.looking import Tell
    from rftplan.wiring import World

    T = TypeVar("T")

AddressesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ADDRESS", help="Jobs, for example job.security-review; all if none.")
]
IdsOption = Annotated[
    list[str] | None, typer.Option("--id", metavar="ID", help="The job with this id, whoever launched it.")
]
LimitOption = Annotated[int, typer.Option(min=1, metavar="N", help="The newest so many.")]


class Format(StrEnum):
    """How `metrics` writes."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    for command in (watch, events, metrics, checkpoints, samples):
        app.command()(command)


def watch(
    context: typer.Context, addresses: AddressesArgument = None, id: IdsOption = None, json: JsonFlag = False
) -> int:
    """Watch jobs until they end: rewards, tokens, errors of graders, time, money, checkpoints. Ctrl-C stops watching,
    and no job.

    Without an ADDRESS, every job of the project that is active. At a terminal a live view, elsewhere a line for each
    piece of news; with --json a document a line.
    """
    from rftplan.watching import JobId

    run = invocation(context)
    targets = [*map(_job_address, addresses or ()), *map(JobId, id or ())]
    if not json:
        return _watched(run, targets, json=False)
    try:
        return _watched(run, targets, json=True)
    except RftplanError as error:
        return _streamed_end(run, error)


def _watched(run: Invocation, targets: Sequence[Target], *, json: bool) -> int:
    from rftplan.cli.interrupt import run_cancellable
    from rftplan.cli.watch_view import BlocksView, DocumentsView, LinesView
    from rftplan.watching import watch as watching
    from rftplan.wiring import real_world

    live = not json and run.terminal.live and run.terminal.stdout.isatty()
    view: WatchView = BlocksView(run) if live else DocumentsView(run) if json else LinesView(run)
    seen: list[Sequence[Watched]] = []

    def show(jobs: Sequence[Watched]) -> None:
        seen[:] = [jobs]
        view.show(jobs)

    tick = 1.0 if live else None
    try:
        jobs = run_cancellable(
            watching(
                run.options(), targets, show=show, on_event=view, tell=_telling(run), world=real_world(), tick=tick
            )
        )
    except KeyboardInterrupt as interrupt:
        view.close()
        return _interrupted(run, interrupt, seen[0] if seen else (), live=live, json=json)
    finally:
        view.close()
    if not json:
        run.result(_blocks(jobs, run.look) if live else "")
        _say_endings(run, jobs)
    return ExitCode.FAILED if any(one.ending and one.ending.needs_a_person for one in jobs) else ExitCode.OK


def _blocks(jobs: Sequence[Watched], look: Look) -> str:
    """What was drawn last stays."""
    from rftplan.render.look import joined
    from rftplan.render.monitor_documents import training_document
    from rftplan.render.monitor_text import block_lines

    lines = [line for one in jobs for line in (*block_lines(training_document(one.facts), look), "")]
    return joined(lines)


def _say_endings(run: Invocation, jobs: Sequence[Watched]) -> None:
    from rftplan.render.monitor_documents import watch_document
    from rftplan.render.watch_text import endings_text

    run.result(endings_text([watch_document(one) for one in jobs], run.look))


def _interrupted(
    run: Invocation, interrupt: KeyboardInterrupt, jobs: Sequence[Watched], *, live: bool, json: bool
) -> int:
    """Nothing was stopped but the watching: who pressed Ctrl-C must not have to wonder."""
    from rftplan.render.error_document import error_document
    from rftplan.render.monitor_documents import line, watch_document
    from rftplan.render.watch_text import left_text

    if live:
        run.result(_blocks(jobs, run.look))
    run.terminal.err(left_text([watch_document(one) for one in jobs], run.look_err))
    if json:
        run.result(line(error_document(interrupt, exit_code=ExitCode.INTERRUPTED)))
    return ExitCode.INTERRUPTED


def _streamed_end(run: Invocation, error: RftplanError) -> int:
    """An error as the last line of the stream, for people as always."""
    from rftplan.cli.boundary import reported
    from rftplan.render.error_document import error_document
    from rftplan.render.monitor_documents import line

    code = reported(error, run.terminal)
    run.result(line(error_document(error, exit_code=code)))
    return code


def events(
    context: typer.Context,
    address: AddressArgument = None,
    id: IdOption = None,
    limit: LimitOption = 20,
    json: JsonFlag = False,
) -> int:
    """Show what a job's service told of it, the newest last."""
    from rftplan.render.documents import dumped
    from rftplan.render.looking_text import events_text
    from rftplan.render.monitor_documents import events_document
    from rftplan.watching import looking

    run, target = invocation(context), _target(address, id)
    found = _run(run, lambda tell, world: looking.events(run.options(), target, limit=limit, tell=tell, world=world))
    document = events_document(found)
    run.result(dumped(document) if json else events_text(document, run.look))
    return ExitCode.OK


def metrics(
    context: typer.Context,
    address: AddressArgument = None,
    id: IdOption = None,
    format: Annotated[Format, typer.Option("--format", help="What to write; csv has every figure.")] = Format.TABLE,
    json: JsonFlag = False,
) -> int:
    """Show the figures of each step of a job."""
    from rftplan.render.documents import dumped
    from rftplan.render.looking_text import metrics_csv, metrics_text
    from rftplan.render.monitor_documents import metrics_document

    if json and format is Format.CSV:
        raise UsageError("--json and --format csv exclude each other")
    run, target = invocation(context), _target(address, id)
    document = metrics_document(_figures(run, target))
    if json or format is Format.JSON:
        run.result(dumped(document))
    else:
        run.result(metrics_csv(document) if format is Format.CSV else metrics_text(document, run.look))
    return ExitCode.OK


def checkpoints(
    context: typer.Context, address: AddressArgument = None, id: IdOption = None, json: JsonFlag = False
) -> int:
    """Show the checkpoints that a job has now, and which is the best."""
    from rftplan.render.documents import dumped
    from rftplan.render.looking_text import checkpoints_text
    from rftplan.render.monitor_documents import checkpoints_document

    run, target = invocation(context), _target(address, id)
    document = checkpoints_document(_figures(run, target))
    run.result(dumped(document) if json else checkpoints_text(document, run.look))
    return ExitCode.OK


def samples(
    context: typer.Context,
    address: AddressArgument = None,
    step: Annotated[int | None, typer.Option(min=1, metavar="N", help="A step that was validated.")] = None,
    against: Annotated[int | None, typer.Option(min=1, metavar="M", help="Compare with this step.")] = None,
    id: IdOption = None,
    json: JsonFlag = False,
) -> int:
    """Show what a job answered when a step was validated, where the provider keeps that."""
    from rftplan.render.documents import dumped
    from rftplan.render.looking_text import samples_text
    from rftplan.render.monitor_documents import samples_document
    from rftplan.watching import looking

    run, target = invocation(context), _target(address, id)
    if step is None:
        hint = f"{run.program} checkpoints lists steps that were validated"
        raise UsageError("say which step: --step N", hint=hint)
    found = _run(
        run,
        lambda tell, world: looking.samples(run.options(), target, step=step, against=against, tell=tell, world=world),
    )
    document = samples_document(found)
    run.result(dumped(document) if json else samples_text(document, run.look))
    return ExitCode.OK


def _target(address: str | None, id: str | None) -> Target:
    from rftplan.watching import JobId

    if (address is None) == (id is None):
        raise UsageError("say which job: its ADDRESS, or --id ID")
    return JobId(id) if id is not None else _job_address(str(address))


def _job_address(text: str) -> Target:
    parsed = parse_address(text)
    if parsed.kind != "job":
        raise UsageError(f"{parsed} is not a job", hint="jobs are watched: job.NAME")
    return parsed


def _telling(run: Invocation) -> Tell:
    """Says that another service is asked than the specs name."""
    from rftplan.render.text import warning_text

    return lambda why: run.terminal.err(warning_text(f"the service of the lock is asked: {why}", run.look_err))


def _figures(run: Invocation, target: Target) -> Facts:
    from rftplan.watching import looking

    return _run(run, lambda tell, world: looking.figures(run.options(), target, tell=tell, world=world))


def _run(run: Invocation, doing: Callable[[Tell, World], Coroutine[object, object, T]]) -> T:
    """Said on stderr if the service is silent."""
    from rftplan.cli.interrupt import run_cancellable
    from rftplan.wiring import real_world, telling

    with run.listener() as listener:
        return run_cancellable(doing(_telling(run), telling(real_world(), listener)))
