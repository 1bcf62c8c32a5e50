"""Same meaning, same bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.canonical import canonical_json, fingerprint, fingerprint_like, known_version

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_the_order_of_keys_and_the_way_numbers_are_written_do_not_count(mapping: dict[str, object]) -> None:
    shuffled = dict(reversed(list(mapping.items())))
    read_again = json.loads(canonical_json(shuffled))  # type: ignore[arg-type]
    assert canonical_json(mapping) == canonical_json(shuffled) == canonical_json(read_again)  # type: ignore[arg-type]


def test_one_and_one_point_zero_are_the_same_and_true_is_not() -> None:
    assert canonical_json({"a": 1}) == canonical_json({"a": 1.0})
    assert canonical_json({"a": True}) != canonical_json({"a": 1})


def test_nan_has_no_canonical_form() -> None:
    with pytest.raises(ValueError, match="not a JSON number"):
        canonical_json([float("nan")])


def test_an_entry_is_compared_under_its_own_version() -> None:
    recorded = fingerprint({"a": 1})
    assert recorded.startswith("v1:")
    assert fingerprint_like({"a": 1.0}, recorded) == recorded
    assert known_version(recorded)
    assert not known_version("v9:abc")
