"""What is known of jobs that train, as the documents that are printed. Pure."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rftplan.render.monitor_shapes import (
    CheckpointDocument,
    CheckpointsDocument,
    EventDocument,
    EventsDocument,
    GraderFaultDocument,
    MetricsDocument,
    MoneyDocument,
    PointDocument,
    SampledAnswerDocument,
    SampledRowDocument,
    SamplesDocument,
    TokensDocument,
    TrainingDocument,
    WatchDocument,
)

if TYPE_CHECKING:
    from rftplan.api.port import JobEvent, SampledAnswer, SampledRow
    from rftplan.intervening.meant import Meant
    from rftplan.kinds.job.trouble import GraderFault
    from rftplan.monitor.facts import Facts, Tokens
    from rftplan.monitor.money import Money
    from rftplan.monitor.points import Point
    from rftplan.watching import Watched
    from rftplan.watching.looking import Events, Samples


def line(document: Mapping[str, object]) -> str:
    """A document on one line, ASCII only as `dumped` has it: of a stream, which is read line by line."""
    return json.dumps(document, allow_nan=False).replace("\x7f", "\\u007f") + "\n"


def watch_document(watched: Watched, *, after: int = 0) -> WatchDocument:
    """`after` is the last step that a document before this one had."""
    end = watched.ending
    training = training_document(watched.facts)
    training["points"] = [point for point in training["points"] if point["step"] > after]
    return {
        "format": "rftplan.watch/1",
        "at": round(watched.at, 3),
        "news": [news.value for news in watched.news],
        "training": training,
        "unanswered": watched.unanswered,
        "ending": None
        if end is None
        else {"end": end.end.value, "ours": end.ours, "needs_a_person": end.needs_a_person, "detail": end.detail},
    }


def training_document(facts: Facts) -> TrainingDocument:
    job, quality = facts.job, facts.quality
    left, stall = facts.remaining, facts.stall
    return {
        "address": str(facts.address) if facts.address else None,
        "id": job.id,
        "model": job.model,
        "status": job.raw_status,
        "simulated": job.simulation is not None,
        "judge": job.simulation.judge if job.simulation else None,
        "step": facts.step,
        "total_steps": facts.total_steps,
        "points": [_point(point) for point in facts.points],
        "grader_errors": [_fault(fault) for fault in facts.faults],
        "tokens": _tokens(facts.tokens),
        "verdict": quality.verdict if quality else None,
        "separates": quality.separates if quality and quality.verdict else None,
        "hacked": quality.hacked if quality else None,
        "elapsed": round(facts.elapsed, 3),
        "remaining": {"seconds": round(left.seconds, 3), "basis": left.basis.value, "steps": left.steps}
        if left
        else None,
        "money": _money(facts.money),
        "quiet": round(facts.quiet, 3),
        "last_event": _event(facts.last) if facts.last else None,
        "stall": {"quiet": round(stall.quiet, 3), "allowed": stall.allowed, "slowest": stall.slowest}
        if stall
        else None,
        "checkpoints": _checkpoints(facts),
        "fine_tuned_model": job.fine_tuned_model,
        "guarded_by": facts.guarded_by,
    }


def _point(point: Point) -> PointDocument:
    return {
        "step": point.step,
        "at": point.at,
        "train_reward": point.train_reward,
        "valid_reward": point.valid_reward,
        "train_loss": point.train_loss,
        "valid_loss": point.valid_loss,
        "train_right": point.train_right,
        "valid_right": point.valid_right,
        "answer_tokens": point.answer_tokens,
        "reasoning_tokens": point.reasoning_tokens,
        "seconds": point.seconds,
    }


def _fault(fault: GraderFault) -> GraderFaultDocument:
    return {
        "grader": fault.grader,
        "error": fault.error,
        "split": fault.split,
        "count": fault.count,
        "of": fault.of,
    }


def _tokens(tokens: Tokens) -> TokensDocument:
    return {
        "answer": tokens.answer,
        "reasoning": tokens.reasoning,
        "growth": tokens.growth,
        "judges": {
            model: {"read": used.read, "written": used.written, "cached": used.cached}
            for model, used in sorted(tokens.judges.items())
        },
        "trained": tokens.trained,
    }


def _money(money: Money) -> MoneyDocument:
    return {
        "usd": None if money.usd is None else round(money.usd, 4),
        "at_most": money.at_most,
        "basis": money.basis.value,
        "hour_usd": money.hour_usd,
        "read": money.read,
        "source": money.source,
        "judged": money.judged,
        "judges_usd": None if money.judges_usd is None else round(money.judges_usd, 4),
    }


def _event(event: JobEvent) -> EventDocument:
    return {
        "id": event.id,
        "at": event.created_at,
        "level": event.level,
        "type": event.type,
        "message": event.message,
    }


def _checkpoints(facts: Facts) -> list[CheckpointDocument]:
    return [
        {
            "step": one.step,
            "model": one.model,
            "id": one.id,
            "at": one.created_at,
            "best": one.step == facts.best,
            "metrics": {name: figure for name, figure in sorted(one.metrics.items()) if math.isfinite(figure)},
        }
        for one in facts.checkpoints
    ]


def events_document(found: Events) -> EventsDocument:
    job = found.meant.job
    return {
        "format": "rftplan.events/1",
        "address": _address(found.meant),
        "id": job.id,
        "status": job.raw_status,
        "simulated": job.simulation is not None,
        "events": [{**_event(event), "data": _finite(event.data)} for event in found.events],
        "more": found.more,
    }


def _finite(value: Any) -> Any:
    """What a service says may have NaN in it, which is no JSON: null in its place."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _address(meant: Meant) -> str | None:
    return str(meant.address) if meant.address else None


