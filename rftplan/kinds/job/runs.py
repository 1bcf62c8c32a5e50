"""The runs that jobs have behind them: kept in their entries, for they tell how long the next one takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Profile
from rftplan.canonical import Json, JsonObject
from rftplan.kinds.base import Resource
from rftplan.kinds.job.progress import Progress
from rftplan.lockfile import Entry

MOST_RUNS: Final = 10
"""So many of the newest are kept for each address: enough for a range, and no burden for the lock."""


def with_run(
    history: tuple[JsonObject, ...],
    job: RemoteJob,
    inputs: JsonObject,
    progress: Progress,
    resources: Mapping[Address, Resource],
) -> tuple[JsonObject, ...]:
    """The history with this run in it, once. Only a reinforcement run that did all of its steps, each of a known time:
    how long one took that was stopped says nothing about the next one. `inputs` are what it was launched from, and
    `resources` what the specs declare: if its rows are still among them, their number is kept, too."""
    settings = _settings(inputs)
    whole = progress.step is not None and progress.step == progress.total_steps
    if settings is None or job.status is not JobStatus.SUCCEEDED or not whole or progress.seconds is None:
        return history
    run: JsonObject = {
        "job_id": job.id,
        "seconds": round(progress.seconds, 3),
        "steps": progress.step,
        "model": job.model,
        **settings,
    }
    if (rows := _rows(inputs, "training", resources)) is not None:
        run |= {"rows": rows, "n_epochs": _hyperparameters(inputs).get("n_epochs", "auto")}
    if (rows := _rows(inputs, "validation", resources)) is not None:
        run["validation_rows"] = rows
    if job.simulation is not None:
        run["simulated"] = True
    earlier = tuple(kept for kept in history if kept.get("job_id") != job.id)
    return (*earlier, run)[-MOST_RUNS:]


def seconds_of(run: JsonObject) -> float:
    """How long it took."""
    seconds = run.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def growth(inputs: JsonObject, runs: Sequence[JsonObject], resources: Mapping[Address, Resource]) -> float | None:
    """How many times as long as the largest of these runs it may take by its rows, to train (epochs counted) and to
    validate. None if nobody knows: rows that are not here, or epochs that one leaves to the service and the other does
    not."""
    ratios = _ratios(inputs, runs, resources)
    # More training means more steps, each of which may come with an evaluation.
    known = [max(train, valid, train * valid) for train, valid in ratios if train is not None and valid is not None]
    return min(known, default=None)


def shrinkage(inputs: JsonObject, runs: Sequence[JsonObject], resources: Mapping[Address, Resource]) -> float:
    """To what part of the time of any of these runs it may come down by its fewer rows: 1 where they are not fewer, as
    far as anybody knows."""
    ratios = _ratios(inputs, runs, resources)
    return min((_at_most_one(train) * _at_most_one(valid) for train, valid in ratios), default=1.0)


def _at_most_one(ratio: float | None) -> float:
    return 1.0 if ratio is None else min(1.0, ratio)


def _ratios(
    inputs: JsonObject, runs: Sequence[JsonObject], resources: Mapping[Address, Resource]
) -> list[tuple[float | None, float | None]]:
    """How many times the rows of each run are trained on, and validated on."""
    rows, epochs = _rows(inputs, "training", resources), _hyperparameters(inputs).get("n_epochs", "auto")
    own, valid = _size(rows, epochs, epochs), _rows(inputs, "validation", resources)
    return [
        (_ratio(own, _size(run.get("rows"), run.get("n_epochs"), epochs)), _ratio(valid, run.get("validation_rows")))
        for run in runs
    ]


def _ratio(own: float | None, other: Json) -> float | None:
    if own is None or not isinstance(other, int | float) or other < 0:
        return None
    if other == 0:
        return 1.0 if own == 0 else None
    return own / other


def _size(rows: Json, epochs: Json, other: Json) -> float | None:
    """Rows, times epochs where they are numbers; comparable only with what leaves the epochs to the service, too."""
    if not isinstance(rows, int) or rows <= 0 or isinstance(epochs, int) != isinstance(other, int):
        return None
    return float(rows * epochs) if isinstance(epochs, int) else float(rows)


def _rows(inputs: JsonObject, split: str, resources: Mapping[Address, Resource]) -> int | None:
    """How many rows a job trains or validates on, if a declared file that is here has them; 0 without a file."""
    if split not in inputs:
        return 0
    file = inputs[split]
    digest = file.get("rows") if isinstance(file, dict) else None
    having = (r.data.rows for r in resources.values() if r.data is not None and r.rows_digest == digest)
    return next(having, None) if digest is not None else None


def comparable_runs(
    entries: Mapping[Address, Entry], inputs: JsonObject, model: str, profile: Profile
) -> tuple[JsonObject, ...]:
    """Every run that is like the one to come: same base model, reasoning effort, compute multiplier, validation
    samples and interval, and grader, at the same provider (a lock has one). A simulated run took no time that anybody
    pays for."""
    settings = _settings(inputs)
    found: dict[str, JsonObject] = {}
    for address, entry in entries.items():
        for run in entry.history if address.kind == "job" and settings is not None else ():
            seconds = run.get("seconds")
            same = profile.named(str(run.get("model"))) == profile.named(model) and _is_like(run, settings)
            if same and not run.get("simulated") and isinstance(seconds, int | float) and seconds >= 0:
                found[str(run.get("job_id"))] = run
    return tuple(found.values())


def _is_like(run: JsonObject, settings: JsonObject | None) -> bool:
    return settings is not None and all(run.get(key) == value for key, value in settings.items())


def _settings(inputs: JsonObject) -> JsonObject | None:
    """What makes one run as long as another, the model apart; None for a method without a grader."""
    method = inputs.get("method")
    settings = method.get("reinforcement") if isinstance(method, dict) else None
    if not isinstance(settings, dict):
        return None
    declared = _hyperparameters(inputs)
    return {
        "reasoning_effort": declared.get("reasoning_effort", "default"),
        "compute_multiplier": declared.get("compute_multiplier", "auto"),
        "eval_samples": declared.get("eval_samples", "auto"),
        "eval_interval": declared.get("eval_interval", "auto"),
        "grader": grader_type(settings.get("grader")),
    }


def _hyperparameters(inputs: JsonObject) -> JsonObject:
    """As they are declared for reinforcement."""
    method = inputs.get("method")
    settings = method.get("reinforcement") if isinstance(method, dict) else None
    written = settings.get("hyperparameters") if isinstance(settings, dict) else None
    return written if isinstance(written, dict) else {}


def grader_type(grader: Json) -> str:
    """`string_check`, `score_model gpt-4o-2024-08-06`, `multi(python, string_check)`: a judge's model is part of it,
    because some take ten times as long as others."""
    if not isinstance(grader, dict):
        return "unknown"
    members = grader.get("graders")
    if isinstance(members, dict):
        return f"{grader.get('type')}({', '.join(sorted(grader_type(member) for member in members.values()))})"
    return f"score_model {grader.get('model')}" if grader.get("type") == "score_model" else str(grader.get("type"))
