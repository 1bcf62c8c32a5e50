"""Pages into lists: whole, once each, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.paging import every
from rftplan.errors import ApiError


@dataclass(frozen=True)
class Item:
    id: str


class Shelf:
    """Items served by cursor, in pages of its own choosing but never above the limit."""

    def __init__(self, count: int, page: int) -> None:
        self.items = [Item(str(n)) for n in range(count)]
        self.page = page
        self.calls = 0

    async def fetch(self, limit: int, after: str | None) -> tuple[Sequence[Item], bool]:
        self.calls += 1
        start = 0 if after is None else int(after) + 1
        end = start + min(limit, self.page)
        return self.items[start:end], end < len(self.items)


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 20), st.none() | st.integers(0, 70))
def test_however_a_list_is_cut_it_comes_out_whole(count: int, page: int, size: int, most: int | None) -> None:
    shelf = Shelf(count, page)
    found = asyncio.run(every(shelf.fetch, size=size, most=most, what="list"))
    assert found == shelf.items[:most]
    assert shelf.calls <= count // min(page, size) + 1


@given(st.integers(1, 5))
def test_a_service_that_repeats_itself_is_an_error(count: int) -> None:
    items = [Item(str(n)) for n in range(count)]

    async def same(limit: int, after: str | None) -> tuple[Sequence[Item], bool]:
        return items, True

    with pytest.raises(ApiError, match="again and again"):
        asyncio.run(every(same, size=10, most=None, what="list the jobs"))


def test_an_item_that_comes_twice_counts_once() -> None:
    pages = [([Item("a"), Item("b")], True), ([Item("b"), Item("c")], False)]

    async def overlapping(limit: int, after: str | None) -> tuple[Sequence[Item], bool]:
        return pages.pop(0)

    assert asyncio.run(every(overlapping, size=2, most=None, what="list")) == [Item("a"), Item("b"), Item("c")]
