"""Whether a candidate passes its gates: a figure for each, and what it is worth. Pure; samples nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from rftplan.api.port import Checkpoint, JobEvent
from rftplan.canonical import Json
from rftplan.changes import Basis, Evidence
from rftplan.judging import FEWEST_ROWS
from rftplan.kinds.gates import Gate
from rftplan.kinds.selectors import AtStep, Chosen, goes_by

_NOT_THE_GRADERS: Final = frozenset({"sample_parse_error"})
"""An answer that is not JSON is the model's fault."""


class Seen(Struct, frozen=True):
    """The mean over held-out rows, or by how much more it is than another model's, with its interval. `look`: so many
    models have been judged on these rows. `failed` answers could not be graded by the grader's fault, and `why`."""

    value: float
    low: float
    high: float
    rows: int
    look: int
    way: str
    failed: int = 0
    why: str = ""


class OnRows(Struct, frozen=True):
    """What a gate on held-out rows has: how many rows, if the file is here; what they were used for before; what it is
    compared with, if it is; and what was seen, if that was evaluated."""

    rows: int | None
    basis: Basis = Basis.INDEPENDENT
    rival: str | None = None
    seen: Seen | None = None


class Known(Struct, frozen=True):
    """What is known of a candidate. `rows` are those that validate it, where their number is known; `failing` the share
    of answers that graders failed on, by step, None where nobody asked. `caveat` is known against the whole run.
    `held_out` is what gates on such rows have, by their number."""

    candidate: Checkpoint
    selector: Chosen
    checkpoints: Sequence[Checkpoint]
    rows: int | None = None
    failing: Mapping[int, float] | None = None
    caveat: str = ""
    held_out: Mapping[int, OnRows] = field(default_factory=dict)


def judge(gates: Sequence[Gate], known: Known) -> tuple[Evidence, ...]:
    """What every gate saw. Promotion needs all of them passed."""
    return tuple(
        _on_metrics(gate, known) if gate.held_out is None else _on_rows(gate, known, known.held_out.get(number))
        for number, gate in enumerate(gates)
    )


def _on_rows(gate: Gate, known: Known, on: OnRows | None) -> Evidence:
    assert gate.held_out is not None
    on = on or OnRows(None)
    seen, file = on.seen, f"file.{gate.held_out.file}"
    spared = _spared(gate, known, on)
    passed = spared is not None or (seen is not None and not seen.failed and _is_enough(gate, seen))
    caveats = [spared] if spared else _worth(seen, gate) if seen else [_why_not_seen(file, on)]
    return Evidence(
        metric=gate.subject,
        value=seen.value if seen and not seen.failed else None,
        at_least=gate.at_least,
        at_most=gate.at_most,
        passed=passed,
        source=f"checkpoint step {known.candidate.step}",
        caveats=(*caveats, *_used_before(on), *_simulated(known)),
        basis=on.basis if seen is not None else None,
        low=seen.low if seen else None,
        high=seen.high if seen else None,
        rows=on.rows,
        confidence=gate.sure,
        looks=seen.look if seen else None,
        than=gate.rival.value if gate.rival else None,
        more_than=_more_than(gate),
    )


def _more_than(gate: Gate) -> float | None:
    if gate.rival is None:
        return None
    return (gate.by or 0.0) if gate.better_than is not None else -(gate.by or 0.0)


def _spared(gate: Gate, known: Known, on: OnRows) -> str | None:
    """Why there is nothing to compare with, and nothing to hold against it; None where there is."""
    if gate.rival is None:
        return None
    if on.rival is None:
        return f"nothing is {gate.rival} to compare with"
    return "it is that model itself" if on.rival == known.candidate.model else None


def _is_enough(gate: Gate, seen: Seen) -> bool:
    """By the end of the interval that speaks against it."""
    more_than = _more_than(gate)
    if more_than is not None:
        return seen.low > more_than
    return (gate.at_least is None or seen.low >= gate.at_least) and (gate.at_most is None or seen.high <= gate.at_most)


def _why_not_seen(file: str, on: OnRows) -> str:
    if on.rows is None:
        return f"the rows of {file} are not here"
    few = on.rows < FEWEST_ROWS
    return f"{file} has {on.rows} rows, too few: {FEWEST_ROWS} are needed" if few else "not evaluated yet"


def _worth(seen: Seen, gate: Gate) -> list[str]:
    if seen.failed:
        return [f"the grader failed on {seen.failed} answers: {seen.why}"]
    said = f"{100 * gate.sure:.4g} % interval by {seen.way}, {seen.rows} rows"
    return [f"{said}, widened for {seen.look} models judged on them" if seen.look > 1 else said]


def _used_before(on: OnRows) -> list[str]:
    if on.seen is None or on.basis is Basis.INDEPENDENT:
        return []
    return ["the job trained on these rows" if on.basis is Basis.TRAINING else "these rows chose it: selection only"]


