"""The nouns of a plan: what would be done, why, and at what risk. Decides nothing and touches nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.canonical import Json
from rftplan.errors import Diagnostic
from rftplan.estimate import Estimate


class Action(StrEnum):
    """What apply does with one address. Closed: every dispatch ends in `assert_never`."""

    NOOP = "noop"
    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    DEFER = "defer"
    """Not yet; nobody has to act."""
    HOLD = "hold"
    """A person has to act."""

    @property
    def acts(self) -> bool:
        """Whether apply does something: the whole rule of `plan --detailed-exitcode`."""
        return self not in (Action.NOOP, Action.DEFER, Action.HOLD)


class Reason(StrEnum):
    """Why, for the reader. Apply never looks at it."""

    MATCHES = "matches"
    NOT_THERE = "not-there"
    CONTENT_CHANGED = "content-changed"
    ALIAS_RESOLVED = "alias-resolved"
    NOT_NEEDED = "not-needed"
    STAYS_HERE = "stays-here"
    STILL_USED = "still-used"
    NEEDED_BY_LAUNCH = "needed-by-launch"
    GONE_AND_NEEDED = "gone-and-needed"
    GONE_NOT_NEEDED = "gone-not-needed"
    GONE_WHILE_USED = "gone-while-used"
    FOUND_AT_SERVICE = "found-at-service"
    DATA_ABSENT = "data-absent"
    RUN_STATE_DIFFERS = "run-state-differs"
    RUN_STATE_HELD_BACK = "run-state-held-back"
    CHANGING_STATE = "changing-state"
    BEFORE_FIRST_STEP = "before-first-step"
    RUNNING = "running"
    PARTIAL = "partial"
    ASKED_TO_REPLACE = "asked-to-replace"
    RETRY = "retry"
    AFTER_OUR_CANCEL = "after-our-cancel"
    SUPERSEDED = "superseded"
    JOB_FAILED = "job-failed"
    CANCELLED_ELSEWHERE = "cancelled-elsewhere"
    CANCELLED_BY_HAND = "cancelled-by-hand"
    PAUSED_ELSEWHERE = "paused-elsewhere"
    GONE = "gone"
    UNKNOWN_STATUS = "unknown-status"
    FATE_UNKNOWN = "fate-unknown"
    FATE_UNKNOWABLE = "fate-unknowable"
    MAY_BE_OURS = "may-be-ours"
    INTENT_RECOVERED = "intent-recovered"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    FOREIGN_LINEAGE = "foreign-lineage"
    LOOKS_MOVED = "looks-moved"
    MOVED = "moved"
    LOCK_REBUILT = "lock-rebuilt"
    WAITS_FOR_JOB = "waits-for-job"
    WAITS_FOR_PLACE = "waits-for-place"
    UPSTREAM_BLOCKED = "upstream-blocked"
    GATES_PASSED = "gates-passed"
    GATE_FAILED = "gate-failed"
    NEEDS_EVIDENCE = "needs-evidence"
    SELECTION_ONLY = "selection-only"
    NO_CHECKPOINT = "no-checkpoint"
    CHECKPOINT_VANISHED = "checkpoint-vanished"
    PERMISSIONS_DIFFER = "permissions-differ"
    PERMISSIONS_UNKNOWN = "permissions-unknown"
    REMOVED_FROM_SPEC = "removed-from-spec"
    DESTROYED = "destroyed"
    NOT_ASKED = "not-asked"
    CHANGED_OUTSIDE = "changed-outside"
    PREVENTED = "prevented"
    OVER_BUDGET = "over-budget"
    HELD = "held"
    GOES_ON_HELD = "goes-on-held"
    ACCEPTED = "accepted"
    EDIT_IGNORED = "edit-ignored"
    LEFT_OUT = "left-out"
    MODEL_IN_USE = "model-in-use"
    NOT_OURS = "not-ours"


class Leave(StrEnum):
    """Who may take a hazard."""

    POLICY = "policy"
    """The specs' policy, or a person."""
    PERSON = "person"
    """A person alone, by a yes or by --allow."""


class Hazard(StrEnum):
    """What spends, deletes or replaces something live; apply needs leave for each."""

    SPEND = "spend"
    DELETE = "delete"
    REPLACE_LIVE = "replace-live"
    CANCEL_ACTIVE = "cancel-active"
    RESUME_AFTER_SERVICE_PAUSE = "resume-after-service-pause"


class Mode(StrEnum):
    """What a plan is about, and what it was compared with."""

    WHOLE = "whole"
    """Specs, lock and service."""
    DESTROY = "destroy"
    """As if the specs declared nothing."""
    OFFLINE = "offline"
    """Specs and lock: the service was not asked."""
    REFRESH = "refresh-only"
    """Lock and service: nothing of the specs."""


class FieldChange(Struct, frozen=True):
    """One value that differs; `path` in dots and brackets, `None` for "absent"."""

    path: str
    before: Json
    after: Json


class Basis(StrEnum):
    """What the rows behind a figure were used for before."""

    TRAINING = "training"
    SELECTION = "selection"
    """To choose the checkpoint: the best of several on the same rows looks better than it is."""
    INDEPENDENT = "independent"
    """Neither to train nor to choose."""


