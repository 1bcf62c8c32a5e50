"""What is measured, what each figure stands beside, and its budget. Imports nothing of rftplan: only children do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from figures import Budget, Figure, Peer, Spread
from processes import PROJECT, Bench, Ran

MEGABYTE: Final = 1024 * 1024
SIZES: Final = (100, 300, 1000)
FULL_SIZES: Final = (*SIZES, 3000)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a run goes: the numbers of files that `apply` uploads."""

    sizes: Sequence[int] = SIZES


def start_up(bench: Bench, _extent: Extent) -> list[Figure]:
    """`rftplan version` beside the import of the parser that it cannot do without."""
    peer = "import typer"
    ran = bench.alternating({"us": lambda: bench.rftplan(bench.scratch, "version"), peer: lambda: bench.python(peer)})
    budget = Budget("≤ 1.5 × beside", 1.5 * _seconds(ran[peer]).median)
    return [_timed("start-up", "rftplan version", ran["us"], Peer(peer, _seconds(ran[peer])), budget)]


def check(bench: Bench, _extent: Extent) -> list[Figure]:
    """`rftplan check` on the worked example beside the import of what it reads specs with."""
    peer, root = "import typer, pydantic, yaml", worked_example(bench)
    ran = bench.alternating({"us": lambda: bench.rftplan(root, "check"), peer: lambda: bench.python(peer)})
    what = "rftplan check, worked example"
    return [_timed("check", what, ran["us"], Peer(peer, _seconds(ran[peer])), Budget("≤ 0.5 s", 0.5))]


def plan(bench: Bench, _extent: Extent) -> list[Figure]:
    """A plan of 1,000 resources with nothing to do, beside the import of the SDK."""
    peer, root = "import openai", bench.fresh("thousand")
    requests = bench.child("thousand.py", str(root))["requests"]
    arms = {"us": lambda: bench.rftplan(root, "plan", "--detailed-exitcode"), peer: lambda: bench.python(peer)}
    ran = bench.alternating(arms)
    beside = _seconds(ran[peer])
    memory = {name: Spread.of(run.peak / MEGABYTE for run in runs) for name, runs in ran.items()}
    what = "rftplan plan, nothing to do in 1,000 resources"
    return [
        _timed("plan", what, ran["us"], Peer(peer, beside), Budget("≤ beside + 0.6 s", beside.median + 0.6)),
        Figure("plan", "its peak memory", "MB", memory["us"], Peer(peer, memory[peer]), Budget("≤ 120 MB", 120)),
        Figure("plan", "its requests", "requests", Spread.of([requests]), None, Budget("≤ 15", 15)),
    ]


def apply(bench: Bench, extent: Extent) -> list[Figure]:
    """Uploads by apply beside the same uploads alone; and what the journal and the lock cost an effect."""
    taken = {size: _uploads(bench, size) for size in extent.sizes}
    rates = [_rate(size, ways) for size, ways in taken.items()]
    return [*rates, *(_bookkeeping(size, ways) for size, ways in taken.items())]


def _uploads(bench: Bench, size: int) -> Mapping[str, list[float]]:
    """Seconds of each way, each in a new process with a new service."""

    def upload(way: str) -> Callable[[], float]:
        def once() -> float:
            root = bench.fresh(f"uploads-{way}-{size}")
            seconds = bench.child("uploads.py", way, str(size), str(root))["seconds"]
            shutil.rmtree(root)
            return float(seconds)

        return once

    ways = ("apply", "bare", "journal", "appends")
    return bench.alternating({way: upload(way) for way in ways}, warm=size == SIZES[0])


def _rate(size: int, ways: Mapping[str, list[float]]) -> Figure:
    rates = {way: Spread.of(size / seconds for seconds in runs) for way, runs in ways.items()}
    peer = Peer("uploads alone", rates["bare"])
    return Figure("apply", f"{size:,} files", "/s", rates["apply"], peer, Budget("≥ 200 /s", 200, at_least=True))


def _bookkeeping(size: int, ways: Mapping[str, list[float]]) -> Figure:
    """Linear means: never far from the bare appends, which are. The disk's own mood hits both."""
    costs = {way: Spread.of(seconds / size * 1e6 for seconds in runs) for way, runs in ways.items()}
    what = f"{size:,} files: journal and lock, an effect"
    peer, budget = Peer("two synced appends", costs["appends"]), Budget("≤ beside", costs["appends"].median)
    return Figure("apply", what, "µs", costs["journal"], peer, budget)


def example(bench: Bench, _extent: Extent) -> list[Figure]:
    """The README's main job, from nothing to a promoted checkpoint, beside the same job by hand."""

    def ours() -> Ran:
        return bench.rftplan(worked_example(bench), "apply", "--yes", "--wait")

    def by_hand() -> Ran:
        return bench.script("bare_job.py", str(worked_example(bench)))

    peer = "the same job with the SDK alone"
    ran = bench.alternating({"us": ours, peer: by_hand}, warm=False)
    what = "rftplan apply --yes --wait, worked example"
    return [_timed("example", what, ran["us"], Peer(peer, _seconds(ran[peer])), Budget("≤ 15 s", 15))]


def grading(bench: Bench, _extent: Extent) -> list[Figure]:
    """Rows of a trivial Python grader in one warm worker, beside the same without any guard."""
    rows = {"plain": 3000, "pipe": 3000, "process": 500, "fork": 500}

    def graded(way: str) -> Callable[[], float]:
        return lambda: rows[way] / float(bench.child("python_rows.py", way, str(rows[way]))["seconds"])

    ran = bench.alternating({way: graded(way) for way in rows})
    rates = {way: Spread.of(taken) for way, taken in ran.items()}
    budget = Budget("≥ 2,000 /s", 2000, at_least=True)
    apart = "the same, with a process for each row"
    return [
        Figure(
            "grading", "a python grader", "/s", rates["plain"], Peer("a bare pipe to Python", rates["pipe"]), budget
        ),
        Figure("grading", apart, "/s", rates["process"], Peer("a bare fork for each", rates["fork"])),
    ]


def worked_example(bench: Bench) -> Path:
    """A copy of its own."""
    root = bench.fresh("example")
    shutil.copytree(PROJECT / "specs", root / "specs")
    return root


def _seconds(runs: Sequence[Ran]) -> Spread:
    return Spread.of(run.seconds for run in runs)


def _timed(measure: str, what: str, runs: Sequence[Ran], peer: Peer, budget: Budget) -> Figure:
    return Figure(measure, what, "s", _seconds(runs), peer, budget)


MEASURES: Final[Mapping[str, Callable[[Bench, Extent], list[Figure]]]] = {
    "start-up": start_up,
    "check": check,
    "plan": plan,
    "apply": apply,
    "example": example,
    "grading": grading,
}
