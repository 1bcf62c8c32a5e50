"""What "auto" becomes: hyperparameters as sent → numbers. Validates nothing; the service has done that.

The vendor's own choices are not published. Ours keep a simulated job short: one to four passes, about eight
updates a pass, about eight validations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

_BASE_GROUP = 8  # samples a prompt at compute_multiplier 1


class Passes(Struct, frozen=True):
    """How rows are gone through."""

    n_epochs: int
    batch_size: int
    rows: int

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.rows / self.batch_size)

    @property
    def total_steps(self) -> int:
        return self.n_epochs * self.steps_per_epoch


class ReinforcementNumbers(Struct, frozen=True):
    """The reinforcement method's hyperparameters, all of them decided."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    compute_multiplier: float
    eval_interval: int
    eval_samples: int
    reasoning_effort: str

    @property
    def group(self) -> int:
        """Samples a prompt: at least two, or there is nothing to compare."""
        return max(2, round(_BASE_GROUP * self.compute_multiplier))

    def sent_back(self) -> dict[str, Any]:
        """As the job shows them."""
        return asdict(self)


def reinforcement_numbers(sent: Mapping[str, Any], *, rows: int) -> ReinforcementNumbers:
    """Decide what was left to us, for a training file of so many rows."""
    passes = passes_of(sent, rows=rows, auto_batch=_clamp(round(rows / 8)), auto_epochs=_auto_epochs(rows))
    effort = _chosen(sent, "reasoning_effort", "medium")
    return ReinforcementNumbers(
        n_epochs=passes.n_epochs,
        batch_size=passes.batch_size,
        learning_rate_multiplier=float(_chosen(sent, "learning_rate_multiplier", 1.0)),
        compute_multiplier=float(_chosen(sent, "compute_multiplier", 1.0)),
        eval_interval=int(_chosen(sent, "eval_interval", max(1, passes.total_steps // 8))),
        eval_samples=int(_chosen(sent, "eval_samples", 3)),
        reasoning_effort="medium" if effort == "default" else str(effort),
    )


def passes_of(sent: Mapping[str, Any], *, rows: int, auto_batch: int, auto_epochs: int) -> Passes:
    """How rows are gone through, with our own choice where none was made."""
    return Passes(
        n_epochs=int(_chosen(sent, "n_epochs", auto_epochs)),
        batch_size=min(rows, int(_chosen(sent, "batch_size", auto_batch))),
        rows=rows,
    )


def number_sent(sent: Mapping[str, Any], name: str, auto: float) -> float:
    """One number, or our own choice where none was made."""
    return float(_chosen(sent, name, auto))


def _chosen(sent: Mapping[str, Any], name: str, auto: Any) -> Any:
    value = sent.get(name)
    return auto if value is None or value == "auto" else value


def _auto_epochs(rows: int) -> int:
    if rows < 32:
        return 4
    return 2 if rows < 4_000 else 1


def _clamp(batch: int) -> int:
    return min(256, max(1, batch))
