"""Runs the local service on a port until Ctrl-C or SIGTERM and says how to reach it. Has no route of its own."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from rftplan.cli.loopback import AsgiApp, cuttable, is_bug, logged
from rftplan.cli.neighbours import announced
from rftplan.cli.terminal import Terminal
from rftplan.errors import UsageError, UserError
from rftplan.render.escape import visible

if TYPE_CHECKING:
    from rftplan.grading import Isolation, Judge, PythonRunner
    from rftplan.server.faults import Fault
    from rftplan.server.settings import Settings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
STORE: Final = Path(".rftplan/local/service.sqlite")
"""From the project's root; the same one that the provider `local` uses in-process."""
_HOST_HINT: Final = "give an address or a name of this machine with --host, or leave it out: 127.0.0.1"
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})
_LAST_SECONDS: Final = 2
"""How long a call in flight may take when the service is told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the command line said. `judge_url` None: the stand-in judge."""

    host: str
    port: int
    key: str | None = field(repr=False)
    speed: float
    store: Path
    judge_url: str | None = None
    judge_model: str | None = None
    isolation: Isolation
    clock: str
    faults: Sequence[Fault] = ()


def run_service(service: Service, terminal: Terminal) -> None:
    """Serve until Ctrl-C or SIGTERM. UsageError or UserError before anything is opened if it cannot."""
    from rftplan.grading import PythonWorker

    _check(service)
    key = service.key or f"sk-local-{secrets.token_urlsafe(24)}"
    with _listening(service.host, service.port) as listening, PythonWorker(service.isolation) as runner:
        app = logged(_app(service, key, runner, terminal), terminal.err, time.monotonic, clock=datetime.now)
        url = f"http://{_bracketed(service.host)}:{listening.getsockname()[1]}/v1"
        with announced(service.store, f"{url} (process {os.getpid()}, clock {service.clock})") as others:
            terminal.out(_greeting(service, url, key, _python_graders(service, runner), others))
            _serve(app, listening)
        terminal.err("Stopped.\n")


def _serve(app: AsgiApp, listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        http=cuttable(),
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )
    logging.getLogger("uvicorn.error").addFilter(is_bug)
    with _ended_by_sigterm(), contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def fidelity_page() -> str:
    """What the service does as the vendor's does, and what is our own policy: docs/fidelity.md."""
    from rftplan.server import fidelity_page as page

    return page.fidelity_page()


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM as Ctrl-C: the server obeys both and then raises them again, and what is open shall be closed."""

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check(service: Service) -> None:
    if not 0 < service.speed < float("inf"):
        raise UsageError(f"--speed must be above zero, not {service.speed}")
    if service.key == "":
        raise UsageError("--key is empty", hint="leave it out, and a key is made")
    if service.host in _EVERYWHERE:
        raise UsageError(
            f"--host {service.host or '(empty)'} is every address of this machine",
            hint="give the one address or name that clients will use",
        )
    if service.host not in LOOPBACK and service.key is None:
        raise UsageError("another address than loopback needs a key of your own", hint="add --key")
    if service.judge_model and not service.judge_url:
        raise UsageError("--judge-model needs --judge-url")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno is not None and error.errno < 0:  # of the look-up of a name
            raise UserError(f"cannot listen on {host}: there is no such name", hint=_HOST_HINT) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise UserError(
                f"cannot listen on {host}: this machine does not have that address", hint=_HOST_HINT
            ) from None
        raise UserError(
            f"cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}",
            hint="give another with --port, or 0 for any",
        ) from None


def _app(service: Service, key: str, runner: PythonRunner, terminal: Terminal) -> AsgiApp:
    from rftplan.server.app import create_app, make_store
    from rftplan.server.store import DamagedError, StoreError

    try:
        app: Any = create_app(_settings(service, key, runner, terminal))
        make_store(app)
    except DamagedError as error:
        raise UserError(str(error), hint=f"move {service.store.parent} away, and serve again") from None
    except StoreError as error:
        raise UserError(str(error)) from None
    return app  # type: ignore[no-any-return]


def _settings(service: Service, key: str, runner: PythonRunner, terminal: Terminal) -> Settings:
    from rftplan.server.clock import ClockMode
    from rftplan.server.settings import LOOPBACK_HOSTS, default_settings

    return default_settings(
        service.store,
        key,
        judge=_judge(service, terminal),
        runner=lambda: runner,
        speed=service.speed,
        clock=ClockMode(service.clock),
        faults=service.faults,
        hosts=LOOPBACK_HOSTS | {_bracketed(service.host).lower()},
    )


def _judge(service: Service, terminal: Terminal) -> Judge | None:
    from functools import partial

    from rftplan.api.credentials import find_judge_key
    from rftplan.api.secrets import without_keys
    from rftplan.grading import HttpJudge

    if service.judge_url is None:
        return None
    key = find_judge_key(service.judge_url, terminal.environ)
    clean = partial(without_keys, secrets=(key,)) if key else None
    return HttpJudge(service.judge_url, service.judge_model, key, without_key=clean)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _python_graders(service: Service, runner: PythonRunner) -> str:
    from rftplan.grading import Isolation

    if runner.refusal is not None:
        return f"refused. {runner.refusal}"
    if service.isolation is Isolation.TRUSTED:
        return "graders run with YOUR RIGHTS (--trust-python)"
    return "graders are kept in"


def _knobs(service: Service) -> str:
    """What is not as usual: a clock by hand, and what will go wrong."""
    lines = [f"  fault     {visible(str(fault))}\n" for fault in service.faults]
    if service.clock == "manual":
        lines.append('  clock     MANUAL, moved by POST /v1/local/clock {"advance": SECONDS}\n')
    return "".join(lines)


def _shared(others: Sequence[str]) -> str:
    if not others:
        return ""
    lines = "".join(f"    {visible(one)}\n" for one in others)
    return f"  SHARED    another service serves this store, and each shows what the other does:\n{lines}"


def _greeting(service: Service, url: str, key: str, python: str, others: Sequence[str]) -> str:
    shown = f"{key}   (made for this run, shown only here)" if service.key is None else "the one you gave"
    said = key if service.key is None else "'the key you gave'"
    judge = service.judge_url or "stand-in (text overlap with the references)"
    return (
        f"Local service  {url}\n"
        f"  key       {shown}\n"
        f"  training  SIMULATED, at {service.speed:g} times real time\n"
        f"  judge     {visible(judge)}\n"
        f"  python    {visible(python)}\n"
        f"  store     {visible(str(service.store))}\n"
        f"{_shared(others)}"
        f"{_knobs(service)}"
        "Any OpenAI client reaches it with\n"
        f"  export OPENAI_BASE_URL={url} OPENAI_API_KEY={said}\n"
        "and rftplan, with the key in RFTPLAN_LOCAL_KEY, with\n"
        f'  provider: {{type: local, base_url: "{url}"}}\n'
        "Stop with Ctrl-C.\n"
    )
