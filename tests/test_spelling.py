"""Names that somebody may have meant: the right one for a slip, and no time spent on monsters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.spelling import close_names

names = st.text("abcdefgh_", min_size=4, max_size=20)


@given(names, st.lists(names, max_size=5), st.data())
def test_one_slip_is_seen_through(name: str, others: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    slip = name[:at] + "x" + name[at + 1 :]
    found = close_names(slip, [*others, name])
    assert found and set(found) <= {*others, name}
    assert name in found or len(found) == 3


@given(names, st.lists(names), st.integers(1, 3))
def test_very_long_names_are_neither_looked_for_nor_found(name: str, others: list[str], times: int) -> None:
    monster = (name * 25_000)[: 100_000 * times]
    assert close_names(monster, others) == []
    assert close_names(name, [monster + str(n) for n in range(10)] + others) == close_names(name, others)


def test_of_very_many_names_only_the_first_are_compared() -> None:
    assert close_names("nome", (f"field_{n}" for n in iter(int, 1))) == [], "an endless list comes to an end"
