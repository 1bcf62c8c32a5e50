"""What differs, as paths a person can read."""

from __future__ import annotations

from rftplan.changes import FieldChange
from rftplan.diff import diff


def test_every_leaf_that_changed_was_added_or_removed_is_named() -> None:
    before = {"a": {"x": 1, "gone": "g"}, "list": [1, 2]}
    after = {"a": {"x": 2, "new": None}, "list": [1, 2, 3]}
    assert diff(before, after) == (
        FieldChange("a.gone", "g", None),
        FieldChange("a.new", None, None),
        FieldChange("a.x", 1, 2),
        FieldChange("list[2]", None, 3),
    )


def test_one_and_one_point_zero_do_not_differ() -> None:
    assert diff({"a": [1.0]}, {"a": [1]}) == ()


def test_mappings_that_share_few_keys_are_still_compared_leaf_by_leaf() -> None:
    before = {"keep": 1, **{f"a{n}": n for n in range(5)}}
    after = {"keep": 2, **{f"b{n}": n for n in range(5)}}
    assert FieldChange("keep", 1, 2) in diff(before, after)
