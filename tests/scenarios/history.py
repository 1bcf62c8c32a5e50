"""What can happen to a project between its first apply and its last: edits, the service, bad luck, deaths. Each is a
line that a person can read; a history is a list of them. Tests nothing itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from rftplan import lock_on_disk
from rftplan.address import Address
from rftplan.api.port import JobStatus
from rftplan.errors import RejectedError
from tests.faults import Fault
from tests.scenarios.promised import SETTLED, Call, House, assert_one_of_each, assert_promise, house_at
from tests.world import rows

SPEED = 0.2
"""A job takes 22 seconds, and has its first step after 10."""


@dataclass(frozen=True)
class Wanted:
    """What the specs say, as far as a history edits it."""

    rows: int = 12
    operation: str = "eq"
    epochs: int = 2
    run: str = "running"
    retry: int | None = None
    retain: bool = True
    projects: tuple[str, ...] = ("p1",)
    name: str = "review"
    moved: bool = True
    job: bool = True
    second: bool = False
    deployment: bool = True

    def text(self) -> str:
        """The YAML of it."""
        kept = "" if self.retain else ", lifecycle: {retain: false}"
        lines = [
            "project: {name: demo, provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}}",
            f"files:\n  train: {{path: data/train.jsonl{kept}}}\n  test: {{path: data/test.jsonl{kept}}}",
            "graders:\n  match:\n    type: string_check\n    input: '{{sample.output_text}}'",
            f"    operation: {self.operation}\n    reference: '{{{{item.answer}}}}'",
        ]
        if self.name != "review" and self.moved and self.job:
            lines.append(f"moved: [{{from: job.review, to: job.{self.name}}}]")
        jobs = [self._job(self.name, self.epochs, self.run)] if self.job else []
        jobs += [self._job("second", 4, "running")] if self.second else []
        lines += ["jobs:", *jobs] if jobs else []
        if self.deployment and self.job:
            lines.append(f"deployments:\n  live:\n    job: {self.name}\n    projects: [{', '.join(self.projects)}]")
        return "\n".join(lines) + "\n"

    def named(self, kind: str) -> Address | None:
        """What it says of this kind, if it does."""
        if not self.job or (kind == "deployment" and not self.deployment):
            return None
        return Address(kind, {"job": self.name, "deployment": "live", "file": "train"}[kind])

    def _job(self, name: str, epochs: int, run: str) -> str:
        retry = f"    retry: {{attempts: {self.retry}}}\n" if self.retry else ""
        return (
            f"  {name}:\n    model: o4-mini-2025-04-16\n    training_file: train\n    validation_file: test\n"
            f"    run: {run}\n{retry}    method:\n      type: reinforcement\n      reinforcement:\n"
            f"        grader: match\n        hyperparameters: {{n_epochs: {epochs}}}"
        )


@dataclass
class Life:
    """A project and its service, what its specs say, and what somebody did by hand."""

    house: House
    wanted: Wanted = field(default_factory=Wanted)
    by_hand: set[str] = field(default_factory=set)
    deaths: int = 0

    def write(self) -> None:
        self.house.small.write("specs/main.yaml", self.wanted.text())
        self.house.small.write("specs/data/train.jsonl", rows(self.wanted.rows))

    def die(self, photo: Path) -> None:
        """Go on in what a process left behind."""
        self.house.close()
        self.deaths += 1
        self.house = house_at(photo, speed=SPEED, first_id=self.deaths * 1_000)

    def apply(self, **options: Any) -> None:
        self.house.small.apply(parallelism=1, **options)


class Event(Protocol):
    """Something that happens; its text is a line of a script."""

    def happen(self, life: Life) -> None: ...


@dataclass(frozen=True)
class Edit:
    """Somebody edits the specs or the data."""

    field: str
    value: Any

    def __str__(self) -> str:
        return f"edit {self.field}: {self.value}"

    def happen(self, life: Life) -> None:
        life.wanted = replace(life.wanted, **{self.field: self.value})
        life.write()


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds} seconds pass"

    def happen(self, life: Life) -> None:
        life.house.clock.time += self.seconds


@dataclass(frozen=True)
class ByHand:
    """Somebody, or the service itself, does something without rftplan."""

    what: str

    def __str__(self) -> str:
        return f"somebody {self.what}"

    def happen(self, life: Life) -> None:
        there = life.house.truth(grants=True)
        running = [job.id for job in there.jobs.values() if not job.status.ended]
        match self.what:
            case "cancels a job":
                self._do(life, lambda port: port.cancel_job(running[0]), bool(running))
            case "pauses a job":
                self._do(life, lambda port: port.pause_job(running[0]), bool(running))
            case "deletes a file":
                files = sorted(there.files)
                life.by_hand.update(files[:1])
                self._do(life, lambda port: port.delete_file(files[0]), bool(files))
            case "revokes a grant":
                granted = [(model, id) for model, ids in there.granted.items() for id in ids]
                self._do(life, lambda port: port.revoke_permission(*granted[0]), bool(granted))
            case "loses the journal":
                shutil.rmtree(life.house.small.root / ".rftplan" / "default", ignore_errors=True)
                self._forgive(life, there)
            case "loses lock and journal":
                (life.house.small.root / "rftplan.lock").unlink(missing_ok=True)
                shutil.rmtree(life.house.small.root / ".rftplan" / "default", ignore_errors=True)
                self._forgive(life, there)
            case other:
                raise AssertionError(other)

    def _do(self, life: Life, work: Any, possible: bool) -> None:
        async def tried(port: Any) -> None:
            with suppress(RejectedError):  # not in this state
                await work(port)

        if possible:
            life.house.small.service(tried)

    def _forgive(self, life: Life, there: Any) -> None:
        """What only lock or journal knew: who was granted what, and what runs that the specs do not say any more. By
        the time that somebody applies without them, lists show everything: nothing else is left to know it by."""
        life.house.clock.time += SETTLED
        life.by_hand.update(id for ids in there.granted.values() for id in ids)
        life.by_hand.update(job.id for job in there.jobs.values() if not job.status.ended)


@dataclass(frozen=True)
class Apply:
    """One apply, and what befalls it: `fault` its call number `at`, or death there; `behind`: lists are. `part` is an
    option with the kind of what it names, where the specs say that."""

    wait: bool = False
    behind: bool = False
    fault: Fault | None = None
    death: str | None = None
    at: int = 1
    replace: bool = False
    part: tuple[str, str] | None = None

    def __str__(self) -> str:
        said = ["apply", *(["--wait"] if self.wait else []), *(["--replace"] if self.replace else [])]
        said += [f"--{self.part[0]} {self.part[1]}"] if self.part else []
        said += [f"[{self.fault} at call {self.at}]"] if self.fault else []
        said += [f"[dies {self.death}, call {self.at}]"] if self.death else []
        return " ".join(said + (["[lists are behind]"] if self.behind else []))

    def happen(self, life: Life) -> None:
        house = life.house
        options: dict[str, Any] = {"wait": self.wait}
        if self.replace and life.wanted.job and life.wanted.run == "running":
            options["replace"] = frozenset({Address("job", life.wanted.name)})
        elif self.part is not None and (named := life.wanted.named(self.part[1])) is not None:
            options[self.part[0]] = frozenset({named})
        house.calls.clear()
        if self.behind:
            house.lag()
        photo = house.root.with_name(f"life-{life.deaths + 1}")
        with self._befalling(house, photo):
            life.apply(**options)
        house.catch_up()
        if photo.exists():
            life.die(photo)
        assert_one_of_each(life.house.truth())

    @contextmanager
    def _befalling(self, house: House, photo: Path) -> Iterator[None]:
        def dies(call: Call) -> None:
            if call.number == self.at:
                house.photograph(photo)

        def fault_of(call: Call) -> Fault | None:
            return self.fault if call.number == self.at else None

        folds = []
        write_lock = lock_on_disk.write_lock

        def folding(path: Path, lock: Any) -> None:
            folds.append(path)
            if self.death == "before the fold" and len(folds) == self.at:
                house.photograph(photo)
            write_lock(path, lock)
            if self.death == "in the fold" and len(folds) == self.at:
                house.photograph(photo)

        house.fault_of = fault_of
        house.before = dies if self.death == "before the call" else house.before
        house.after = dies if self.death == "after the call" else house.after
        with pytest.MonkeyPatch.context() as watching:
            watching.setattr(lock_on_disk, "write_lock", folding)
            yield
        house.fault_of, house.before, house.after = (lambda _: None), (lambda _: None), (lambda _: None)


def play(events: Sequence[Event], root: Path) -> None:
    """Let them happen to a new project, then apply until nothing is left to do at a service that is well.
    AssertionError with the script, as far as it came, if the promise does not hold."""
    life = Life(House(root / "life-0", speed=SPEED))
    life.write()
    played: list[str] = []
    try:
        for event in events:
            played.append(str(event))
            event.happen(life)
        played.append("apply until nothing is left to do")
        _rest(life)
        assert_promise(life.house.small, by_hand=life.by_hand, held=True)
    except Exception as error:
        script = "\n".join(f"  {number}. {line}" for number, line in enumerate(played, 1))
        raise AssertionError(f"{type(error).__name__}: {error}\n\nafter\n{script}") from error
    finally:
        life.house.close()


def _rest(life: Life) -> None:
    for _ in range(8):
        life.house.clock.time += 200 + SETTLED
        life.apply()
        assert_one_of_each(life.house.truth())
        if not life.house.small.plan().acts and not _going(life):
            return


def _going(life: Life) -> bool:
    states = [job.status for job in life.house.truth().jobs.values()]
    return any(not state.ended and state is not JobStatus.PAUSED for state in states)
