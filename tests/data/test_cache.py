"""Facts of data files are found again for the very same file, and only for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rftplan.data import DataError, DataFacts, read_facts
from rftplan.data.cache import FactsCache, read_facts_cached

SECOND = 1_000_000_000


class Watch:
    """Counts how many bytes were really read."""

    def __init__(self) -> None:
        self.blocks = 0

    def __call__(self, done: int, total: int) -> None:
        self.blocks += 1


def later(path: Path, seconds: float) -> Callable[[], int]:
    """A clock that stands this long after the file was last touched."""
    stat = path.stat()
    return lambda: max(stat.st_mtime_ns, stat.st_ctime_ns) + int(seconds * SECOND)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\nno\n')
    return path


def read_with(cache: FactsCache, path: Path) -> tuple[DataFacts, int]:
    watch = Watch()
    return read_facts_cached(path, cache, on_progress=watch), watch.blocks


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, path: Path) -> None:
    cache = FactsCache(tmp_path / "cache", now_ns=later(path, 3))
    facts, blocks = read_with(cache, path)
    cache.save()
    assert blocks == 1 and len(facts.problems) == 2
    assert read_with(FactsCache(tmp_path / "cache"), path) == (facts, 0)


def test_a_file_touched_just_now_is_read_again(tmp_path: Path, path: Path) -> None:
    cache = FactsCache(tmp_path / "cache", now_ns=later(path, 1.9))
    read_with(cache, path)
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    facts, blocks = read_with(cache, path)
    assert blocks == 1 and facts == read_facts(path)


def test_an_edit_of_the_same_size_with_the_old_time_is_noticed(tmp_path: Path, path: Path) -> None:
    cache = FactsCache(tmp_path / "cache", now_ns=later(path, 3))
    read_with(cache, path)
    stat = path.stat()
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes().replace(b"1", b"2"))
    os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    copy.replace(path)
    assert read_with(cache, path) == (read_facts(path), 1)


def test_a_missing_file_is_an_error_with_a_cache_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_facts_cached(tmp_path / "gone", FactsCache(tmp_path / "cache"))


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"format": "rftplan.facts/2", "entries": {}}', '{"format": "rftplan.facts/1"}',
     '{"format": "rftplan.facts/1", "entries": []}', "[" * 100_000, "\x00\xff"],
)  # fmt: skip
def test_a_damaged_cache_counts_as_empty_and_is_mended(tmp_path: Path, path: Path, damage: str) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    (directory / "facts.json").write_bytes(damage.encode("latin-1"))
    cache = FactsCache(directory, now_ns=later(path, 3))
    assert read_with(cache, path) == (read_facts(path), 1)
    cache.save()
    assert read_with(FactsCache(directory), path)[1] == 0
    assert [file.name for file in directory.iterdir()] == ["facts.json"]


def test_a_damaged_entry_is_read_again(tmp_path: Path, path: Path) -> None:
    cache = FactsCache(tmp_path / "cache", now_ns=later(path, 3))
    facts, _ = read_with(cache, path)
    cache.save()
    file = tmp_path / "cache" / "facts.json"
    good = file.read_text()
    for old, new in (('"rows"', '"row"'), ("D101", "D999"), ('"problems": [', '"problems": [1, '), ('"facts"', '"f"')):
        file.write_text(good.replace(old, new))
        assert read_with(FactsCache(tmp_path / "cache", now_ns=later(path, 3)), path) == (facts, 1)


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path, path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    cache = FactsCache(tmp_path / "cache", now_ns=later(path, 3))
    read_with(cache, path)
    cache.save()
    assert read_with(cache, path)[1] == 0
