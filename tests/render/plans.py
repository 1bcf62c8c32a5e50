"""Plans made by hand for the rendering tests. Nothing here is planned by the planner."""

from __future__ import annotations

from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.changes import (
    Action,
    Change,
    Drift,
    Evidence,
    FieldChange,
    Hazard,
    HazardOf,
    Plan,
    Reason,
)
from rftplan.errors import Diagnostic, Place, Severity

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)

FINDING = Diagnostic("S201", "Unknown field", "detail", Severity.WARNING, Place("specs/a.yaml", 3, 5))

FILE = Address("file", "train")
JOB = Address("job", "security-review")
DEPLOYMENT = Address("deployment", "security-reviewer")
PROVIDER = {"type": "local", "base_url": "http://local/v1", "organization": None, "project": None}

GATE = Evidence(
    metric="valid_reward_mean",
    value=0.9123,
    at_least=0.8,
    at_most=None,
    passed=True,
    source="checkpoint step 12",
    caveats=("SIMULATED", "stand-in judge (text overlap)"),
)


def plan_of(*changes: Change, drift: tuple[Drift, ...] = ()) -> Plan:
    return Plan(project="security", env="default", provider=PROVIDER, changes=changes, drift=drift)


FIRST = plan_of(
    Change(FILE, Action.CREATE, "upload", Reason.NEEDED_BY_LAUNCH),
    Change(Address("grader", "answer"), Action.NOOP, "keep", Reason.MATCHES),
    Change(JOB, Action.CREATE, "launch", Reason.NOT_THERE),
    Change(
        DEPLOYMENT,
        Action.DEFER,
        "wait",
        Reason.WAITS_FOR_JOB,
        "job.security-review is launched first",
        then=("promote",),
    ),
)

RELAUNCH = plan_of(
    Change(
        JOB,
        Action.REPLACE,
        "launch",
        Reason.CONTENT_CHANGED,
        "launched beside the old one, which is then cancelled",
        fields=(
            FieldChange("method.reinforcement.hyperparameters.reasoning_effort", "low", "medium"),
            FieldChange("seed", None, 7),
        ),
        hazards=(
            HazardOf(Hazard.SPEND, "one training run of o4-mini-2025-04-16"),
            HazardOf(Hazard.CANCEL_ACTIVE, "ftjob-1 is running"),
        ),
    ),
    Change(DEPLOYMENT, Action.UPDATE, "promote", Reason.GATES_PASSED, "ft:new (step 12)", evidence=(GATE,)),
    drift=(Drift(FILE, "file-1 is gone from the service"),),
)