def _simulated(known: Known) -> tuple[str, ...]:
    simulation = known.candidate.simulation
    if simulation is None:
        return ()
    return ("SIMULATED", simulation.judge) if simulation.judge else ("SIMULATED",)


def _on_metrics(gate: Gate, known: Known) -> Evidence:
    value = _figure(gate, known)
    return Evidence(
        metric=gate.subject,
        value=value,
        at_least=gate.at_least,
        at_most=gate.at_most,
        passed=_lies_within(gate, value),
        source=f"checkpoint step {known.candidate.step}",
        caveats=(*_caveats(gate, known), *([known.caveat] if known.caveat else [])),
        basis=basis_of(gate, known),
    )


def _figure(gate: Gate, known: Known) -> float | None:
    metrics = known.candidate.metrics
    value: float | None = None
    if gate.metric is not None:
        value = metrics.get(gate.metric)
    elif gate.gap is not None:
        trained, valid = (metrics.get(name, math.nan) for name in _OF_GAP)
        value = trained - valid
    elif gate.grader_errors is not None:
        value = (known.failing or {}).get(known.candidate.step)
    return value if value is not None and math.isfinite(value) else None


_OF_GAP: Final = ("train_reward_mean", "valid_reward_mean")


def _lies_within(gate: Gate, value: float | None) -> bool:
    if value is None:
        return False
    return (gate.at_least is None or value >= gate.at_least) and (gate.at_most is None or value <= gate.at_most)


def basis_of(gate: Gate, known: Known) -> Basis | None:
    """What the rows behind a figure were used for before; None where the figure does not say how good a model is."""
    if gate.grader_errors is not None:
        return None
    if gate.metric is not None and not _is_of_validation(gate.metric):
        return Basis.TRAINING
    return Basis.SELECTION if chosen_by_validation(known) else Basis.INDEPENDENT


def _is_of_validation(metric: str) -> bool:
    return "valid" in metric


def chosen_by_validation(known: Known) -> bool:
    """Whether the rows of validation had a say in which checkpoint it is. Who names a step has seen the curve."""
    if len(known.checkpoints) < 2:
        return False
    metric = goes_by(known.selector, known.checkpoints)
    return isinstance(known.selector, AtStep) or (metric is not None and _is_of_validation(metric))


def _caveats(gate: Gate, known: Known) -> tuple[str, ...]:
    caveats, candidate = [], known.candidate
    if gate.gap is not None and not candidate.metrics.keys() >= set(_OF_GAP):
        caveats.append(f"this checkpoint has no {' or no '.join(n for n in _OF_GAP if n not in candidate.metrics)}")
    elif gate.grader_errors is not None and candidate.step not in (known.failing or {}):
        caveats.append("the job's events do not tell of its graders at that step")
    elif gate.metric is not None and gate.metric not in candidate.metrics:
        caveats.append(f"this checkpoint has {', '.join(sorted(candidate.metrics)) or 'no figures'}")
    if basis_of(gate, known) is Basis.SELECTION:
        caveats.append(_selected_on(gate, known))
    return (*caveats, *_simulated(known))


def _selected_on(gate: Gate, known: Known) -> str:
    count = len(known.checkpoints)
    rows = f", by {known.rows} rows" if known.rows is not None else ""
    if isinstance(known.selector, AtStep):
        return f"selection only: the step was named, of {count} checkpoints{rows}"
    same = gate.metric == goes_by(known.selector, known.checkpoints)
    return f"selected on {'it' if same else 'the same rows'}, best of {count} checkpoints{rows}: selection only"


def failing_shares(events: Sequence[JobEvent]) -> dict[int, float]:
    """The share of answers that the worst grader failed on, by step; of validation where it took place. `events` newest
    first. An answer that a grader cannot read is the model's fault."""
    found: dict[int, float] = {}
    for event in events:
        step, errors = event.data.get("step"), event.data.get("errors")
        graders = errors.get("graders") if isinstance(errors, dict) else None
        if event.type != "metrics" or not isinstance(step, int) or not isinstance(graders, list):
            continue
        found.setdefault(step, max((_worst(g) for g in graders if isinstance(g, dict)), default=0.0))
    return found


def _worst(grader: Mapping[str, Json]) -> float:
    for split in ("valid", "train"):
        names = [key for key in grader if key.startswith(f"{split}_") and key.endswith("_mean")]
        shares = {key: value for key in names if isinstance(value := grader[key], int | float)}
        if shares:
            faults = (v for key, v in shares.items() if key[len(split) + 1 : -len("_mean")] not in _NOT_THE_GRADERS)
            return max((float(value) for value in faults if math.isfinite(value)), default=0.0)
    return 0.0
