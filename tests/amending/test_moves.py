"""`state mv`: known under another address with all that the lock knows of it, and nothing changes at the service."""

from __future__ import annotations

import json

import pytest

from rftplan.address import Address
from rftplan.amending.moves import Moved, move
from rftplan.changes import Reason
from rftplan.errors import BusyError, UserError
from rftplan.file_lock import acting_alone
from rftplan.ledger import open_ledger
from rftplan.loading import load
from rftplan.promoted import state_paths
from tests.world import Small

JOB, RENAMED = Address("job", "review"), Address("job", "renamed")


def moved(small: Small, origin: Address = JOB, to: Address = RENAMED) -> Moved:
    return move(small.options, origin, to, world=small.world)


def rename(small: Small) -> None:
    small.edit("specs/main.yaml", "jobs:\n  review:", "jobs:\n  renamed:")
    small.edit("specs/main.yaml", "    job: review", "    job: renamed")


def test_what_was_moved_is_as_the_renamed_specs_want_it(small: Small) -> None:
    small.train()
    before = small.lock()
    done = moved(small)
    after = small.lock()
    assert after.resources[RENAMED] == before.resources[JOB] and JOB not in after.resources
    assert (done.serial, done.id) == (before.serial + 1, before.resources[JOB].id)
    assert done.declared == (JOB,)
    rename(small)
    assert small.verbs() == {}
    assert json.loads((small.root / "rftplan.lock").read_text())["serial"] == done.serial


def test_the_tombstones_follow(small: Small) -> None:
    """What we cancelled is launched anew, and not held as cancelled by somebody else."""
    small.launch_until_step()
    small.edit("specs/main.yaml", "  review:\n    model", "  review:\n    run: cancelled\n    model")
    small.apply()
    done = moved(small)
    assert done.tombstones == 1
    assert small.lock().tombstones[RENAMED] == small.lock().tombstones[JOB]
    rename(small)
    small.edit("specs/main.yaml", "    run: cancelled\n", "")
    assert small.changes()["job.renamed"].reason is Reason.AFTER_OUR_CANCEL


def test_there_and_back_is_where_it_was(small: Small) -> None:
    small.train()
    before = small.lock().resources
    moved(small)
    moved(small, RENAMED, JOB)
    assert small.lock().resources == before
    assert small.verbs() == {}


def test_broken_specs_do_not_matter(small: Small) -> None:
    small.train()
    small.write("specs/main.yaml", "jobs: {")
    moved(small)
    assert RENAMED in small.lock().resources


@pytest.mark.parametrize(
    ("origin", "to", "message", "hint"),
    [
        ("job.review", "file.review", "two kinds", "one kind"),
        ("job.review", "job.review", "are the same", "one kind"),
        ("job.reviwe", "job.other", "the lock does not know job.reviwe", "did you mean job.review?"),
        ("file.test", "file.train", "the lock knows file.train already (file-", "rftplan state rm file.train"),
    ],
)
def test_what_cannot_be_moved_is_said(small: Small, origin: str, to: str, message: str, hint: str) -> None:
    small.train()
    before = (small.root / "rftplan.lock").read_text()
    with pytest.raises(UserError) as caught:
        moved(small, Address.parse(origin), Address.parse(to))
    assert message in caught.value.message and hint in str(caught.value.hint)
    assert (small.root / "rftplan.lock").read_text() == before


def test_what_has_an_open_effect_is_not_moved(small: Small) -> None:
    small.train()
    loaded = load(small.options)
    ledger = open_ledger(loaded.paths, loaded.identity, now=small.clock.now, new_lineage=str)
    ledger.begin(JOB, "cancel", token="token")
    ledger.close()
    with pytest.raises(UserError, match=r"cancel of job\.review was cut off") as caught:
        moved(small)
    assert "rftplan recover" in str(caught.value.hint)


def test_while_an_apply_acts_nothing_is_moved(small: Small) -> None:
    small.train()
    with acting_alone(state_paths(small.root), "apply"), pytest.raises(BusyError):
        moved(small)
