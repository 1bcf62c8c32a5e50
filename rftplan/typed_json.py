"""JSON of our own files, read with its types: what is not as we write it is refused, not carried on. Opens nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from rftplan.canonical import Json, JsonObject

Pairs = list[tuple[str, Any]]


def parse_json(text: str, pairs: Callable[[Pairs], Any] | None = None) -> Any:
    """The value, with numbers that JSON can carry and text that UTF-8 can. ValueError otherwise. `pairs` makes each
    mapping of its pairs."""
    try:
        value = json.loads(text, parse_constant=refuse_constant, parse_float=finite, object_pairs_hook=pairs)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def each_once(pairs: Pairs) -> dict[str, Any]:
    """A mapping whose keys are there once each. ValueError names one that is not: JSON itself would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f'"{next(key for key in keys if keys.count(key) > 1)[:80]}" is in one mapping twice')
    return found


class NumberError(ValueError):
    """A number that JSON cannot carry."""


def refuse_constant(name: str) -> NoReturn:
    """For `NaN` and `Infinity`, which Python reads and no standard knows."""
    raise NumberError(f"{name} is no JSON number")


def finite(text: str) -> float:
    """NumberError for `1e999`."""
    number = float(text)
    if math.isinf(number):
        raise NumberError(f"{text[:40]} is larger than any floating-point number")
    return number


def text_of(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def optional_text_of(value: Json) -> str | None:
    return None if value is None else text_of(value)


def whole_of(value: Json) -> int:
    """A whole number from 0 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def number_of(value: Json) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return value


def list_of(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def mapping_of(value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not a mapping")
    return value


def finite_of(value: object) -> float | None:
    """A number as others may write one; None for anything else, and for what no figure can be worked out with."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has no largest number
        return None
    return number if math.isfinite(number) else None
