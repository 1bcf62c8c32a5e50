"""What differs between two JSON values, as paths a person can read. The only module that imports deepdiff."""

from __future__ import annotations

from collections.abc import Sequence

from rftplan.canonical import Json, normal_numbers
from rftplan.changes import FieldChange


def diff(before: Json, after: Json) -> tuple[FieldChange, ...]:
    """Every leaf that changed, was added or removed, sorted by path. `1` and `1.0` are the same."""
    from deepdiff import DeepDiff

    # threshold 0: otherwise deepdiff stops where two mappings share few keys and reports the whole mapping.
    tree = DeepDiff(normal_numbers(before), normal_numbers(after), view="tree", threshold_to_diff_deeper=0)
    found = [
        FieldChange(_written(level.path(output_format="list")), _side(level.t1), _side(level.t2))
        for group in tree.values()
        for level in group
    ]
    return tuple(sorted(found, key=lambda change: change.path))


def _side(value: object) -> Json:
    return value if isinstance(value, str | int | float | bool | list | dict) else None


def _written(path: Sequence[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
