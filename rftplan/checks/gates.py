"""Rules about what a deployment waits for: gates that no checkpoint can pass, a best one that cannot be told. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rftplan.address import Address
from rftplan.checks.formulas import reward_range
from rftplan.checks.intervals import ANYTHING, Interval
from rftplan.checks.preflight import Method, Preflight, Written, grader_of, method_of
from rftplan.codes import Code, finding, info, warning
from rftplan.config import Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.gates import Gate
from rftplan.kinds.selectors import AtStep, ByMetric, Pick
from rftplan.spelling import close_names

UNKNOWN_METRIC: Final = warning("J110", "Gate on a metric that checkpoints do not have")
NEVER_PASSED: Final = warning("J111", "Gate that no checkpoint can pass")
NO_BEST: Final = warning("J112", "Best checkpoint of a job that is not validated")
MAY_VANISH: Final = info("J118", "Checkpoint that the service may not keep")

_SHARE: Final = Interval(0.0, 1.0)
_COUNT: Final = Interval(0.0, math.inf)
_REWARDS: Final = ("train_reward_mean", "valid_reward_mean", "train_mean_reward", "full_valid_mean_reward")
_OF_REINFORCEMENT: Final[Mapping[str, Interval]] = {
    **dict.fromkeys(_REWARDS, ANYTHING),
    "full_valid_mean_parse_error": _SHARE,
    "mean_unresponsive_rewards": _COUNT,
    "completion_tokens_mean": _COUNT,
    "reasoning_tokens_mean": _COUNT,
    "valid_reasoning_tokens_mean": _COUNT,
}
_OF_SUPERVISED: Final[Mapping[str, Interval]] = {
    "train_loss": _COUNT,
    "train_mean_token_accuracy": _SHARE,
    "valid_loss": _COUNT,
    "valid_mean_token_accuracy": _SHARE,
    "full_valid_loss": _COUNT,
    "full_valid_mean_token_accuracy": _SHARE,
}
"""What checkpoints carry (FACTS §3.4, §3.5), and between which values it lies."""


def gates(preflight: Preflight) -> Iterable[Diagnostic]:
    """A gate that fails whatever the job learns: it is trained, paid for, and never promoted."""
    for deployment, job in _deployed(preflight):
        known = _metrics(preflight, job)
        for number, gate in enumerate(deployment.spec.gates):
            if gate.held_out is not None:
                yield from _impossible(deployment, number, gate, _held_out_scores(preflight, gate))
            elif gate.metric is None:
                yield from _of_graders(deployment, number, gate, job, known)
            elif gate.metric in known:
                yield from _impossible(deployment, number, gate, known[gate.metric])
            elif method_of(job) is not Method.DPO or gate.metric in _OF_REINFORCEMENT or gate.metric in _OF_SUPERVISED:
                yield _unknown(deployment, number, gate.metric, job, known)


def _of_graders(
    deployment: Declared, number: int, gate: Gate, job: Declared, known: Mapping[str, Interval]
) -> Iterator[Diagnostic]:
    """A gap and errors of graders: a job has graders only where it is trained by reinforcement."""
    subject = "gap" if gate.gap is not None else "grader_errors"
    if method_of(job) is not Method.REINFORCEMENT:
        detail = (
            f"{job.address}, a {method_of(job)} job, has no rewards and no graders, and a gate without its figure fails"
        )
        yield _about(deployment, UNKNOWN_METRIC, detail, "gates", number, subject)
        return
    reward = known["valid_reward_mean"]
    bounds = Interval(-reward.width, reward.width) if gate.gap is not None and reward.bounded else ANYTHING
    yield from _impossible(deployment, number, gate, _SHARE if gate.grader_errors is not None else bounds)


def _unknown(deployment: Declared, number: int, metric: str, job: Declared, known: Iterable[str]) -> Diagnostic:
    names = list(known)
    close = close_names(metric, names)
    hint = f'did you mean "{close[0]}"?' if close else f"known are {', '.join(names)}"
    said = f"a {method_of(job)} job" + ("" if job.spec.validation_file else " without a validation file")
    detail = f"checkpoints of {job.address}, {said}, do not have {metric}, and a gate without its figure fails"
    return _about(deployment, UNKNOWN_METRIC, detail, "gates", number, "metric", hint=hint)


def _impossible(deployment: Declared, number: int, gate: Gate, bounds: Interval) -> Iterator[Diagnostic]:
    if gate.rival is not None:
        yield from _never_so_much(deployment, number, gate, bounds)
        return
    low, high = bounds.low, bounds.high
    least = -math.inf if gate.at_least is None else gate.at_least
    most = math.inf if gate.at_most is None else gate.at_most
    if least > most:
        detail = f"{gate.subject} cannot be at least {least:g} and at most {most:g}"
        yield _about(deployment, NEVER_PASSED, detail, "gates", number)
    elif least > high or most < low:
        said, key = (f"at least {least:g}", "at_least") if least > high else (f"at most {most:g}", "at_most")
        between = f"lies between {low:g} and {high:g}" if bounds.bounded else _one_ended(bounds)
        detail = f"{gate.subject} {between}, and {said} is asked for"
        hint = "a gate may be edited at any time; nothing is trained again for it"
        yield _about(deployment, NEVER_PASSED, detail, "gates", number, key, hint=hint)


def _never_so_much(deployment: Declared, number: int, gate: Gate, bounds: Interval) -> Iterator[Diagnostic]:
    by = gate.by or 0.0
    if gate.better_than is not None and by >= bounds.width:
        detail = f"scores lie between {bounds.low:g} and {bounds.high:g}, and better by more than {by:g} is asked for"
        hint = "a gate may be edited at any time; nothing is trained again for it"
        yield _about(deployment, NEVER_PASSED, detail, "gates", number, "by", hint=hint)


def _held_out_scores(preflight: Preflight, gate: Gate) -> Interval:
    """Between which scores the mean on held-out rows lies, by the grader that gives them."""
    of = gate.held_out
    grader = preflight.config.declared.get(Address("grader", of.grader)) if of else None
    return reward_range(Written(grader, (), str(grader.address)), grader.spec) if grader else ANYTHING


def _one_ended(bounds: Interval) -> str:
    return f"is never below {bounds.low:g}" if math.isfinite(bounds.low) else f"is never above {bounds.high:g}"


def _metrics(preflight: Preflight, job: Declared) -> dict[str, Interval]:
    """The metrics of this job's checkpoints."""
    if method_of(job) is Method.REINFORCEMENT:
        used = grader_of(preflight, job)
        return {**_OF_REINFORCEMENT, **dict.fromkeys(_REWARDS, reward_range(*used) if used else ANYTHING)}
    validated = job.spec.validation_file is not None
    return {name: bounds for name, bounds in _OF_SUPERVISED.items() if validated or "valid" not in name}


