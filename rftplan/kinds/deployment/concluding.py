"""What becomes of a candidate: what its gates still need is evaluated, then it is promoted or held. Chooses no
candidate, and decides by the same pure judgement as the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Change, Evidence
from rftplan.events import Graded, Outcome, Result
from rftplan.judging import Figure, difference_of, mean_of, row_means, tail_of
from rftplan.kinds.base import Act, result
from rftplan.kinds.deployment.held_out import Needed, look_of, needed, seen_in, with_figure
from rftplan.kinds.deployment.perform import promote
from rftplan.kinds.deployment.spec import DeploymentSpec, EvaluateStep, model_of
from rftplan.kinds.deployment.weighing import NOT_INDEPENDENT, failed_already, may_replace, weighed
from rftplan.kinds.evidence import Seen

if TYPE_CHECKING:
    from rftplan.evaluating.evaluator import Scores


class _Stopped(Exception):
    """Somebody stopped an evaluation."""


async def conclude(change: Change, step: EvaluateStep, act: Act) -> Result:
    """Promote the candidate if every gate passes, else hold it with the figures. Nothing is sampled where a gate failed
    that it cannot help, or where nothing may be replaced anyway."""
    spec: DeploymentSpec = act.resources[change.address].spec
    live = model_of(act.ledger.entries.get(change.address))
    replaces = live is not None and live != step.candidate.model
    missing, failed = _missing(change.address, step, act), dict[int, Seen]()
    prevented = replaces and spec.lifecycle.prevent_replace
    hopeless = failed_already(spec, _evidence(change, step, act), {one.number for one in missing})
    if missing and not prevented and not hopeless:
        try:
            failed = {one.number: seen for one in missing if (seen := await _evaluate(change.address, one, act))}
        except _Stopped:
            return result(change, Outcome.SKIPPED, detail="apply was stopped; what was answered is kept")
    evidence = _evidence(change, step, act, failed)
    if not all(seen.passed for seen in evidence) and not (prevented and missing):
        return _held(change, step, "a gate failed", evidence)
    if prevented:
        return _held(change, step, f"lifecycle.prevent_replace keeps {live} live", evidence)
    if not may_replace(evidence, live, step.candidate, act.scope):
        return _held(change, step, NOT_INDEPENDENT, evidence)
    return await promote(change, step.candidate, evidence, act)


def _held(change: Change, step: EvaluateStep, why: str, evidence: tuple[Evidence, ...]) -> Result:
    return result(change, Outcome.HELD, id=step.candidate.model, verb="promote", detail=why, evidence=evidence)


def _needed(address: Address, step: EvaluateStep, act: Act) -> tuple[Needed, ...]:
    live = model_of(act.ledger.entries.get(address))
    return needed(act.resources[address].spec, step.candidate, live, act.resources, act.scope)


def _missing(address: Address, step: EvaluateStep, act: Act) -> list[Needed]:
    wanted = _needed(address, step, act)
    there = seen_in(act.ledger.entries.get(address), wanted)
    return [one for one in wanted if one.number not in there]


def _evidence(
    change: Change, step: EvaluateStep, act: Act, failed: Mapping[int, Seen] | None = None
) -> tuple[Evidence, ...]:
    entry = act.ledger.entries.get(change.address)
    return weighed(
        act.resources[change.address].spec,
        step.candidate,
        step.checkpoints,
        act.resources,
        live=model_of(entry),
        failing=step.failing,
        caveat=step.caveat,
        seen={**seen_in(entry, _needed(change.address, step, act)), **(failed or {})},
    )


async def _evaluate(address: Address, one: Needed, act: Act) -> Seen | None:
    """Ask, grade, and keep the figure. Where the grader failed nothing is kept but the answers, so that the next apply
    grades what is missing: then what is known is given back."""
    of, evaluate = one.gate.held_out, act.evaluate
    assert of is not None and evaluate is not None
    import asyncio  # here, for `check` reads kinds and waits for nothing

    path = act.data_path(Address("file", of.file))
    scores: list[Scores] = []
    tasks = [one.mine] if one.theirs is None else [one.mine, one.theirs]

    def told(done: int, total: int) -> None:
        act.on_event(Graded(f"{address} on file.{of.file}", done + len(scores) * total, len(tasks) * total))

    for task in tasks:
        found = await evaluate(replace(task, path=path), told)
        if found is None:
            raise _Stopped
        scores.append(found)
    look = look_of(act.ledger.entries, one)
    figure = await asyncio.to_thread(_figure, one, [row_means(each.rows) for each in scores], look)
    if failed := sum(each.failed for each in scores):
        why = next(each.why for each in scores if each.failed)
        return Seen(figure.value, figure.low, figure.high, figure.rows, look, figure.way.value, failed, why)
    act.ledger.record(address, with_figure(act.ledger.entries.get(address), one, figure, look=look))
    return None


def _figure(one: Needed, scores: Sequence[Sequence[float]], look: int) -> Figure:
    tail = tail_of(one.gate.sure, look)
    if len(scores) == 1:
        return mean_of(scores[0], tail=tail, within=one.within)
    return difference_of(scores[0], scores[1], tail=tail, within=one.within)
