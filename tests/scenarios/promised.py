"""A project and a service in one folder, which can be photographed in the middle of an apply, and the promise of
DESIGN §4 as one function. Tests nothing itself.

What a process leaves behind when it is killed is what lies on the disk at that moment: so a copy of the folder, made
while an apply goes on, is the state after a death at that point, and one apply shows all of its deaths.
"""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.changes import Action, Change, Reason
from rftplan.in_process import in_process
from rftplan.journal import differs, read_state
from rftplan.kinds.deployment.spec import grants_of
from rftplan.kinds.job.kept import status_in
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY
from rftplan.loading import load
from rftplan.lockfile import Entry
from rftplan.server.app import close_app, create_app
from rftplan.server.faults import read_fault
from rftplan.server.settings import Settings
from tests.faults import Fault, Faulty
from tests.server.conftest import TrivialTrainer
from tests.world import SPEC, Clock, Small

KEY = "sk-promised"
SERVED = SPEC.replace("provider: local", "provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}")
"""The worked-out project of tests/world.py at a service that outlives the process: its settle time is 2 seconds, and a
call may act for 10 after we lost it."""

SETTLED = 13.0
"""Seconds after which a look-up that finds nothing proves that nothing happened there."""
LAG = 1.9
"""Seconds that lists may be behind within that settle time."""


@dataclass
class Leaping(Clock):
    """A clock on which nobody sleeps for less than `least` seconds: who waits for a job looks a few times, not a few
    hundred."""

    least: float = 3.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(max(seconds, self.least))


@dataclass(frozen=True)
class Call:
    """A request that changes something at the service: the how manyth of the apply it is, and what."""

    number: int
    method: str
    path: str


@dataclass
class House:
    """A project and its service under `root`, in this process. `fault_of` says what goes wrong with a call; `before`
    and `after` hear of each as it leaves and as its answer comes. `bare`: jobs show no metadata, in photographs too."""

    root: Path
    spec: str = SERVED
    clock: Clock = field(default_factory=Leaping)
    speed: float = 1.0
    first_id: int = 0
    fault_of: Callable[[Call], Fault | None] = lambda _: None
    before: Callable[[Call], None] = lambda _: None
    after: Callable[[Call], None] = lambda _: None
    calls: list[Call] = field(default_factory=list)
    behind: bool = False
    bare: bool = False
    beside: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        settings = Settings(
            self.root / "remote" / "service.sqlite",
            KEY,
            trainer=TrivialTrainer(),
            judge=None,
            now=self.clock.now,
            speed=self.speed,
        )
        self.app = create_app(settings)
        if self.bare:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.joinpath("bare").touch()
        self.bare = self.root.joinpath("bare").exists()
        self._hide()
        project = self.root / "project"
        rest: dict[str, Any] = {
            "clock": self.clock,
            "environ": {"RFTPLAN_LOCAL_KEY": KEY},
            "wrap": lambda _network: _Watched(Faulty(in_process(self.app), self._fault), self),
            "ids": itertools.count(self.first_id),
        }
        self.small = Small(project, **rest) if project.exists() else Small.at(project, self.spec, **rest)

    def close(self) -> None:
        close_app(self.app)

    def _fault(self, method: str, path: str, _count: int) -> Fault | None:
        return self.fault_of(self.calls[-1]) if changes(method, path) else None

    def lag(self, seconds: float = LAG, *, on: str = "* *") -> None:
        """From now on lists are that far behind."""
        self.app.state.service.faults.add("stale", read_fault(f"stale seconds={seconds} on={on}"))
        self.behind = True

    def _hide(self) -> None:
        if self.bare:
            self.app.state.service.faults.add("bare", read_fault("no-metadata"))

    def catch_up(self) -> None:
        """Lists show what is there."""
        self.app.state.service.faults.remove("stale")
        self.behind = False

    def by_hand(self, id: str) -> None:
        """Somebody else put this there, under a name of ours."""
        with (self.root / "by-hand").open("a") as stream:
            stream.write(f"{id}\n")

    @property
    def strangers(self) -> frozenset[str]:
        """What somebody else put there: photographed like everything."""
        kept = self.root / "by-hand"
        return frozenset(kept.read_text().split()) if kept.exists() else frozenset()

    def truth(self, *, grants: bool = False) -> Truth:
        """What is at the service, whatever it shows."""
        behind = self.behind
        self.catch_up()
        self.app.state.service.faults.remove("bare")
        there = truth(self.small, grants=grants)
        self._hide()
        if behind:
            self.lag()
        return there

    def photograph(self, to: Path) -> None:
        """What a process that is killed now leaves behind."""
        shutil.copytree(self.root, to)
        (to / "time").write_text(repr(self.clock.time))


