"""Figures: their spread, what they stand beside, their budget; as a table and as a document. Measures nothing."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

FORMAT: Final = "rftplan.benchmarks/1"
_PEERS: Final = ("openai", "pydantic", "pyyaml", "typer")


@dataclass(frozen=True, slots=True)
class Spread:
    """Several runs of one thing."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1], len(found))

    def shown(self, unit: str) -> str:
        figures = float(self.median), float(self.low), float(self.high)
        digits = 0 if max(figures) >= 100 or all(map(float.is_integer, figures)) else 1 if max(figures) >= 20 else 3
        median, low, high = (f"{figure:.{digits}f}" for figure in figures)
        return f"{median} {unit}" if self.runs == 1 else f"{median} {unit} ({low}–{high})"

    def document(self) -> dict[str, float | int]:
        return {"median": self.median, "min": self.low, "max": self.high, "runs": self.runs}


@dataclass(frozen=True, slots=True)
class Peer:
    """What a figure stands beside: the same kind of work without us, measured in the same run."""

    name: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on the median, in the figure's unit. `rule` says where it comes from."""

    rule: str
    bound: float
    at_least: bool = False

    def kept(self, median: float) -> bool:
        return median >= self.bound if self.at_least else median <= self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    measure: str
    what: str
    unit: str
    spread: Spread
    peer: Peer | None = None
    budget: Budget | None = None

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        return "kept" if self.budget.kept(self.spread.median) else "MISSED"

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "measure": self.measure,
            "what": self.what,
            "unit": self.unit,
            **self.spread.document(),
        }
        if self.peer is not None:
            document["beside"] = {"what": self.peer.name, **self.peer.spread.document()}
        if self.budget is not None:
            kept = self.budget.kept(self.spread.median)
            document["budget"] = {"rule": self.budget.rule, "bound": self.budget.bound, "kept": kept}
        return document


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    head = ("measure", "what", "median (min–max)", "beside", "budget", "verdict")
    rows = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _cells(figure: Figure) -> tuple[str, ...]:
    peer, budget = figure.peer, figure.budget
    beside = f"{peer.name}: {peer.spread.shown(figure.unit)}" if peer else ""
    return (
        figure.measure,
        figure.what,
        figure.spread.shown(figure.unit),
        beside,
        budget.rule if budget else "",
        figure.verdict,
    )


def document(figures: Sequence[Figure], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, with what the figures depend on."""
    return {"format": FORMAT, "machine": machine, "figures": [figure.document() for figure in figures]}


def this_machine() -> dict[str, Any]:
    """What the figures depend on, and nothing that names it. `load` before the run: what else used the cores."""
    return {
        "cores": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in _PEERS},
    }
