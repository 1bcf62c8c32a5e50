"""A run that a person lets stand although its spec was edited since. Pure: the lock's entry in, another out."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, FieldChange, Reason
from rftplan.diff import diff
from rftplan.kinds.base import Resource, stands_for
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import Entry

_REASON: Final = "reason"


def as_launched(entry: Entry) -> Entry:
    """The entry as it was before anybody accepted an edit: fingerprint and inputs are those of the launch."""
    launched = entry.accepted.get("launched")
    if not isinstance(launched, dict) or not isinstance(launched.get("inputs"), dict):
        return entry
    inputs = launched["inputs"]
    assert isinstance(inputs, dict)
    return replace(entry, fingerprint=str(launched["fingerprint"]), inputs=inputs, accepted={})


def edits(entry: Entry, want: Resource) -> tuple[FieldChange, ...]:
    """What the spec says otherwise than what was launched."""
    return diff(as_launched(entry).inputs, want.inputs)


def with_accepted(entry: Entry, want: Resource, reason: str) -> Entry:
    """The entry that stands for the spec as it is now, and keeps what was launched, what differs, and why it may."""
    launched = as_launched(entry)
    accepted: JsonObject = {
        _REASON: reason,
        "fields": [{"path": one.path, "before": one.before, "after": one.after} for one in edits(entry, want)],
        "launched": {"fingerprint": launched.fingerprint, "inputs": launched.inputs},
    }
    return replace(entry, fingerprint=want.fingerprint, inputs=want.inputs, accepted=accepted)


def accepted_reason(entry: Entry, want: Resource) -> str | None:
    """Why the spec as it is now may differ from what was launched; None where nobody accepted that."""
    reason = entry.accepted.get(_REASON)
    return str(reason) if reason is not None and stands_for(entry, want) else None


def told(change: Change, entry: Entry, want: Resource) -> Change:
    """A job that is kept, with why; one whose edit was taken back stands for what was launched again."""
    if change.action is not Action.NOOP or not entry.accepted:
        return change
    reason = accepted_reason(entry, want)
    if reason is None:
        return change if change.step is not None else replace(change, step=RecordStep(as_launched(entry)))
    detail = f"{reason}; {change.detail}" if change.reason is Reason.PARTIAL else reason
    return replace(change, reason=Reason.ACCEPTED, detail=detail)
