"""Why, in plain words: one phrase for each reason, fit to follow an address. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rftplan.changes import Reason
from rftplan.render.escape import visible

PHRASES: Final[Mapping[Reason, str]] = {
    Reason.MATCHES: "as the specs say",
    Reason.NOT_THERE: "not there yet",
    Reason.CONTENT_CHANGED: "its content changed",
    Reason.ALIAS_RESOLVED: "another name of the same model snapshot",
    Reason.NOT_NEEDED: "no job that is about to launch needs it",
    Reason.STILL_USED: "a job at the service goes on from it",
    Reason.STAYS_HERE: "the specs keep it here (upload: never)",
    Reason.NEEDED_BY_LAUNCH: "a job that is about to launch needs it",
    Reason.GONE_AND_NEEDED: "gone from the service, and a job still has to start from it",
    Reason.GONE_NOT_NEEDED: "gone from the service, and nothing needs it any more",
    Reason.GONE_WHILE_USED: "gone from the service, while a job that was made from it has not ended",
    Reason.FOUND_AT_SERVICE: "the service has it already",
    Reason.DATA_ABSENT: "its bytes are not here, but the lock knows them",
    Reason.RUN_STATE_DIFFERS: "not in the run state that the specs want",
    Reason.RUN_STATE_HELD_BACK: "the run state that the specs want keeps it from launching",
    Reason.CHANGING_STATE: "the service is still changing its state",
    Reason.BEFORE_FIRST_STEP: "not paused yet, it can be paused only after its first step",
    Reason.RUNNING: "it is training",
    Reason.PARTIAL: "it ended before its last step",
    Reason.ASKED_TO_REPLACE: "--replace asked for it",
    Reason.RETRY: "the last launch failed and retry has attempts left",
    Reason.AFTER_OUR_CANCEL: "rftplan itself ended the last launch, so a new one is free to start",
    Reason.SUPERSEDED: "a newer launch took its place",
    Reason.JOB_FAILED: "the job failed",
    Reason.CANCELLED_ELSEWHERE: "somebody else cancelled it",
    Reason.CANCELLED_BY_HAND: "rftplan cancel ended it",
    Reason.PAUSED_ELSEWHERE: "the service or somebody else paused it",
    Reason.GONE: "the service does not know it any more",
    Reason.UNKNOWN_STATUS: "the service reports a status that this rftplan does not know",
    Reason.FATE_UNKNOWN: "a request got no clear answer; the service gets time to show its effect",
    Reason.FATE_UNKNOWABLE: "a request got no clear answer, and a look-up gives none either",
    Reason.MAY_BE_OURS: "what is at the service may be this one already",
    Reason.INTENT_RECOVERED: "an interrupted apply began it, and its effect was found at the service",
    Reason.AMBIGUOUS: "several objects at the service could be this one",
    Reason.DUPLICATE: "it was launched twice",
    Reason.FOREIGN_LINEAGE: "another lock launched it",
    Reason.MOVED: "the specs say that it moved",
    Reason.LOOKS_MOVED: "the same thing exists under an address that the specs lack",
    Reason.LOCK_REBUILT: "the lock was lost, and with it rollbacks, holds and evidence",
    Reason.WAITS_FOR_JOB: "its job has not succeeded yet",
    Reason.WAITS_FOR_PLACE: "waits for a place",
    Reason.UPSTREAM_BLOCKED: "something that it depends on cannot go on",
    Reason.GATES_PASSED: "its candidate passed every gate",
    Reason.GATE_FAILED: "its candidate failed a gate",
    Reason.NEEDS_EVIDENCE: "its gates need figures on held-out rows first",
    Reason.SELECTION_ONLY: "its candidate passed only on what trained or chose it",
    Reason.NO_CHECKPOINT: "its job has no checkpoint that it could take",
    Reason.CHECKPOINT_VANISHED: "the promoted checkpoint is gone from the service",
    Reason.PERMISSIONS_DIFFER: "the checkpoint's permissions are not those of the specs",
    Reason.PERMISSIONS_UNKNOWN: "the checkpoint's permissions could not be read",
    Reason.REMOVED_FROM_SPEC: "no longer in the specs",
    Reason.DESTROYED: "destroy asked for it",
    Reason.NOT_ASKED: "only the service knows, and it was not asked",
    Reason.CHANGED_OUTSIDE: "the service says something else than the lock",
    Reason.PREVENTED: "its lifecycle in the specs forbids it",
    Reason.OVER_BUDGET: "it would cost more than its budget",
    Reason.HELD: "a hold is on it until a person lifts it",
    Reason.GOES_ON_HELD: "it was to stand still, and goes on all the same",
    Reason.ACCEPTED: "accepted",
    Reason.EDIT_IGNORED: "edited, and lifecycle.ignore_changes lets that stand",
    Reason.LEFT_OUT: "left out of this plan",
    Reason.MODEL_IN_USE: "its model shall be deleted, and is in use",
    Reason.NOT_OURS: "only what was launched from here is deleted",
}
"""Complete: a test compares it with the enum."""

QUIET: Final = frozenset({Reason.MATCHES, Reason.NOT_NEEDED, Reason.GATES_PASSED})
"""An unchanged resource with one of these is not listed."""


def reason_text(code: str, detail: str) -> str:
    """The phrase, then what exactly."""
    return f"{phrase(code)}: {visible(detail)}" if detail else phrase(code)


def phrase(code: str) -> str:
    """The phrase of a reason as a document has it, fit to be printed; a code of a newer rftplan stands for itself."""
    try:
        return PHRASES[Reason(code)]
    except ValueError:
        return visible(code)
