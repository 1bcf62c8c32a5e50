"""What is promoted, from the lock alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from rftplan.cli.boundary import main
from rftplan.errors import LockError, UserError
from rftplan.journal import line_of
from rftplan.lockfile import write_lock
from rftplan.promoted import Live, read_promoted, require_environment, resolve, state_paths
from tests.world import Small


def test_each_lock_has_a_journal_of_its_own(tmp_path: Path) -> None:
    own, other = state_paths(tmp_path), state_paths(tmp_path, "other.lock")
    assert own.journal == tmp_path / ".rftplan" / "default" / "journal.jsonl"
    assert other.lock == tmp_path / "other.lock"
    assert other.journal.parent == own.journal.parent
    assert other.journal.name.startswith("other-")
    assert other.journal.name.endswith(".journal.jsonl")
    assert state_paths(tmp_path, "rftplan.lock") == own
    assert state_paths(tmp_path, env="prod").journal.parent.name == "prod"


@pytest.mark.parametrize("name", ["rftplan.lock", "state/prod.lock"])
def test_a_lock_has_one_journal_however_it_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "state" / "deeper").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "state")
    spellings = [name, f"./{name}", f"state/../{name}", str(tmp_path / name)]
    if name.startswith("state"):
        spellings += ["link/prod.lock", "state/deeper/../prod.lock"]
    assert len({state_paths(tmp_path, written).journal for written in spellings}) == 1


def test_locks_of_one_name_in_two_folders_share_no_journal(tmp_path: Path) -> None:
    places = ["rftplan.lock", "a/rftplan.lock", "b/rftplan.lock", "../rftplan.lock"]
    assert len({state_paths(tmp_path, written).journal for written in places}) == len(places)


def test_a_journal_goes_along_when_the_project_moves(tmp_path: Path) -> None:
    here, there = (state_paths(tmp_path / folder, "a/b.lock").journal for folder in ("here", "there"))
    assert here.name == there.name


def test_an_unfinished_apply_under_a_journals_former_name_is_not_forgotten(small: Small) -> None:
    small.options = replace(small.options, lock="a/prod.lock")
    (small.root / "a").mkdir()
    small.apply()
    paths = state_paths(small.root, "a/prod.lock")
    assert paths.former is not None
    header = paths.journal.read_bytes()
    paths.journal.rename(paths.former)
    assert small.verbs()["deployment.reviewer"] == "defer wait"  # a header alone binds nobody
    intent = {"n": 9, "record": "intent", "address": "job.x", "verb": "launch", "token": "t", "at": 1.0}
    paths.former.write_bytes(header + line_of(intent))
    with pytest.raises(LockError, match="did not end") as caught:
        small.plan()
    assert paths.journal.name in str(caught.value.hint)
    other = json.dumps({**json.loads(header), "lineage": "another"}) + "\n"
    paths.former.write_text(other + json.dumps(intent) + "\n")
    assert small.verbs()["deployment.reviewer"] == "defer wait"  # another lock's


@pytest.mark.parametrize("env", [None, "default"])
def test_the_one_environment_there_is(env: str | None) -> None:
    require_environment(env)


def test_another_environment_is_refused_for_its_model_would_be_another() -> None:
    with pytest.raises(UserError, match='no environment "prod"'):
        require_environment("prod")


def test_the_live_model_comes_with_where_it_came_from(small: Small) -> None:
    small.apply()
    assert read_promoted(small.root) == Live({})
    small.train()
    (live,) = read_promoted(small.root).models.values()
    assert live.model == resolve("reviewer", directory=small.root)
    assert live.model.startswith("ft:")
    assert (live.job, live.revision) == ("job.review", 1)
    assert live.step > 0


def test_an_unknown_name_lists_the_known_ones(small: Small) -> None:
    small.train()
    with pytest.raises(UserError, match='promoted as "review"') as caught:
        resolve("review", directory=small.root)
    assert caught.value.hint == "known are reviewer"


def test_a_lock_that_cannot_be_trusted_gives_no_model(small: Small) -> None:
    small.train()
    small.write("rftplan.lock", "<<<<<<< ours\n")
    with pytest.raises(LockError, match="merge-conflict"):
        resolve("reviewer", directory=small.root)


def test_figures_that_were_edited_by_hand_are_not_believed(small: Small) -> None:
    small.train()
    lock = small.lock()
    edited = {
        address: replace(entry, history=({**entry.history[-1], "step": "nine"},)) if entry.history else entry
        for address, entry in lock.resources.items()
    }
    write_lock(small.root / "rftplan.lock", replace(lock, resources=edited))
    assert read_promoted(small.root).models["reviewer"].step == 0


def test_a_damaged_journal_takes_nobodys_model_away(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    small.train()
    (live,) = read_promoted(small.root).models.values()
    small.write(".rftplan/default/journal.jsonl", b"{}\nnonsense\n{}\n")
    with pytest.warns(UserWarning, match="damaged in line 2 of 3.*answered from rftplan.lock alone"):
        assert resolve("reviewer", directory=small.root) == live.model
    assert main(["-C", str(small.root), "output", "reviewer", "--raw"]) == 0
    out, err = capsys.readouterr()
    assert out == live.model + "\n"
    warning, mark = err.splitlines()
    assert warning.startswith("warning: journal .rftplan/default/journal.jsonl is damaged in line 2 of 3")
    assert mark.startswith("SIMULATED")


def test_a_damaged_journal_without_a_lock_gives_no_model(small: Small) -> None:
    small.write(".rftplan/default/journal.jsonl", b"{}\nnonsense\n{}\n")
    with pytest.raises(LockError, match="damaged in line 2 of 3"):
        resolve("reviewer", directory=small.root)


def test_where_there_is_no_lock_nothing_is_said_about_promotions(small: Small) -> None:
    with pytest.raises(UserError, match=f"there is no rftplan.lock in {small.root}$") as never:
        resolve("reviewer", directory=small.root)
    assert "directory=" in str(never.value.hint)
    small.train()
    (small.root / "rftplan.lock").unlink()
    with pytest.raises(UserError, match=r"there is no rftplan\.lock in") as lost:
        read_promoted(small.root)
    assert "bring the lock back" in str(lost.value.hint)
    with pytest.raises(UserError, match=r"there is no other\.lock in"):
        read_promoted(small.root, "other.lock")
    with pytest.raises(UserError, match="nowhere does not exist") as nowhere:
        read_promoted(small.root / "nowhere")
    assert "-C" in str(nowhere.value.hint)


def test_a_model_names_its_jobs_address_as_it_is_now(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "  review:\n", "  checked:\n")
    small.edit("specs/main.yaml", "job: review\n", "job: checked\n")
    small.edit("specs/main.yaml", "files:\n", "moved: [{from: job.review, to: job.checked}]\nfiles:\n")
    assert read_promoted(small.root).models["reviewer"].job == "job.review"
    small.apply()
    assert read_promoted(small.root).models["reviewer"].job == "job.checked"
