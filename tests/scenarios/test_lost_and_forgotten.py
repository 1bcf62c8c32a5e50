"""What the lock lost, and what it was made to forget: the one is a person's to judge, the other is not."""

from __future__ import annotations

from rftplan.address import Address
from rftplan.changes import Action, Reason
from tests.world import Small

JOB = Address("job", "review")


def test_a_replaced_job_is_found_again_when_the_lock_is_lost(small: Small) -> None:
    small.train()
    small.apply(replace=frozenset({JOB}), wait=True)
    newest = small.lock().resources[JOB].id
    (small.root / "rftplan.lock").unlink()
    changes = small.changes()
    assert (changes["job.review"].action, changes["deployment.reviewer"].reason) == (Action.ADOPT, Reason.LOCK_REBUILT)
    small.apply()
    assert (small.lock().resources[JOB].id, small.lock().resources[JOB].attempt) == (newest, 2)
    assert len(small.jobs()) == 2