def house_at(photo: Path, *, speed: float, first_id: int = 10_000) -> House:
    """Move into what a photograph shows."""
    return House(photo, clock=Leaping(float((photo / "time").read_text())), speed=speed, first_id=first_id)


def changes(method: str, path: str) -> bool:
    """Whether a request is one of those that change something."""
    return method != "GET" and not path.endswith("/validate")


class _Watched:
    """Stands before the service; only requests that change something count."""

    def __init__(self, inner: Any, house: House) -> None:
        self._inner = inner
        self._house = house

    async def handle_async_request(self, request: Any) -> Any:
        house = self._house
        if not changes(request.method, request.url.path):
            return await self._inner.handle_async_request(request)
        call = Call(len(house.calls) + 1, request.method, request.url.path)
        house.calls.append(call)
        house.before(call)
        response = await self._inner.handle_async_request(request)
        house.after(call)
        return response

    async def __aenter__(self) -> _Watched:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass(frozen=True)
class Truth:
    """What is at the service, whoever put it there. `granted` is model → permission id → project, `models` are those of
    jobs that succeeded."""

    jobs: dict[str, Any]
    files: dict[str, Any]
    granted: dict[str, dict[str, str]]
    models: tuple[str, ...]


def truth(small: Small, *, grants: bool = True) -> Truth:
    """Asked with lists that are not behind; who may use what only if it is asked for."""

    async def look(port: Any) -> Truth:
        jobs = {job.id: job for job in await port.list_jobs()}
        files = {file.id: file for file in await port.list_files("fine-tune")}
        granted: dict[str, dict[str, str]] = {}
        for job in jobs.values() if grants else ():
            for checkpoint in await port.list_checkpoints(job.id) if job.status is JobStatus.SUCCEEDED else ():
                if permissions := await port.list_permissions(checkpoint.model):
                    granted[checkpoint.model] = {one.id: one.project_id for one in permissions}
        made = [job.fine_tuned_model for job in jobs.values() if job.status is JobStatus.SUCCEEDED]
        models = [model.id for model in await port.list_models() if any(model.id.startswith(one) for one in made)]
        return Truth(jobs, files, granted, tuple(models))

    found: Truth = small.service(look)
    return found


def assert_promise(
    small: Small, *, by_hand: Collection[str] = (), held: bool = False, there: Truth | None = None, **selection: Any
) -> Truth:
    """Lock and service agree, nothing is there twice, nothing is open, nothing is left to do. What is there.

    `by_hand` are ids that somebody else made or took away; `held`: addresses may wait for a person; `there` is what
    is at the service, where it does not show it all; `selection` is the plan's. To be asked once lists show what is
    there, and jobs have ended or run.
    """
    there = there or truth(small)
    assert_one_of_each(there, by_hand=by_hand)
    loaded = load(small.options)
    state, lock = read_state(loaded.paths, new_lineage=lambda: "none")
    assert not state.intents, f"left open: {list(state.intents.values())}"
    assert lock is None or not differs(state, lock), "the journal knows what the lock does not"
    for address, entry in state.entries.items():
        if address.kind == "file":
            assert entry.id in there.files or entry.id in by_hand, f"{address}: {entry.id} is not at the service"
        if address.kind == "job":
            _assert_recorded(address, entry, there.jobs, by_hand, held=held)
    known = {entry.id for entry in state.entries.values()} | set(by_hand)
    lost = [job.id for job in there.jobs.values() if not job.status.ended and job.id not in known]
    assert not lost, f"running, and in no lock: {lost}"
    _assert_permissions(loaded.graph.resources, there, state.entries, by_hand)
    todo = [
        f"{c.address}: {c.action} {c.verb} ({c.reason}: {c.detail})" for c in _left_to_do(small, held=held, **selection)
    ]
    assert not todo, f"left to do: {todo}"
    return there


