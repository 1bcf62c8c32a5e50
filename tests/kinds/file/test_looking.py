"""Which files that no list shows are there: few are asked for, and the rest follows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import RemoteFile
from rftplan.errors import NotFoundError
from rftplan.kinds.base import Look
from rftplan.kinds.file.looking import CLOCKS_APART, MOST, remembered, unlisted
from rftplan.lockfile import Entry
from tests.planning import scope

NOW = 1_800_000_000
BEHIND = scope().profile.settle_seconds + CLOCKS_APART


@dataclass
class Asked:
    """A service that has these files, and notes what it was asked for."""

    there: frozenset[str]
    asked: list[str] = field(default_factory=list)

    async def get_file(self, id: str) -> RemoteFile:
        self.asked.append(id)
        if id not in self.there:
            raise NotFoundError(f"no such file {id}")
        return RemoteFile(id, "a.jsonl", 10, "fine-tune", NOW)


def entry(id: str, created_at: int | None = NOW) -> Entry:
    resolved = {"filename": "a.jsonl", "size": 10} | ({} if created_at is None else {"created_at": created_at})
    return Entry("v1:", {}, id=id, resolved=resolved)  # type: ignore[arg-type]


def there(port: Asked, missing: list[Entry], now: float = NOW) -> dict[str, RemoteFile]:
    look = Look(port, scope(), {}, {}, (), {}, {}, {}, now)  # type: ignore[arg-type]
    return asyncio.run(unlisted(look, missing))


@given(st.lists(st.tuples(st.integers(NOW - 2_000, NOW), st.booleans()), max_size=12, unique_by=lambda one: one[0]))
def test_no_more_than_a_few_are_asked_for_and_they_are_the_newest(files: list[tuple[int, bool]]) -> None:
    port = Asked(frozenset(f"file-{at}" for at, is_there in files if is_there))
    found = there(port, [entry(f"file-{at}", at) for at, _ in files])
    new = sorted((at for at, _ in files if at + BEHIND >= NOW), reverse=True)
    assert sorted(port.asked, reverse=True) == [f"file-{at}" for at in new[:MOST]]
    asked = {id for id in port.asked if id in port.there}
    rest = {f"file-{at}" for at in new[MOST:]} if asked else set()
    assert found.keys() == asked | rest


@pytest.mark.parametrize(("created_at", "asked"), [(NOW, True), (None, False)])
def test_an_older_lock_is_older_than_lists_may_be_behind(created_at: int | None, asked: bool) -> None:
    port = Asked(frozenset({"file-1"}))
    assert bool(there(port, [entry("file-1", created_at)])) is asked
    assert port.asked == (["file-1"] if asked else [])


@pytest.mark.parametrize(("since", "asked"), [(BEHIND, True), (BEHIND + 1, False)])
def test_what_lists_must_show_by_now_is_gone_where_they_do_not(since: float, asked: bool) -> None:
    assert bool(there(Asked(frozenset({"file-1"})), [entry("file-1")], NOW + since)) is asked


def test_one_file_of_two_addresses_is_asked_for_once() -> None:
    port = Asked(frozenset({"file-1"}))
    assert there(port, [entry("file-1"), entry("file-1")]).keys() == {"file-1"}
    assert port.asked == ["file-1"]


def test_what_is_taken_to_be_there_is_as_the_lock_knows_it() -> None:
    assert remembered(entry("file-1", 5)) == RemoteFile("file-1", "a.jsonl", 10, "fine-tune", 5)
