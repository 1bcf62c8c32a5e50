"""What is measured, what each figure stands beside, and its budget. Imports nothing of rftplan: only children do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import terraform
from figures import Budget, Figure, Peer, Spread
from processes import PROJECT, Bench, Ran

MEGABYTE: Final = 1024 * 1024
SIZES: Final = (100, 300, 1000)
FULL_SIZES: Final = (*SIZES, 3000)
TERRAFORM_ONCE: Final = 300
"""Of more resources than that Terraform is run once only: a thousand take it a quarter of a minute."""


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
    if terraform.here():
        applied = terraform.project(bench, 1000)
        terraform.apply(bench, applied)
        arms[terraform.PEER] = lambda: terraform.plan(bench, applied)
    ran = bench.alternating(arms)
    beside = _seconds(ran[peer])
    memory = {name: Spread.of(run.peak / MEGABYTE for run in runs) for name, runs in ran.items()}
    what = "rftplan plan, nothing to do in 1,000 resources"
    theirs = [Peer(terraform.PEER, _seconds(ran[terraform.PEER]))] if terraform.here() else []
    return [
        _timed("plan", what, ran["us"], Peer(peer, beside), Budget("≤ beside + 0.6 s", beside.median + 0.6)),
        *(Figure("plan", "the same", "s", _seconds(ran["us"]), them) for them in theirs),
        Figure("plan", "its peak memory", "MB", memory["us"], Peer(peer, memory[peer]), Budget("≤ 120 MB", 120)),
        Figure("plan", "its requests", "requests", Spread.of([requests]), None, Budget("≤ 15", 15)),
    ]


def apply(bench: Bench, extent: Extent) -> list[Figure]:
    """Uploads by apply beside the same uploads alone; and what the journal and the lock cost an effect."""
    taken = {size: _uploads(bench, size) for size in extent.sizes}
    rates = [_rate(size, ways) for size, ways in taken.items()]
    beside = [_beside_terraform(bench, size, ways["apply"]) for size, ways in taken.items()] if terraform.here() else []
    return [*rates, *(_bookkeeping(size, ways) for size, ways in taken.items()), *beside]


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


def _beside_terraform(bench: Bench, size: int, seconds: Sequence[float]) -> Figure:
    """Whole milliseconds a resource: ours with a real upload of each, Terraform's with nothing to do but its state."""
    runs = bench.runs if size <= TERRAFORM_ONCE else 1
    theirs = [terraform.apply(bench, terraform.project(bench, size)).seconds for _ in range(runs)]
    ours, them = (Spread.of(taken / size * 1000 for taken in times) for times in (seconds, theirs))
    return Figure("apply", f"{size:,} files, each", "ms", ours, Peer(terraform.PEER, them))


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
    """Answers by a string_check beside the comparison alone, and rows of a trivial Python grader in one warm worker
    beside the same without any guard."""
    strings = {"graded": 100_000, "compared": 100_000}
    rows = {"plain": 6000, "one by one": 2000, "pipe": 3000, "process": 500, "fork": 500}

    def graded(script: str, way: str, count: int) -> Callable[[], float]:
        return lambda: count / float(bench.child(script, way, str(count))["seconds"])

    arms = {way: graded("string_rows.py", way, count) for way, count in strings.items()}
    arms |= {way: graded("python_rows.py", way, count) for way, count in rows.items()}
    rates = {way: Spread.of(taken) for way, taken in bench.alternating(arms).items()}
    checks = Budget("≥ 50,000 /s", 50_000, at_least=True)
    budget = Budget("≥ 2,000 /s", 2000, at_least=True)
    apart = "the same, with a process for each row"
    alone, bare = Peer("the comparison", rates["compared"]), Peer("a bare pipe to Python", rates["pipe"])
    return [
        Figure("grading", "a string_check of JSON", "/s", rates["graded"], alone, checks),
        Figure("grading", "a python grader", "/s", rates["plain"], bare, budget),
        Figure("grading", "the same, one row after the other", "/s", rates["one by one"], bare),
        Figure("grading", apart, "/s", rates["process"], Peer("a bare fork for each", rates["fork"])),
    ]