def _left_to_do(small: Small, *, held: bool, **selection: Any) -> Iterator[Change]:
    """What still wants an apply, or a person; a deployment may wait for a job that is kept from running."""
    for change in small.plan(**selection).changes:
        waits = change.action is Action.DEFER and change.reason is Reason.WAITS_FOR_JOB
        if not (waits or change.action is Action.NOOP or (held and change.action is Action.HOLD)):
            yield change


def _assert_recorded(
    address: Address, entry: Entry, jobs: Mapping[str, Any], by_hand: Collection[str], *, held: bool
) -> None:
    """A bad end that a person is asked about is recorded once somebody has decided."""
    if entry.id in by_hand and entry.id not in jobs:
        return
    assert entry.id in jobs, f"{address}: {entry.id} is not at the service"
    job, recorded = jobs[str(entry.id)], status_in(entry)
    asked = held and job.status in (JobStatus.CANCELLED, JobStatus.FAILED)
    assert recorded == job.status or asked or not job.status.ended, (
        f"{address}: {job.id} is {job.status}, recorded {recorded}"
    )
    launch = f"{entry.fingerprint}:{entry.attempt}"
    assert job.metadata.get(LAUNCH_KEY, launch) == launch, f"{address}: recorded {launch}, launched as {job.metadata}"


def assert_one_of_each(there: Truth, *, by_hand: Collection[str] = ()) -> None:
    """What holds after every apply, whatever happened to it: a slot has one launch that runs or came to something, no
    file was uploaded twice, and nothing was made of what somebody else put there (`by_hand`)."""
    slots = Counter(
        (job.metadata.get(ADDRESS_KEY), job.metadata.get(LAUNCH_KEY))
        for job in there.jobs.values()
        if not job.status.ended or job.status is JobStatus.SUCCEEDED
    )
    assert not (twice := [slot for slot, count in slots.items() if count > 1]), f"launched twice: {twice}"
    names = Counter(file.filename for id, file in there.files.items() if id not in by_hand)
    assert not (twice := [name for name, count in names.items() if count > 1]), f"uploaded twice: {twice}"
    theirs = there.files.keys() & {*by_hand}
    made = [j.id for j in there.jobs.values() if {j.training_file, j.validation_file} & theirs]
    assert not made, f"made of what somebody else put there: {made}"


def _assert_permissions(
    resources: Mapping[Address, Any], there: Truth, entries: Mapping[Address, Entry], by_hand: Collection[str]
) -> None:
    """Who may use what is live is who the spec names; nobody may use anything by a grant of ours that is forgotten."""
    kept: set[str] = set(by_hand)
    for address, entry in entries.items():
        if address.kind != "deployment":
            continue
        kept.update(id for projects in grants_of(entry).values() for id in projects.values())
        if entry.id is not None and address in resources:
            wanted = set(resources[address].spec.projects)
            now = there.granted.get(entry.id, {})
            ours = {project for id, project in now.items() if id not in by_hand}
            agrees = ours <= wanted <= {*now.values()}
            assert agrees, f"{address}: {now} may use {entry.id}, the spec says {wanted}"
    for model, permissions in there.granted.items():
        assert permissions.keys() <= kept, f"{model}: {permissions} were granted from here, the lock knows {kept}"
        assert len({*permissions.values()}) == len(permissions), f"{model}: granted twice: {permissions}"


def end_state(small: Small, there: Truth) -> dict[str, Any]:
    """What counts of where it ended, without ids and tokens: the same for every way that leads there."""
    state = load(small.options).state
    entries = {}
    for address, entry in state.entries.items():
        job = there.jobs.get(str(entry.id))
        granted = sorted(sorted(projects) for projects in grants_of(entry).values())
        how = str(job.status) if job else None
        entries[str(address)] = (entry.fingerprint, entry.attempt, entry.origin, how, len(entry.history), granted)
    return {
        "entries": entries,
        "jobs": sorted((job.metadata.get(LAUNCH_KEY, ""), str(job.status)) for job in there.jobs.values()),
        "files": sorted(file.filename for file in there.files.values()),
        "models": len(there.models),
        "permissions": sorted(sorted(projects.values()) for projects in there.granted.values()),
        "tombstones": {str(a): sorted(slots) for a, slots in state.tombstones.items()},
    }
