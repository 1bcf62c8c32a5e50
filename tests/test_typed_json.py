"""What we did not write is refused where it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.typed_json import (
    NumberError,
    finite,
    list_of,
    mapping_of,
    number_of,
    optional_text_of,
    parse_json,
    refuse_constant,
    text_of,
    whole_of,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(values)
def test_what_json_can_carry_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "[1e999]", r'"\ud800"', r'{"\uDfff": 1}', "[" * 100_000, "{", ""])
def test_what_it_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (text_of, "a", 1),
        (optional_text_of, None, []),
        (whole_of, 0, -1),
        (whole_of, 7, True),
        (whole_of, 7, 7.0),
        (number_of, 7.5, True),
        (number_of, 7, "7"),
        (list_of, [], {}),
        (mapping_of, {}, []),
    ],
)
def test_each_type_takes_its_own_and_nothing_else(read: Callable[[Any], Any], good: Any, bad: Any) -> None:
    assert read(good) == good
    with pytest.raises(TypeError):
        read(bad)


@pytest.mark.parametrize(("read", "text"), [(finite, "1e999"), (finite, "-1e999"), (refuse_constant, "NaN")])
def test_a_number_that_json_cannot_carry_is_named_as_such(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(NumberError):
        read(text)
