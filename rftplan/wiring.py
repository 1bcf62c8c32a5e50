"""Where adapters meet the core: the SDK, the in-process service, keys, real time. Nowhere else."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from rftplan.codes import KEY_EXPOSED, finding
from rftplan.days import day_of
from rftplan.errors import Diagnostic, UserError
from rftplan.events import OnEvent, ignore
from rftplan.loading import Loaded

if TYPE_CHECKING:
    from rftplan.api.identity import ProviderIdentity
    from rftplan.api.port import Port
    from rftplan.api.profiles import Profile
    from rftplan.config.project_spec import ProviderSpec
    from rftplan.grading import Grader, HttpJudge, Judge, PythonRunner, PythonWorker

SPEED = "RFTPLAN_LOCAL_SPEED"
"""How much faster than usual the in-process service lives; 1 if unset."""


def kept_in() -> PythonWorker:
    """Runs python graders only where this system can keep them in."""
    from rftplan.grading import PythonWorker

    return PythonWorker()


def trusted() -> PythonWorker:
    """Runs python graders with the rights of this user where nothing can keep them in: somebody said so."""
    from rftplan.grading import Isolation, PythonWorker

    return PythonWorker(Isolation.TRUSTED)


class World(Struct, frozen=True):
    """What comes from outside: the environment, time, ids. Tests bring their own.

    `wrap` stands between us and the service, in process or not: it gets the transport and gives another.
    `new_runner` makes whoever runs python graders on this machine. `heard` is told why nothing happens where a command
    has nobody else who listens; a service may be silent for `quiet` seconds before that is told.
    """

    environ: Mapping[str, str]
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    new_id: Callable[[], str]
    user_config: Path | None = None
    wrap: Callable[[Any], Any] = lambda transport: transport
    new_runner: Callable[[], PythonWorker] = kept_in
    heard: OnEvent = ignore
    quiet: float = 5.0

    def today(self) -> date:
        """The day by this world's clock."""
        return day_of(self.now())


def real_world() -> World:
    """This process's environment and clock."""
    return World(
        environ=os.environ,
        now=time.time,
        sleep=asyncio.sleep,
        new_id=lambda: str(uuid.uuid4()),
        user_config=_user_config(),
    )


def telling(world: World, on_event: OnEvent) -> World:
    """The same world, where it is told to `on_event` why nothing happens."""
    return replace(world, heard=on_event)


def trusting(world: World) -> World:
    """The same world, where python graders run with the rights of this user."""
    return replace(world, new_runner=trusted)


def _user_config() -> Path | None:
    """Where this user's settings lie; None for one without a home, as in some containers."""
    try:
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    except RuntimeError:
        return None
    return Path(home) / "rftplan"