def simulation(bench: Bench, _extent: Extent) -> list[Figure]:
    """A reinforcement job of 1,000 rows at the local service, from its create call to the last event stored, beside
    its candidates graded alone. CPU time: the budget is for one core, and others use it too."""

    def taken(way: str, grader: str) -> Callable[[], float]:
        def once() -> float:
            store = bench.fresh(f"{way}-{grader}") / "service.sqlite"
            return float(bench.child("simulated_job.py", way, grader, "1000", str(store))["seconds"])

        return once

    ways = [(way, grader) for grader in ("string_check", "multi") for way in ("created", "graded")]
    ran = bench.alternating({f"{way} {grader}": taken(way, grader) for way, grader in ways})
    spreads = {way: Spread.of(seconds) for way, seconds in ran.items()}
    budget = Budget("≤ 5 s", 5)
    return [
        Figure(
            "simulation",
            f"a job of 1,000 rows, {grader}, CPU",
            "s",
            spreads[f"created {grader}"],
            Peer("its candidates graded alone", spreads[f"graded {grader}"]),
            budget,
        )
        for grader in ("string_check", "multi")
    ]


def data(bench: Bench, _extent: Extent) -> list[Figure]:
    """One pass over a data file of 512 MB: alone, with all that rules look for, and the second time."""
    file = bench.fresh("data") / "train.jsonl"
    bench.script("data_pass.py", "write", str(file), str(LARGEST_FILE))

    def read(way: str) -> Callable[[], Ran]:
        return lambda: bench.script("data_pass.py", way, str(file))

    ran = bench.alternating({way: read(way) for way in ("bare", "pass", "rules", "again")})
    rates = {way: Spread.of(_megabytes_a_second(run) for run in runs) for way, runs in ran.items() if way != "again"}
    peer = Peer("sha256 and parsing", rates["bare"])
    again = Spread.of(_told(run) for run in ran["again"])
    memory = {way: Spread.of(run.peak / MEGABYTE for run in ran[way]) for way in ("bare", "rules")}
    return [
        Figure("data", "one pass: digests, rows, structure", "MB/s", rates["pass"], peer, _share(0.7, rates["bare"])),
        Figure("data", "one pass with all rules", "MB/s", rates["rules"], peer, Budget("≥ 30 MB/s", 30, at_least=True)),
        Figure("data", "its peak memory", "MB", memory["rules"], Peer(peer.name, memory["bare"]), _AT_MOST_200),
        Figure("data", "the second time", "s", again, None, Budget("≤ 0.05 s", 0.05)),
    ]


def lists(bench: Bench, _extent: Extent) -> list[Figure]:
    """Pages of the local service that are as long as they may be, beside SQLite and `json.dumps` alone."""
    store = bench.fresh("lists") / "service.sqlite"
    bench.script("lists.py", "make", str(store))
    runs = [bench.child("lists.py", "time", str(store)) for _ in range(bench.runs)]
    pages = {
        "files": "10,000 files",
        "jobs": "1,000 jobs",
        "models": "models of 1,000 jobs",
        "events": "1,000 of 100,000 events",
    }

    def spread(way: str, name: str) -> Spread:
        return Spread.of(run[way][name] for run in runs)

    return [
        Figure("lists", f"{what}, {way}", "ms", spread(way, name), _bare_list(spread("bare", name)), _AT_MOST_50)
        for name, what in pages.items()
        for way in ("in-process", "loopback")
    ]


def _bare_list(beside: Spread) -> Peer:
    return Peer("SQLite and json.dumps", beside)


_AT_MOST_50: Final = Budget("≤ 50 ms", 50)
LARGEST_FILE: Final = 512
"""Megabytes; the service takes no more in one file."""
_AT_MOST_200: Final = Budget("≤ 200 MB", 200)


def _told(run: Ran) -> float:
    return float(json.loads(run.output.splitlines()[-1])["seconds"])


def _megabytes_a_second(run: Ran) -> float:
    return LARGEST_FILE / _told(run)


def _share(share: float, of: Spread) -> Budget:
    return Budget(f"≥ {share:.0%} of beside", share * of.median, at_least=True)


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
    "simulation": simulation,
    "data": data,
    "lists": lists,
}
