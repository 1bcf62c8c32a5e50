"""`serve`: the local service on a loopback port, for any client of the API. Knows nothing of specs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rftplan.cli.exit_codes import ExitCode
from rftplan.cli.invocation import invocation
from rftplan.cli.reading import TrustOption

LOOPBACK = "127.0.0.1"


class Clock(StrEnum):
    """How the service's time passes."""

    RUNNING = "running"
    MANUAL = "manual"


ClockOption = Annotated[
    Clock, typer.Option(metavar="MODE", help="running, or manual: it moves only when a client says so.")
]
FaultOption = Annotated[
    list[str] | None, typer.Option(metavar="LINE", help="What shall go wrong, such as '429 times=3'; repeatable.")
]
FaultsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The same from a file, a line each; # begins a comment.")
]


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes any free port.")] = 8321,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Another address than loopback needs --key.")] = LOOPBACK,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="RFTPLAN_LOCAL_KEY", show_envvar=True, metavar="KEY", help="The bearer key; made up if not given."
        ),
    ] = None,
    speed: Annotated[float, typer.Option(metavar="X", help="How many times faster than real time jobs run.")] = 1.0,
    judge_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="An OpenAI-compatible endpoint that grades for score_model."),
    ] = None,
    judge_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its model, instead of the one a grader names.")
    ] = None,
    trust_python: TrustOption = False,
    clock: ClockOption = Clock.RUNNING,
    fault: FaultOption = None,
    faults: FaultsOption = None,
    fidelity: Annotated[
        bool, typer.Option("--fidelity", help="Serve nothing; print what is proven and what is policy, in Markdown.")
    ] = False,
) -> int:
    """Run the fine-tuning API on this machine. For any OpenAI client; training is simulated."""
    from rftplan.cli.knobs import faults_given
    from rftplan.cli.service import STORE, Service, fidelity_page, run_service
    from rftplan.grading import Isolation

    run = invocation(context)
    if fidelity:
        run.result(fidelity_page())
        return ExitCode.OK
    wanted = Service(
        host=host,
        port=port,
        key=key,
        speed=speed,
        store=run.directory / STORE,
        judge_url=judge_url,
        judge_model=judge_model,
        isolation=Isolation.TRUSTED if trust_python else Isolation.REQUIRED,
        clock=clock.value,
        faults=faults_given(fault or (), faults),
    )
    run_service(wanted, run.terminal)
    return ExitCode.OK
