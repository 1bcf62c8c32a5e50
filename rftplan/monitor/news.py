"""What is new about a job since somebody looked last. Pure; says nothing itself."""

from __future__ import annotations

from enum import StrEnum

from rftplan.monitor.facts import Facts


class News(StrEnum):
    """One thing that changed."""

    STATUS = "status"
    STEP = "step"
    VALIDATED = "validated"
    TENTH = "tenth"
    """Another tenth of the steps of a job that is not validated now and then: one with losses."""
    CHECKPOINT = "checkpoint"
    GRADER_ERRORS = "grader-errors"
    VERDICT = "verdict"
    HACKED = "hacked"
    STALL = "stall"


def news_of(before: Facts | None, now: Facts) -> tuple[News, ...]:
    """In the order of the class; of a job that was never looked at, all that there is."""
    changed = {
        News.STATUS: before is None or before.job.raw_status != now.job.raw_status,
        News.STEP: _step(now) > _step(before),
        News.VALIDATED: _validated(now) > _validated(before),
        News.TENTH: _tenth(now) > _tenth(before),
        News.CHECKPOINT: bool(_checkpoints(now) - _checkpoints(before)),
        News.GRADER_ERRORS: bool(_faults(now) - _faults(before)),
        News.VERDICT: _verdict(now) not in (None, _verdict(before)),
        News.HACKED: _hacked(now) and not _hacked(before),
        News.STALL: now.stall is not None and (before is None or before.stall is None),
    }
    return tuple(news for news, is_new in changed.items() if is_new)


def _step(facts: Facts | None) -> int:
    return facts.step or 0 if facts else 0


def _validated(facts: Facts | None) -> int:
    """The last step whose validation reward is known."""
    told = facts.points if facts else ()
    return next((point.step for point in reversed(told) if point.valid_reward is not None), 0)


def _tenth(facts: Facts | None) -> int:
    if facts is None or not facts.total_steps or not any(point.train_loss is not None for point in facts.points[-1:]):
        return 0
    return 10 * _step(facts) // facts.total_steps


def _checkpoints(facts: Facts | None) -> frozenset[int]:
    return frozenset(checkpoint.step for checkpoint in facts.checkpoints) if facts else frozenset()


def _faults(facts: Facts | None) -> frozenset[tuple[str, str]]:
    """Which graders fail, and how; that more of the same do is no news."""
    return frozenset((fault.grader, fault.error) for fault in facts.faults) if facts else frozenset()


def _verdict(facts: Facts | None) -> str | None:
    return facts.quality.verdict if facts and facts.quality else None


def _hacked(facts: Facts | None) -> bool:
    return bool(facts and facts.quality and facts.quality.hacked)
