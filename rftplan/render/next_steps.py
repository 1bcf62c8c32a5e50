"""What a person does about a change that apply does not carry out: one step for each reason. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rftplan.changes import Action, Change, Reason
from rftplan.render.escape import visible
from rftplan.render.reasons import reason_text

HOLD: Final = Action.HOLD.value
_AGAIN: Final = "{program} apply --replace {address}"

HOLDS: Final[Mapping[Reason, str]] = {
    Reason.HELD: "{program} release {address}",
    Reason.GOES_ON_HELD: "{program} pause {address} stops it again; or let it go on: {program} resume {address}",
    Reason.LOCK_REBUILT: "{program} release {address}; its candidate is judged anew then",
    Reason.PAUSED_ELSEWHERE: "{program} resume {address} --allow resume-after-service-pause, once it is known why "
    "it was paused; or leave it at that: write run: paused",
    Reason.JOB_FAILED: "mend its spec or its data; "
    f"or launch it as it is: {_AGAIN}; or leave it at that: write run: cancelled",
    Reason.CANCELLED_ELSEWHERE: f"launch it again: {_AGAIN}; or leave it at that: write run: cancelled",
    Reason.CANCELLED_BY_HAND: f"launch it again: {_AGAIN}; or leave it at that: write run: cancelled",
    Reason.GONE: f"launch it again: {_AGAIN}; or leave it at that: write run: cancelled",
    Reason.AMBIGUOUS: f"leave only one of them, where that can be done; or launch it anew: {_AGAIN}",
    Reason.FATE_UNKNOWABLE: f"find out whose it is, and take it if it is yours; or launch it anew beside it: {_AGAIN}",
    Reason.MAY_BE_OURS: f"find out whose it is, and take it if it is yours; or launch it anew beside it: {_AGAIN}",
    Reason.DUPLICATE: "cancel what runs beside it at the service, then {program} plan",
    Reason.FOREIGN_LINEAGE: "bring back the lock that launched it (--lock FILE, git log -- rftplan.lock); "
    f"or, if nobody else needs it, launch in its place and cancel it: {_AGAIN}",
    Reason.LOOKS_MOVED: f"write that into the specs; or launch it as something new: {_AGAIN}",
    Reason.UPSTREAM_BLOCKED: "decide about that one first",
    Reason.PREVENTED: "take that out of its spec, or undo what asks for it",
    Reason.OVER_BUDGET: "raise its budget in the specs, or make it train less, then {program} apply",
    Reason.MODEL_IN_USE: "point that to another model, or take delete_model out of the specs",
    Reason.NOT_OURS: "delete it at the service, if nobody needs it, and take delete_model out of the specs",
    Reason.DATA_ABSENT: "fetch the file (git lfs pull, dvc pull), then {program} apply",
    Reason.GATE_FAILED: "change the gate, the checkpoint or the job in the specs, then {program} apply",
    Reason.SELECTION_ONLY: "let a gate look at rows that the job does not have, "
    "or write checkpoint: final and a gate on validation; "
    "or, if chance may replace what is live, policy: {{allow_selection_only: true}}",
    Reason.NO_CHECKPOINT: "name a checkpoint that its job has, then {program} apply; "
    "or, if it has none any more, launch that job again, which {program} apply --replace with its address does",
    Reason.CHECKPOINT_VANISHED: "name another checkpoint in its spec; "
    "or launch that job again, which {program} apply --replace with its address does",
}
"""Each reason that stops an address until a person acts; a test looks for one that is missing."""

WAITS: Final[Mapping[Reason, str]] = {
    Reason.CHANGING_STATE: "nobody has to act; the next {program} apply looks again",
    Reason.BEFORE_FIRST_STEP: "{program} apply --wait waits for that step and pauses it; "
    "without --wait, run {program} apply again after it",
    Reason.WAITS_FOR_PLACE: "{program} apply --wait begins it when a place is free; "
    "without --wait, run {program} apply again after a job has ended",
    Reason.FATE_UNKNOWN: "nobody has to act; the next {program} apply looks again, before it repeats anything",
    Reason.STILL_USED: "nobody has to act; an {program} apply after that one has ended deletes it",
    Reason.UNKNOWN_STATUS: "the next {program} apply looks again; a newer rftplan may know that status",
    Reason.PERMISSIONS_UNKNOWN: "set OPENAI_ADMIN_KEY, then {program} apply",
}
"""What waits for another address (WAITS_FOR_JOB, UPSTREAM_BLOCKED) goes on with that one, which has its own step."""


def next_step(*, action: str, reason: str, address: str, program: str) -> str | None:
    """What to do about a HOLD or a DEFER, as text that can be printed; None if there is nothing of its own to do."""
    steps = {Action.HOLD.value: HOLDS, Action.DEFER.value: WAITS}.get(action, {})
    step = next((text for known, text in steps.items() if known.value == reason), None)
    return None if step is None else step.format(program=program, address=visible(address))


_BAD_ENDS: Final[Mapping[str, Reason]] = {
    "failed": Reason.JOB_FAILED,
    "cancelled": Reason.CANCELLED_ELSEWHERE,
}


def step_after(status: str, *, address: str, program: str) -> str | None:
    """What to do about a job that ended with this status while we looked: the next plan will hold it."""
    reason = _BAD_ENDS.get(status, Reason.JOB_FAILED)
    return next_step(action=Action.HOLD.value, reason=reason.value, address=address, program=program)


def not_released(change: Change, program: str) -> tuple[str, str]:
    """Message and hint where `release` has nothing to lift: how the address stands, and what helps instead."""
    step = next_step(
        action=change.action.value, reason=change.reason.value, address=str(change.address), program=program
    )
    said = reason_text(change.reason.value, change.detail)
    if change.action is Action.HOLD:
        return f"{change.address} is held, but not by what release lifts: {said}", step or f"{program} plan"
    return f"nothing holds {change.address}: {said}", step or f"{program} plan"
