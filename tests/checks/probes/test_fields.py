"""What the rows have at the fields that something reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.checks.probes.fields import MOST_VALUES, Column, FieldFacts, FieldPath, field_facts, fields_probe, kind_of

PATHS = frozenset({("a",), ("a", "b"), ("a", 0), ("c",)})
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y", "long " * 40]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
rows = st.lists(st.dictionaries(st.sampled_from(["a", "c", "d", "messages"]), values, max_size=3), max_size=6)


def facts_of(seen: list[dict[str, Any]], paths: frozenset[FieldPath] = PATHS) -> FieldFacts:
    """As the cache gives them back: through JSON."""
    probe = fields_probe(paths)
    watch = probe.begin()
    for line, row in enumerate(seen, 1):
        watch.see(line, row)
    facts = field_facts({probe.key: json.loads(json.dumps(watch.found()))}, paths)
    assert facts is not None
    return facts


def reference(row: Any, path: FieldPath) -> tuple[bool, Any]:
    for step in path:
        try:
            if isinstance(row, str) or (isinstance(step, str) != isinstance(row, dict)):
                return False, None
            row = row[step]
        except (KeyError, IndexError, TypeError):
            return False, None
    return True, row


@given(rows)
def test_every_row_is_counted_in_its_place(seen: list[dict[str, Any]]) -> None:
    facts = facts_of(seen)
    assert facts.rows == len(seen)
    for path in PATHS:
        found = [reference(row, path) for row in seen]
        column = facts.columns[path]
        assert column.missing == sum(not there for there, _ in found)
        assert column.missing_lines == [n for n, (there, _) in enumerate(found, 1) if not there][:3]
        kinds = [kind_of(value) for there, value in found if there]
        assert column.kinds == {kind: kinds.count(kind) for kind in kinds}
        if not column.many:
            assert sum(column.values.values()) == len(kinds)


class Untouched(list[Any]):
    """A list that nobody may go through."""

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("it is long, and its length says so")


@given(values)
def test_what_is_long_is_not_kept_whatever_it_is(value: Any) -> None:
    column = facts_of([{"a": value}]).columns[("a",)]
    assert all(len(text) <= 1_000 for text in column.values)
    assert column.many or list(column.values) == [json.dumps(value, sort_keys=True)]
    if len(json.dumps(value)) <= 120:
        assert not column.many


def test_a_large_list_is_not_even_gone_through() -> None:
    column = Column()
    column.see(1, [Untouched([1] * 1_000)])
    assert column.many and not column.values


def test_free_text_is_not_counted_apart() -> None:
    many = facts_of([{"a": str(n)} for n in range(MOST_VALUES + 1)]).columns[("a",)]
    assert (many.many, many.values) == (True, {})
    assert facts_of([{"a": "x" * 1000}]).columns[("a",)].many
    few = facts_of([{"a": "x"}, {"a": "y"}, {"a": "x"}]).columns[("a",)]
    assert few.values == {'"x"': 2, '"y"': 1}


@pytest.mark.parametrize("key", ["messages", "tools"])
def test_the_prompt_is_no_field(key: str) -> None:
    assert facts_of([{key: "x"}], frozenset({(key,)})).columns[(key,)].missing == 1


def test_other_fields_are_another_probe() -> None:
    other = frozenset({("z",)})
    assert fields_probe(other).key != fields_probe(PATHS).key == fields_probe(frozenset(PATHS)).key
    assert field_facts({fields_probe(PATHS).key: {}}, other) is None
