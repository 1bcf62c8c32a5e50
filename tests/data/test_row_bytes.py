"""The bytes behind rows digests: they stand in locks and may never change."""

import hashlib
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan.data.row_bytes import bytes_of_all, defined_bytes, row_bytes

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just("\ud800")
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@settings(deadline=None)
@given(VALUES)
def test_the_fast_way_writes_the_defined_format(value: Any) -> None:
    assert row_bytes(value) == defined_bytes(value)


@settings(deadline=None)
@given(st.lists(VALUES))
def test_rows_together_are_the_bytes_of_each_one_after_the_other(rows: list[Any]) -> None:
    assert bytes_of_all([*rows, *rows]) == b"".join(map(row_bytes, [*rows, *rows]))


def test_the_format_is_the_one_in_released_locks() -> None:
    row = {"prompt": "é😀\n", "item": {"n": -1, "big": 2**40, "w": 0.1, "ok": [True, False, None]}}
    assert defined_bytes({"a": [1, "é"]}) == b"{u\x01\0\0\0a[\x02\0\0\0i\x01\0\0\0u\x02\0\0\0\xc3\xa90"
    assert hashlib.sha256(row_bytes(row)).hexdigest() == (
        "bbfc9c53776752c48953dd75dc44c8c89949f43cdc7b96c917bdb46146bc185c"
    )


@settings(deadline=None)
@given(VALUES, VALUES)
def test_different_values_have_different_bytes(one: Any, other: Any) -> None:
    assert (row_bytes(one) == row_bytes(other)) == (_exact(one) == _exact(other))


def _exact(value: Any) -> Any:
    """Comparable with ==, but true is not 1, 1.0 is not 1, and the order of keys counts."""
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, dict):
        return {"pairs": [(key, _exact(inner)) for key, inner in value.items()]}
    return (type(value), value, math.copysign(1, value) if isinstance(value, float) else 0)
