"""Canonical JSON and versioned fingerprints. Same meaning, same bytes; nothing is written here."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import Final, TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
JsonObject: TypeAlias = "dict[str, Json]"


def normal_numbers(value: Json) -> Json:
    """`1.0` becomes `1`, so that a number means the same however it was written. ValueError on NaN, infinity."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [normal_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: normal_numbers(item) for key, item in value.items()}
    return value


def canonical_json(value: Json) -> str:
    """Sorted keys, no insignificant space, one form a number."""
    return json.dumps(normal_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _v1(inputs: JsonObject) -> str:
    return hashlib.sha256(canonical_json(inputs).encode()).hexdigest()


CURRENT_VERSION: Final = "v1"
VERSIONS: Final[dict[str, Callable[[JsonObject], str]]] = {"v1": _v1}
"""Every version that a lock may carry, with its rule. A new one is a line; no old one is ever changed or removed."""


def fingerprint(inputs: JsonObject, version: str = CURRENT_VERSION) -> str:
    """`v1:<64 hex>` of what makes a resource what it is. KeyError for a version that this rftplan lacks."""
    return f"{version}:{VERSIONS[version](inputs)}"


def fingerprint_like(inputs: JsonObject, recorded: str) -> str:
    """The fingerprint of `inputs` under the version that `recorded` was made with.

    So an upgrade of rftplan compares old entries by old rules and relaunches nothing. A version that this
    rftplan lacks raises KeyError; the lock's reader refuses such a lock beforehand.
    """
    return fingerprint(inputs, recorded.partition(":")[0])


def known_version(recorded: str) -> bool:
    return recorded.partition(":")[0] in VERSIONS