def metrics_document(facts: Facts) -> MetricsDocument:
    return {
        "format": "rftplan.metrics/1",
        "address": str(facts.address) if facts.address else None,
        "id": facts.job.id,
        "status": facts.job.raw_status,
        "simulated": facts.job.simulation is not None,
        "total_steps": facts.total_steps,
        "rows": [
            {
                "point": _point(point),
                "grader_errors": [_fault(fault) for fault in point.faults],
                "figures": dict(point.figures),
            }
            for point in facts.points
        ],
    }


def checkpoints_document(facts: Facts) -> CheckpointsDocument:
    return {
        "format": "rftplan.checkpoints/1",
        "address": str(facts.address) if facts.address else None,
        "id": facts.job.id,
        "status": facts.job.raw_status,
        "simulated": facts.job.simulation is not None,
        "checkpoints": _checkpoints(facts),
    }


def samples_document(found: Samples) -> SamplesDocument:
    """Rows in their order; compared with another step, those first that lost most since then."""
    others = {row.row: row for row in found.against}
    compared = found.against_step is not None
    rows = [_compared(_row(row), others.get(row.row)) if compared else _row(row) for row in found.rows]
    rows.sort(key=lambda row: change if (change := row.get("change")) is not None else math.inf if compared else 0)
    job = found.meant.job
    return {
        "format": "rftplan.samples/1",
        "address": _address(found.meant),
        "id": job.id,
        "simulated": job.simulation is not None,
        "step": found.step,
        "against": found.against_step,
        "rows": rows,
    }


def _row(row: SampledRow) -> SampledRowDocument:
    return {
        "row": row.row,
        "messages": _finite(list(row.messages)),
        "item": _finite(row.item),
        "reward": _mean(row.answers),
        "answers": [_answer(answer) for answer in row.answers],
    }


def _compared(document: SampledRowDocument, other: SampledRow | None) -> SampledRowDocument:
    reward, before = document["reward"], _mean(other.answers) if other else None
    return {
        **document,
        "against_reward": before,
        "against_answers": [_answer(answer) for answer in other.answers] if other else [],
        "change": round(reward - before, 6) if reward is not None and before is not None else None,
    }


def _answer(answer: SampledAnswer) -> SampledAnswerDocument:
    return {
        "text": answer.text,
        "tools": _finite(list(answer.tools)),
        "reward": answer.scored.reward,
        "errors": dict(answer.scored.errors),
        "kind": answer.kind,
    }


def _mean(answers: Iterable[SampledAnswer]) -> float | None:
    rewards = [answer.scored.reward for answer in answers if answer.scored.reward is not None]
    return statistics.fmean(rewards) if rewards else None
