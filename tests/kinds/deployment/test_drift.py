"""What became of a live model without us: deleted, granted, revoked; and what a refresh makes of it."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.api.port import Permission
from rftplan.journal import Intent
from rftplan.kinds.base import OpenIntent, Situation
from rftplan.kinds.deployment import KIND, SeenDeployment
from rftplan.kinds.deployment.drift import BY_OTHERS
from rftplan.lockfile import Entry
from tests.kinds.builders import scope
from tests.kinds.deployment.test_decide import AT, DONE, OPEN, live, permitted

OURS = {"ft:6": {"p1": "cp_p1", "p2": "cp_p2"}}
ENTRY = live(want=OPEN, permissions=OURS)


def given(seen: SeenDeployment, entry: Entry | None = ENTRY) -> Situation:
    return Situation(AT, OPEN, entry, seen, None, scope())


def said(found: Situation) -> list[str]:
    return [one.detail for one in KIND.drift(found)]


def test_a_permission_that_somebody_granted_is_named_once_it_is_recorded_no_more() -> None:
    found = given(permitted("p1", "p2", "p9"))
    assert said(found) == ["project p9 may use ft:6: somebody else granted it"]
    entry = KIND.refreshed(found)
    assert entry is not None and entry.resolved[BY_OTHERS] == ["p9"]
    assert said(replace(found, entry=entry)) == []
    assert KIND.refreshed(replace(found, entry=entry)) is None
    gone = KIND.refreshed(given(permitted("p1", "p2"), entry))
    assert gone is not None and BY_OTHERS not in gone.resolved


def test_what_the_specs_want_anyway_is_nobody_elses() -> None:
    assert said(given(permitted("p1", "p2"), live(want=OPEN, permissions={"ft:6": {}}))) == []


def test_a_permission_that_was_revoked_is_ours_no_more_and_granted_again() -> None:
    found = given(permitted("p1"))
    assert said(found) == ["permission cp_p2 was revoked by somebody else"]
    entry = KIND.refreshed(found)
    assert entry is not None and entry.resolved["permissions"] == {"ft:6": {"p1": "cp_p1"}}
    assert said(replace(found, entry=entry)) == []


def test_a_live_model_that_was_deleted_is_named_and_stays_known() -> None:
    found = given(replace(permitted("p1", "p2"), checkpoints=()))
    assert said(found) == ["ft:6 is no longer among its job's checkpoints: somebody deleted it"]
    assert KIND.refreshed(found) is None


def test_nothing_is_said_of_what_nobody_looked_at() -> None:
    for seen in (replace(DONE, permissions=None), SeenDeployment(None), replace(DONE, asked=False, checkpoints=())):
        assert KIND.refreshed(given(seen)) is None
    assert said(given(replace(DONE, permissions=None))) == []
    assert said(given(SeenDeployment(None, permissions=None))) == []


def test_what_we_were_about_to_do_is_no_drift_and_not_refreshed() -> None:
    intent = OpenIntent(Intent(7, AT, "revoke", "l:t", None, 0.0), settled=True)
    found = replace(given(permitted("p1")), intent=intent)
    assert said(found) == []
    assert KIND.refreshed(found) is None


def test_what_the_lock_remembers_is_no_choice_of_a_checkpoint() -> None:
    """Offline the live model stands; which another one would take its place, only the service knows."""
    found = given(DONE)
    assert KIND.remembered(replace(found, entry=None)) == SeenDeployment(None, (), (), asked=False)
    seen = KIND.remembered(found)
    assert isinstance(seen, SeenDeployment) and [c.model for c in seen.checkpoints] == ["ft:6"]
    assert seen.permissions == (Permission("cp_p1", "p1"), Permission("cp_p2", "p2"))
