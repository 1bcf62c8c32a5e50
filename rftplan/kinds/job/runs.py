"""The runs that jobs have behind them: kept in their entries, for they tell how long the next one takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Profile
from rftplan.canonical import Json, JsonObject
from rftplan.kinds.job.progress import Progress
from rftplan.lockfile import Entry

MOST_RUNS: Final = 10
"""So many of the newest are kept for each address: enough for a range, and no burden for the lock."""


def with_run(
    history: tuple[JsonObject, ...], job: RemoteJob, inputs: JsonObject, progress: Progress
) -> tuple[JsonObject, ...]:
    """The history with this run in it, once. Only a reinforcement run that did all of its steps, each of a known time:
    how long one took that was stopped says nothing about the next one. `inputs` are what it was launched from."""
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
    if job.simulation is not None:
        run["simulated"] = True
    earlier = tuple(kept for kept in history if kept.get("job_id") != job.id)
    return (*earlier, run)[-MOST_RUNS:]


def comparable_seconds(
    entries: Mapping[Address, Entry], inputs: JsonObject, model: str, profile: Profile
) -> tuple[float, ...]:
    """How long every run took that is like the one to come: same base model, reasoning effort, compute multiplier and
    grader, at the same provider (a lock has one). A simulated run took no time that anybody pays for."""
    settings = _settings(inputs)
    found: dict[str, float] = {}
    for address, entry in entries.items():
        for run in entry.history if address.kind == "job" and settings is not None else ():
            seconds = run.get("seconds")
            same = profile.named(str(run.get("model"))) == profile.named(model) and _is_like(run, settings)
            if same and not run.get("simulated") and isinstance(seconds, int | float) and seconds >= 0:
                found[str(run.get("job_id"))] = float(seconds)
    return tuple(found.values())


def _is_like(run: JsonObject, settings: JsonObject | None) -> bool:
    return settings is not None and all(run.get(key) == value for key, value in settings.items())


def _settings(inputs: JsonObject) -> JsonObject | None:
    """What makes one run as long as another, the model apart; None for a method without a grader."""
    method = inputs.get("method")
    settings = method.get("reinforcement") if isinstance(method, dict) else None
    if not isinstance(settings, dict):
        return None
    written = settings.get("hyperparameters")
    declared = written if isinstance(written, dict) else {}
    return {
        "reasoning_effort": declared.get("reasoning_effort", "default"),
        "compute_multiplier": declared.get("compute_multiplier", "auto"),
        "grader": grader_type(settings.get("grader")),
    }


def grader_type(grader: Json) -> str:
    """`string_check`, `score_model gpt-4o-2024-08-06`, `multi(python, string_check)`: a judge's model is part of it,
    because some take ten times as long as others."""
    if not isinstance(grader, dict):
        return "unknown"
    members = grader.get("graders")
    if isinstance(members, dict):
        return f"{grader.get('type')}({', '.join(sorted(grader_type(member) for member in members.values()))})"
    return f"score_model {grader.get('model')}" if grader.get("type") == "score_model" else str(grader.get("type"))
