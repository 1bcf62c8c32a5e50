"""The lock: normal form, refusals, atomic replacement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.errors import LockError
from rftplan.lockfile import Entry, Hold, Lock, Origin, dumps, loads, read_lock, write_lock

IDENTITY = ProviderIdentity("local", "http://local/v1")
names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
texts = st.text(max_size=8)
entries = st.builds(
    Entry,
    fingerprint=st.just("v1:" + "a" * 64),
    inputs=st.dictionaries(texts, st.none() | st.integers() | texts, max_size=3),
    id=st.none() | texts,
    origin=st.sampled_from(Origin),
    attempt=st.integers(1, 9),
    resolved=st.dictionaries(texts, texts, max_size=2),
    holds=st.tuples(st.builds(Hold, code=texts, reason=texts, operator=st.booleans())) | st.just(()),
    history=st.tuples(st.dictionaries(texts, texts, max_size=2)) | st.just(()),
)
locks = st.builds(
    Lock,
    lineage=st.just("lineage"),
    provider=st.just(IDENTITY),
    serial=st.integers(0, 99),
    resources=st.dictionaries(st.builds(Address, st.just("job"), names), entries, max_size=3).map(MappingProxyType),
)


@given(locks)
def test_a_lock_reads_back_what_it_writes_and_writes_the_same_bytes(lock: Lock) -> None:
    text = dumps(lock)
    assert loads(text, name="rftplan.lock") == lock
    assert dumps(loads(text, name="rftplan.lock")) == text
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(LockError, match="newer than this rftplan") as caught:
        loads('{"format": "rftplan.lock/2"}', name="rftplan.lock")
    assert "upgrade rftplan" in str(caught.value.hint)


def test_a_lock_that_was_cut_in_half_is_refused_at_every_byte() -> None:
    text = dumps(Lock("lineage", IDENTITY, 1, {Address("job", "a"): Entry("v1:" + "a" * 64, {"model": "m"})}))
    for cut in range(1, len(text) - 1):
        with pytest.raises(LockError):
            loads(text[:cut], name="rftplan.lock")


def test_merge_conflict_markers_are_explained() -> None:
    text = "{\n<<<<<<< HEAD\n  1\n=======\n  2\n>>>>>>> branch\n}\n"
    with pytest.raises(LockError, match=r"^rftplan.lock:2 has merge-conflict markers \(HEAD and branch\)") as caught:
        loads(text, name="rftplan.lock")
    assert "its promotions, holds and history are lost" in str(caught.value.hint)
    assert "--theirs" in str(caught.value.hint) and "rftplan plan" in str(caught.value.hint)
    with pytest.raises(LockError, match="of sides without a name"):
        loads("<<<<<<<\n{}\n", name="rftplan.lock")


def test_a_key_that_a_merge_left_twice_is_refused_and_not_chosen_between() -> None:
    """Python would take the last one, and the launch of the first would be forgotten."""
    text = dumps(Lock("lineage", IDENTITY, 1, {Address("job", "a"): Entry("v1:a", {}, "ftjob-1")}))
    twice = text.replace('"resources": {', '"resources": {\n    "job.a": {},', 1)
    with pytest.raises(LockError, match=r'"job\.a" is in one mapping twice'):
        loads(twice, name="rftplan.lock")


def test_a_lock_that_an_editor_wrote_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rftplan.lock").write_bytes(dumps(Lock("liné", IDENTITY, 1)).encode("latin-1"))
    with pytest.raises(LockError, match="damaged"):
        read_lock(tmp_path / "rftplan.lock")


@pytest.mark.parametrize("text", ["[]", "null", '"x"', '{"format": "terraform/1"}', '{"format": "rftplan.lock/1"}'])
def test_what_is_not_a_lock_is_refused(text: str) -> None:
    with pytest.raises(LockError):
        loads(text, name="rftplan.lock")


def test_a_fingerprint_of_a_version_that_we_lack_is_refused() -> None:
    text = dumps(Lock("lineage", IDENTITY, 1, {Address("job", "a"): Entry("v1:a", {})})).replace("v1:", "v9:")
    with pytest.raises(LockError, match="version"):
        loads(text, name="rftplan.lock")


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "rftplan.lock"
    write_lock(path, Lock("lineage", IDENTITY, 1))
    write_lock(path, Lock("lineage", IDENTITY, 2))
    found = read_lock(path)
    assert found is not None
    assert found.serial == 2
    assert [p.name for p in tmp_path.iterdir()] == ["rftplan.lock"]


def test_a_lock_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    link = tmp_path / "rftplan.lock"
    link.symlink_to(tmp_path / "shared" / "rftplan.lock")
    write_lock(link, Lock("lineage", IDENTITY, 1))
    assert link.is_symlink()
    assert read_lock(tmp_path / "shared" / "rftplan.lock") == Lock("lineage", IDENTITY, 1)


def test_a_lock_that_cannot_be_written_leaves_the_old_one_intact(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "rftplan.lock"
    with pytest.raises(LockError, match="cannot be written"):
        write_lock(missing, Lock("lineage", IDENTITY, 1))


def test_no_lock_is_none(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "rftplan.lock") is None


def test_a_directory_or_bytes_in_its_place_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(LockError, match="is a directory, not a file"):
        read_lock(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"\xff\xfe{}")
    with pytest.raises(LockError, match="damaged"):
        read_lock(tmp_path / "b")


REAL = dumps(
    Lock(
        "lineage",
        IDENTITY,
        3,
        MappingProxyType(
            {
                Address("file", "train"): Entry("v1:" + "a" * 64, {"sha256": "0" * 64}, id="file-1"),
                Address("deployment", "reviewer"): Entry(
                    "v1:" + "b" * 64,
                    {"gates": [{"metric": "valid_reward_mean"}]},
                    id="ft:1",
                    holds=(Hold("guard", "reward fell"),),
                    history=({"revision": 1, "step": 3, "evidence": [{"value": 0.5}]},),
                ),
            }
        ),
        tombstones=MappingProxyType({Address("job", "review"): ("v1:a:1",)}),
        project="demo",
    )
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("text", ["NaN", "1e999", '"\\ud800"', "[" * 100_000])
def test_what_json_cannot_carry_is_refused_and_not_carried_on(text: str) -> None:
    with pytest.raises(LockError, match="is damaged"):
        loads(REAL.replace('"reward fell"', text), name="rftplan.lock")


@given(st.data())
def test_a_lock_that_was_edited_by_hand_is_a_lock_or_is_refused(data: st.DataObject) -> None:
    """Any value of it deleted or replaced by any other."""
    document: Any = json.loads(REAL)
    at = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    if data.draw(st.booleans()):
        del at[key]
    else:
        at[key] = data.draw(anything)
    try:
        lock = loads(json.dumps(document), name="rftplan.lock")
    except LockError as refused:
        assert refused.hint
    else:
        assert dumps(loads(dumps(lock), name="rftplan.lock")) == dumps(lock)


def test_what_a_killed_process_left_is_swept_away_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    path = tmp_path / "rftplan.lock"
    left = [tmp_path / f".rftplan.lock.{ended.pid}.tmp", tmp_path / f".rftplan.lock.{2**80}.tmp"]
    kept = [
        tmp_path / name for name in (f".rftplan.lock.{os.getppid()}.tmp", ".rftplan.lock.x.tmp", f".b.{ended.pid}.tmp")
    ]
    for file in (*left, *kept):
        file.touch()
    write_lock(path, Lock("l", IDENTITY))
    assert not left[0].exists()
    assert all(file.exists() for file in (left[1], *kept))
