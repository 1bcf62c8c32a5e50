"""What a service that simulates says of answers and grader, beside the reward. Reads metrics events; judges nothing.

Only such a service knows which answers are right: a run there shows whether a grader rewards them, or something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rftplan.api.port import JobEvent
from rftplan.canonical import Json, JsonObject
from rftplan.events import Quality
from rftplan.lockfile import Entry
from rftplan.typed_json import finite_of

KEY: Final = "quality"
"""Where the lock keeps it, for a job that ended."""
_SEPARATES: Final = "separates"


def quality_of(events: Sequence[JobEvent]) -> Quality | None:
    """The newest figures; None of a service that says nothing of it. `events` newest first."""
    told = [said for event in events if event.type == "metrics" and (said := _simulation(event.data)) is not None]
    if not told or not any("verdict" in said or "train_right_share" in said for said in told):
        return None
    verdict = next((said["verdict"] for said in told if isinstance(said.get("verdict"), dict)), None)
    verdict = verdict if isinstance(verdict, dict) else {}
    return Quality(
        _newest(told, "train_right_share"),
        _newest(told, "valid_right_share"),
        _text(verdict.get("said")),
        separates=verdict.get("verdict") == _SEPARATES,
        hacked=_text(told[0].get("hacked")),
    )


def kept_values(quality: Quality) -> JsonObject:
    """What the lock keeps."""
    values: JsonObject = {"valid_right": quality.valid_right, "hacked": quality.hacked}
    return {key: value for key, value in values.items() if value is not None}


def kept_quality(entry: Entry | None) -> Quality | None:
    """What the lock keeps of a job that ended; the inverse of `kept_values`."""
    kept = entry.resolved.get(KEY) if entry is not None else None
    if not isinstance(kept, dict):
        return None
    return Quality(valid_right=finite_of(kept.get("valid_right")), hacked=_text(kept.get("hacked")))


def said(quality: Quality | None) -> str:
    """`right answers 0.1, and reward rose without them`; nothing if nothing is known. The events say more."""
    if quality is None:
        return ""
    if quality.valid_right is None:
        return "reward rose without right answers" if quality.hacked else ""
    return f"right answers {quality.valid_right:.3g}" + (", and reward rose without them" if quality.hacked else "")


def right_shares(data: JsonObject) -> tuple[float | None, float | None]:
    """Of one step: how many answers were right in training and in validation, where the service knows."""
    told = _simulation(data) or {}
    return finite_of(told.get("train_right_share")), finite_of(told.get("valid_right_share"))


def _simulation(data: JsonObject) -> JsonObject | None:
    said = data.get("simulation")
    return said if isinstance(said, dict) else None


def _newest(told: Sequence[JsonObject], key: str) -> float | None:
    return next((share for said in told if (share := finite_of(said.get(key))) is not None), None)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