def unvalidated_best(preflight: Preflight) -> Iterable[Diagnostic]:
    """`checkpoint: best` goes by figures of validation."""
    for deployment, job in _deployed(preflight):
        supervised = method_of(job) is not Method.REINFORCEMENT
        if supervised and deployment.spec.checkpoint is Pick.BEST and job.spec.validation_file is None:
            detail = f"{job.address} has no validation file, so no checkpoint has a figure that best could go by"
            hint = "write checkpoint: final, or give the job a validation_file"
            yield _about(deployment, NO_BEST, detail, "checkpoint", hint=hint)


def may_vanish(preflight: Preflight) -> Iterable[Diagnostic]:
    """What is named, or goes by another figure, may not be among the few that a service keeps."""
    for deployment, job in _deployed(preflight):
        selector = deployment.spec.checkpoint
        if method_of(job) is not Method.REINFORCEMENT or not isinstance(selector, AtStep | ByMetric):
            continue
        if isinstance(selector, AtStep):
            said = f"step {selector.step} stays only if it is one of them, and may vanish when a better one comes"
        elif selector.metric != "valid_reward_mean":
            said = f"the {selector.take} of {selector.metric} is taken among these"
        else:
            continue
        detail = (
            f"of a reinforcement job, the best three checkpoints by valid_reward_mean and the last are kept: {said}"
        )
        yield _about(deployment, MAY_VANISH, detail, "checkpoint", hint="checkpoint: best and final are always kept")


def _deployed(preflight: Preflight) -> Iterator[tuple[Declared, Declared]]:
    """Every deployment with its job, where that is declared."""
    for deployment in preflight.of_kind("deployment"):
        job = preflight.config.declared.get(Address("job", deployment.spec.job))
        if job is not None:
            yield deployment, job


def _about(of: Declared, code: Code, detail: str, *path: str | int, hint: str | None = None) -> Diagnostic:
    return finding(code, detail, place=of.where(path), address=str(of.address), hint=hint)


RULES: Final = (gates, unvalidated_best, may_vanish)
PROBES: Final = ()
