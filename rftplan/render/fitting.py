"""Whether JSON that somebody else may have written has the shape of one of our documents. Judges no meaning."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

_ANY_JSON: Final = {"Json": Any, "JsonObject": dict[str, Any]}


def misfits(value: Any, shape: Any, where: str = "") -> Iterator[str]:
    """Each place where `value` is not what `shape` says, in words. What the shape does not know is passed over: a
    newer rftplan adds fields."""
    if get_origin(shape) is NotRequired:
        (shape,) = get_args(shape)
    if shape is Any:
        return
    if is_typeddict(shape):
        yield from _of_document(value, shape, where)
    elif get_origin(shape) in (Union, UnionType):
        if all(any(misfits(value, part, where)) for part in get_args(shape)):
            yield f"{where or 'it'} has another type"
    elif get_origin(shape) is list:
        if not isinstance(value, list):
            yield f"{where or 'it'} is no list"
            return
        for number, item in enumerate(value):
            yield from misfits(item, get_args(shape)[0], f"{where}[{number}]")
    elif get_origin(shape) is dict:
        if not isinstance(value, dict):
            yield f"{where or 'it'} is no mapping"
            return
        for key, item in value.items():
            yield from misfits(item, get_args(shape)[1], f"{where}.{key}")
    elif not _is(value, shape):
        yield f"{where or 'it'} has another type"


def _of_document(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where or 'it'} is no mapping"
        return
    for name, kind in _hints(shape).items():
        at = f"{where}.{name}".lstrip(".")
        if name in value:
            yield from misfits(value[name], kind, at)
        elif get_origin(kind) is not NotRequired:
            yield f"{at} is missing"


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape, localns=_ANY_JSON, include_extras=True)


def _is(value: Any, scalar: Any) -> bool:
    if scalar is None or scalar is NoneType:
        return value is None
    if scalar is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is scalar