class Evidence(Struct, frozen=True):
    """One gate and the figure that it saw. `source` names the checkpoint; `caveats` what the figure is worth. `basis`
    is None where the figure does not say how good a model is.

    A mean over held-out rows lies between `low` and `high`, which `looks` models that were judged on these rows have
    widened; both have to be within the bounds. Of a comparison it is the difference to `than`, and has to be
    `more_than` so much."""

    metric: str
    value: float | None
    at_least: float | None
    at_most: float | None
    passed: bool
    source: str
    caveats: tuple[str, ...] = ()
    basis: Basis | None = None
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    confidence: float | None = None
    looks: int | None = None
    than: str | None = None
    more_than: float | None = None


class HazardOf(Struct, frozen=True):
    """A hazard of one change, in words."""

    hazard: Hazard
    detail: str
    leave: Leave = Leave.POLICY


class Change(Struct, frozen=True):
    """What happens to one address.

    `verb` is the kind's own word. `needs` are the addresses whose remote objects the step uses; `after` those
    that apply must have finished first. `then` are the verbs that follow once a job ended, and the only ones
    that `apply --wait` may add; where the step itself waits for no job, `awaits` is that job and `ahead` are the
    hazards of what follows. `step` is the kind's own instruction to itself, opaque to everything else.
    """

    address: Address
    action: Action
    verb: str
    reason: Reason
    detail: str = ""
    fields: tuple[FieldChange, ...] = ()
    then: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    hazards: tuple[HazardOf, ...] = ()
    estimate: Estimate | None = None
    """What it will probably cost; None for what costs nothing, and for what is not estimated."""
    needs: tuple[Address, ...] = ()
    after: tuple[Address, ...] = ()
    awaits: tuple[Address, ...] = ()
    ahead: tuple[HazardOf, ...] = ()
    step: object = None
    fingerprint: str | None = None
    """What the spec wants the resource to be, so that a digest binds what will be launched."""
    declared: str | None = None
    """The whole spec in one digest, of what acts or is announced: metadata is sent, too, and is no identity."""
    id: str | None = None
    """What the lock had under this address when it was planned."""
    attempt: int | None = None
    """Of a launch: the slot that it takes, so that a plan which was carried out is never taken for one to come."""
    closes: int | None = None
    """The number of an open intent whose fate is known now, which apply closes although it may not act."""
    tombstone: str | None = None
    """The launch that the intent of `closes` ended; None if it came to nothing."""

    def follows(self, address: Address) -> bool:
        """Whether what `then` announces waits for the end of that job."""
        return bool(self.then) and address in (self.after if self.action is Action.DEFER else self.awaits)

    def without_follow_up(self) -> Change:
        if self.action is Action.DEFER:
            return replace(self, then=(), hazards=(), step=None, estimate=None)
        return replace(self, then=(), ahead=(), awaits=())


class Drift(Struct, frozen=True):
    """What the service says now against what the lock recorded; reported, never an instruction."""

    address: Address
    detail: str
    fields: tuple[FieldChange, ...] = ()


class Plan(Struct, frozen=True):
    """Ordered changes and what they were computed from. The same inputs give the same plan."""

    project: str
    env: str
    provider: Mapping[str, str | None]
    changes: tuple[Change, ...]
    drift: tuple[Drift, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    allowed: frozenset[Hazard] = frozenset()
    """Hazards that the specs' policy allows without being asked."""
    mode: Mode = Mode.WHOLE
    lineage: str | None = None
    """The lineage that a new lock takes over, if launches of a lost lock were found."""
    line: tuple[Address, ...] = ()
    """What takes a place at the provider, now or once one is free, or keeps its turn although something holds it:
    who has waited longest comes first."""
    waiting: tuple[Address, ...] = ()
    """Who of these waits, or has waited and may still fail to start: what the lock keeps of the order."""
    target: tuple[Address, ...] = ()
    exclude: tuple[Address, ...] = ()
    """What a person limited it to, and left out of it, by name; both empty: it is about everything."""
    left_out: tuple[Address, ...] = ()
    """All that it is not about, changed or not."""

    @property
    def acts(self) -> bool:
        return any(change.action.acts for change in self.changes)

    @property
    def held(self) -> bool:
        return any(change.action is Action.HOLD for change in self.changes)

    def verbs(self) -> dict[str, int]:
        """How many changes of each verb, NOOP left out, in alphabetical order."""
        return dict(sorted(Counter(c.verb for c in self.changes if c.action is not Action.NOOP).items()))

    def without_follow_ups(self) -> Plan:
        """The plan as it is carried out without waiting: nothing that `then` announces, none of its hazards."""
        return replace(self, changes=tuple(change.without_follow_up() for change in self.changes))

    def without_left_out(self) -> Plan:
        """The plan as it is carried out: nothing is to be said of what it is not about."""
        return replace(self, changes=tuple(c for c in self.changes if c.reason is not Reason.LEFT_OUT))

    def hazards(self) -> tuple[tuple[Address, HazardOf], ...]:
        return tuple((c.address, hazard) for c in self.changes for hazard in (*c.hazards, *c.ahead))

    def ahead(self) -> frozenset[tuple[Address, HazardOf]]:
        """Those of the hazards that only what follows has: without waiting, nothing needs leave for them."""
        return frozenset(self.hazards()) - frozenset(self.without_follow_ups().hazards())
