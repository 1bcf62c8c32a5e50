"""Probes see every good row once, with its line, however the file is cut; what they found is kept with the facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.canonical import Json, JsonObject
from rftplan.data import Pass, read_facts
from rftplan.data.cache import FactsCache, read_facts_cached
from rftplan.data.probes import Probe


class Diary:
    """Writes down everything that it sees."""

    def __init__(self) -> None:
        self.seen: list[Json] = []

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self.seen.append([line, dict(row)])

    def found(self) -> JsonObject:
        return {"seen": self.seen}


DIARY = Probe("diary", Diary)
good = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=2).map(json.dumps)
lines = st.lists(good | good.map(" {} ".format) | st.sampled_from(["", "  ", "no", "[1]", '{"a":1,"a":2}']), max_size=8)


@given(lines=lines, block=st.integers(3, 40), end=st.sampled_from(["\n", "\r\n"]), bom=st.booleans())
def test_every_good_row_is_seen_once_with_its_line(lines: list[str], block: int, end: str, bom: bool) -> None:
    content = ("\ufeff" if bom else "").encode() + end.join(lines).encode()
    reading = Pass([DIARY])
    for start in range(0, len(content), block):
        reading.feed(content[start : start + block])
    expected = [
        [number, json.loads(line)]
        for number, line in enumerate(lines, 1)
        if line.strip() not in ("", "no", "[1]", '{"a":1,"a":2}')
    ]
    assert reading.facts().found == {"diary": {"seen": expected}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n')
    return path


def test_probes_change_nothing_else(path: Path) -> None:
    with_probes, without = read_facts(path, [DIARY]), read_facts(path)
    assert (with_probes.sha256, with_probes.rows_digest, with_probes.rows) == (
        without.sha256,
        without.rows_digest,
        without.rows,
    )
    assert without.found == {}


def test_what_a_probe_found_is_kept_and_a_new_probe_reads_again(tmp_path: Path, path: Path) -> None:
    later = path.stat().st_ctime_ns + 3_000_000_000
    cache = FactsCache(tmp_path / "cache", now_ns=lambda: later)
    first = read_facts_cached(path, cache, [DIARY])
    cache.save()
    again = FactsCache(tmp_path / "cache", now_ns=lambda: later)
    assert again.get(path, path.stat(), [DIARY]) == first
    other = Probe("another", Diary)
    assert again.get(path, path.stat(), [other]) is None
    assert set(read_facts_cached(path, again, [DIARY, other]).found) == {"diary", "another"}
