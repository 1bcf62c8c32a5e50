"""Uploading at the real local service: once, whole, and only what was planned."""

from __future__ import annotations

import pytest

from rftplan.address import Address
from rftplan.changes import Action, Plan, Reason
from rftplan.errors import SpecError
from rftplan.events import Outcome
from tests.faults import Fault, once
from tests.scenarios.test_bad_luck import FILES, with_fault
from tests.world import Small, rows

SPEC, TRAIN = "specs/main.yaml", Address("file", "train")
DATA = "specs/data/train.jsonl"


@pytest.mark.parametrize(
    "new",
    [rows().replace("What is 3 + 4?", "What is 9 + 9?"), rows(13), rows(11)],
    ids=["other bytes of the same size", "longer", "shorter"],
)
def test_a_file_that_changed_since_the_plan_fails_and_leaves_nothing_behind(small: Small, new: str) -> None:
    def edit(_: Plan) -> bool:
        small.write(DATA, new)
        return True

    told = small.results(consent=edit)["file.train"]
    assert told.outcome is Outcome.FAILED
    assert "changed since" in str(told.error)
    assert told.hint == "plan again"
    assert [f.filename.split("-")[0] for f in small.files()] == ["demo.default.test"]
    assert '"intent"' not in (small.root / ".rftplan/default/journal.jsonl").read_text()
    small.train()
    assert len(small.files()) == 2


def test_a_path_that_was_never_here_is_missing_whatever_the_lock_knows_of_another(small: Small) -> None:
    small.train()
    (small.root / DATA).unlink()
    assert small.changes()["file.train"].action is Action.NOOP
    small.edit(SPEC, "data/train.jsonl", "data/train-v2.jsonl")
    with pytest.raises(SpecError) as caught:
        small.plan()
    assert "train-v2.jsonl" in caught.value.diagnostics[0].detail


def test_a_renamed_file_is_known_under_its_new_path(small: Small) -> None:
    small.train()
    (small.root / DATA).rename(small.root / "specs/data/renamed.jsonl")
    small.edit(SPEC, "data/train.jsonl", "data/renamed.jsonl")
    small.apply()
    assert small.lock().resources[TRAIN].resolved["path"] == "specs/data/renamed.jsonl"
    (small.root / "specs/data/renamed.jsonl").unlink()
    assert small.changes()["file.train"].reason is Reason.MATCHES


def test_an_older_lock_that_does_not_say_the_path_still_knows_the_digest(small: Small) -> None:
    small.train()
    text = (small.root / "rftplan.lock").read_text()
    kept = [line for line in text.splitlines(keepends=True) if '"path": "specs/data/train.jsonl"' not in line]
    assert len(kept) < len(text.splitlines())
    small.write("rftplan.lock", "".join(kept))
    (small.root / DATA).unlink()
    assert small.changes()["file.train"].action is Action.NOOP


def test_a_lost_upload_is_found_by_its_name(small: Small) -> None:
    with_fault(small, once("POST", FILES, Fault.LOST_AFTER))
    small.train()
    assert len(small.files()) == 2
