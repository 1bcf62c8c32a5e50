"""A whole small world for tests: a project on disk, the local service in-process, a clock that only sleep moves."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftplan import project
from rftplan.api.port import Upload
from rftplan.changes import Change, Plan
from rftplan.checks.row_sets import FEWEST_VALIDATION
from rftplan.errors import Diagnostic
from rftplan.events import Event, Result, ignore
from rftplan.grading import PythonWorker
from rftplan.kinds.file import PURPOSE
from rftplan.lockfile import Lock
from rftplan.planner import Selection
from rftplan.project import Applied, Options
from rftplan.wiring import World, kept_in

ROWS = 12

SPEC = """\
project: {name: demo, provider: local}
files:
  train: {path: data/train.jsonl}
  test: {path: data/test.jsonl}
graders:
  match:
    type: string_check
    input: "{{sample.output_text}}"
    operation: eq
    reference: "{{item.answer}}"
jobs:
  review:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    method:
      type: reinforcement
      reinforcement:
        grader: match
        hyperparameters: {n_epochs: 2}
deployments:
  reviewer:
    job: review
    checkpoint: best
    gates:
      - {metric: valid_reward_mean, at_least: 0.1}
"""


def rows(count: int = ROWS, start: int = 0) -> str:
    """JSONL rows of sums, each with its answer."""
    return "".join(
        json.dumps({"messages": [{"role": "user", "content": f"What is {n} + {n + 1}?"}], "answer": str(2 * n + 1)})
        + "\n"
        for n in range(start, start + count)
    )


@dataclass
class Clock:
    """Seconds since the epoch; moves only when somebody sleeps."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class Small:
    """A project under `root`, and the commands on it. Each call is one process of its own as far as state goes."""

    root: Path
    clock: Clock = field(default_factory=Clock)
    environ: dict[str, str] = field(default_factory=dict)
    wrap: Callable[[Any], Any] = lambda transport: transport
    new_runner: Callable[[], PythonWorker] = kept_in
    ids: Iterator[int] = field(default_factory=itertools.count)
    options: Options = field(init=False)

    def __post_init__(self) -> None:
        self.options = Options(self.root)

    @classmethod
    def at(cls, root: Path, spec: str = SPEC, **rest: Any) -> Small:
        (root / "specs" / "data").mkdir(parents=True, exist_ok=True)
        small = cls(root, **rest)
        small.write("specs/main.yaml", spec)
        small.write("specs/data/train.jsonl", rows())
        small.write("specs/data/test.jsonl", rows(FEWEST_VALIDATION, start=100))
        return small

    def write(self, path: str, text: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def let_selection_replace(self) -> None:
        """Let a retrain take the place of what is live on the strength of the rows that it was chosen by."""
        self.write("specs/policy.yaml", "policy: {allow_selection_only: true}\n")

    @property
    def world(self) -> World:
        return World(
            environ=self.environ,
            now=self.clock.now,
            sleep=self.clock.sleep,
            new_id=lambda: f"id-{next(self.ids)}",
            wrap=self.wrap,
            new_runner=self.new_runner,
        )

    def check(self) -> tuple[Diagnostic, ...]:
        return project.check(self.options)

    def plan(self, **selection: Any) -> Plan:
        planned = asyncio.run(project.plan(self.options, selection=Selection(**selection), world=self.world))
        return planned.plan

    def changes(self, **selection: Any) -> dict[str, Change]:
        return {str(change.address): change for change in self.plan(**selection).changes}

    def verbs(self, **selection: Any) -> dict[str, str]:
        """What would be done, by address: action and verb, NOOPs left out."""
        found = self.changes(**selection).items()
        return {address: f"{c.action} {c.verb}" for address, c in found if c.action != "noop"}

    def apply(
        self,
        *,
        wait: bool = False,
        consent: Callable[[Plan], bool] = lambda _: True,
        on_event: Callable[[Event], None] = ignore,
        stop: asyncio.Event | None = None,
        parallelism: int = 10,
        lock_timeout: float = 0,
        **selection: Any,
    ) -> Applied | None:
        return asyncio.run(
            project.apply(
                self.options,
                consent=consent,
                selection=Selection(**selection),
                wait=wait,
                parallelism=parallelism,
                lock_timeout=lock_timeout,
                on_event=on_event,
                stop=stop,
                world=self.world,
            )
        )

    def results(self, **rest: Any) -> dict[str, Result]:
        applied = self.apply(**rest)
        assert applied is not None
        return {str(found.address): found for found in applied.results}

    def train(self) -> None:
        """Apply to the end: launched, trained, promoted. A retrain may replace what is live, by whatever it passes."""
        said = "".join(path.read_text() for path in (self.root / "specs").glob("*.yaml"))
        if (self.root / "rftplan.lock").exists() and "policy:" not in said:
            self.let_selection_replace()
        results = self.results(wait=True)
        bad = [r for r in results.values() if r.outcome != "done"]
        assert not bad, bad

    def launch_until_step(self, address: str = "job.review") -> None:
        """Launch, and let the job run until it has a step."""
        self.apply()
        for _ in range(100):
            if "step" in self.status()[address].detail:
                return
            self.clock.time += 0.2
        raise AssertionError("the job never took a step")

    def lock(self) -> Lock:
        lock = project.state(self.options)
        assert lock is not None
        return lock

    def status(self) -> dict[str, project.ResourceStatus]:
        found = asyncio.run(project.status(self.options, world=self.world))
        return {str(status.address): status for status in found}

    def service(self, work: Callable[[Any], Any]) -> Any:
        """Let `work` use a port of its own on the same service: what somebody does by hand."""
        from rftplan.loading import load
        from rftplan.wiring import connected

        async def use() -> Any:
            async with connected(load(self.options), self.world) as port:
                return await work(port)

        return asyncio.run(use())

    def upload_by_hand(self, filename: str, content: bytes) -> str:
        """What somebody else uploads under a name of theirs, or of ours; its id."""
        path = self.root.parent / f"by-hand-{self.root.name}"
        path.write_bytes(content)
        upload = Upload(path, filename, len(content), PURPOSE)
        file: Any = self.service(lambda port: port.upload_file(upload, lambda _sent, _total: None))
        path.unlink()
        id: str = file.id
        return id

    def jobs(self) -> list[Any]:
        found: list[Any] = self.service(lambda port: port.list_jobs())
        return found

    def files(self) -> list[Any]:
        found: list[Any] = self.service(lambda port: port.list_files("fine-tune"))
        return found