class Reached(Protocol):
    """What has to be known of a service to reach it. `root` is where the local one keeps its state."""

    @property
    def root(self) -> Path: ...
    @property
    def provider(self) -> ProviderSpec: ...
    @property
    def profile(self) -> Profile: ...
    @property
    def identity(self) -> ProviderIdentity: ...


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests carry."""

    key: str = field(repr=False)
    admin: str | None = field(default=None, repr=False)


@asynccontextmanager
async def connected(
    loaded: Reached,
    world: World,
    keys: Keys | None = None,
    *,
    on_event: OnEvent | None = None,
    stop: asyncio.Event | None = None,
    paused: Callable[[float], None] = lambda _: None,
) -> AsyncIterator[Port]:
    """A port to the project's service, with these keys or those found; `stop` ends every wait, and `paused` hears of
    each that the service asks for, in seconds. CredentialError if no key may go there."""
    from rftplan.api.openai import connect
    from rftplan.patience import patience_of

    identity, profile = loaded.identity, loaded.profile
    transport, close = None, _nothing
    if identity.in_process:
        keys = Keys(secrets.token_urlsafe(24))
        transport, close = _in_process(loaded, world, keys.key)
    keys = keys or found_keys(loaded, world)
    way, service = world.wrap(transport), identity.base_url
    heard = on_event or world.heard
    waits = patience_of(world.sleep, heard, stop, service=service, quiet=world.quiet, paused=paused)
    port = connect(identity, profile, keys.key, admin_key=keys.admin, transport=way, patience=waits)
    try:
        yield port
    finally:
        await port.aclose()
        close()


def found_keys(loaded: Reached, world: World) -> Keys:
    """The keys for a service outside of this process. CredentialError as `find_key` and `find_admin_key`."""
    from rftplan.api.credentials import find_admin_key, find_key

    base_url = loaded.identity.base_url
    key = find_key(loaded.profile, base_url, world.environ, world.user_config)
    return Keys(key, find_admin_key(loaded.profile, base_url, world.environ))


def exposed_keys(loaded: Reached, world: World) -> tuple[Diagnostic, ...]:
    """A finding where the key lies in a file that others can read."""
    from rftplan.api.credentials import exposed_key_file

    if loaded.identity.in_process:
        return ()
    path = exposed_key_file(loaded.profile, world.environ, world.user_config)
    if path is None:
        return ()
    hint = f"chmod 600 {shlex.quote(str(path))}"
    return (finding(KEY_EXPOSED, f"{path} is readable for other users of this machine", hint=hint),)


def local_store(root: Path) -> Path:
    """Where the service inside this process keeps its files and jobs."""
    return root / ".rftplan" / "local" / "service.sqlite"


_DAMAGED: Final = "move .rftplan/local away, then `rftplan plan` shows what is gone and what has to be made again"


def _nothing() -> None:
    return None


def _in_process(loaded: Reached, world: World, key: str) -> tuple[Any, Callable[[], None]]:
    from rftplan.in_process import faults_said, in_process
    from rftplan.server.app import close_app, create_app
    from rftplan.server.settings import default_settings
    from rftplan.server.store import DamagedError, StoreError

    runner, judge = OneRunner(world.new_runner), judge_of(loaded, world)
    settings = default_settings(
        local_store(loaded.root),
        key,
        judge=judge,
        runner=runner,
        speed=_speed(world),
        now=world.now,
        sleep=world.sleep,
        faults=faults_said(world.environ),
    )
    try:
        app = create_app(settings)
    except DamagedError as error:
        raise UserError(str(error), hint=_DAMAGED) from None
    except StoreError as error:
        raise UserError(str(error), hint="make room, fix its permissions, or move .rftplan/local away") from None

    def close() -> None:
        close_app(app)
        runner.close()
        if judge is not None:
            judge.close()

    return in_process(app), close


@dataclass(slots=True, eq=False)
class OneRunner:
    """The runner of one command: made when it is first asked for, closed with the command."""

    new: Callable[[], PythonWorker]
    _made: PythonWorker | None = field(default=None, init=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __call__(self) -> PythonWorker:
        """May be asked by several threads: jobs are trained at the same time."""
        with self._one_at_a_time:
            self._made = self._made or self.new()
            return self._made

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


class Bench(Struct, frozen=True):
    """What graders need to score on this machine."""

    judge: Judge
    runner: PythonRunner

    def read_grader(self, body: Mapping[str, Any], *, param: str = "grader") -> Grader:
        """GraderError for the first thing that is wrong. Runs nothing."""
        from rftplan.grading import parse_grader

        return parse_grader(body, param=param, runner=self.runner)


@contextmanager
def bench(loaded: Loaded, world: World) -> Iterator[Bench]:
    """The project's judge, or the stand-in; and a runner, which ends with the block."""
    from rftplan.grading import StandInJudge

    runner, judge = world.new_runner(), judge_of(loaded, world)
    try:
        yield Bench(judge or StandInJudge(), runner)
    finally:
        runner.close()
        if judge is not None:
            judge.close()


def judge_of(loaded: Reached, world: World) -> HttpJudge | None:
    """The configured judge, or None for the stand-in."""
    if (written := loaded.provider.judge) is None:
        return None
    from rftplan.api.credentials import check_judge_host, find_judge_key
    from rftplan.api.secrets import without_keys
    from rftplan.grading import HttpJudge

    check_judge_host(written.base_url, world.environ)
    key = find_judge_key(written.base_url, world.environ)
    clean = partial(without_keys, secrets=(key,)) if key else None
    return HttpJudge(written.base_url, written.model, key, without_key=clean)


def _speed(world: World) -> float:
    written = world.environ.get(SPEED, "1")
    try:
        speed = float(written)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UserError(f"{SPEED} must be a number above 0, not {written!r}")
    return speed
