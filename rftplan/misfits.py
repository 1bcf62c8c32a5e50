"""What a spec model rejected, in words a person can act on. Knows pydantic's error types, no kind and no file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from rftplan.codes import FILE_NOT_LOADED, MISSING_KEY, UNKNOWN_KEY, WRONG_VALUE, Code
from rftplan.kinds.spec import SpecModel

_WANTED: Final[Mapping[str, str]] = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing wrong. `path` leads to it inside the value; `at_key` if its key is what to point at."""

    code: Code
    path: tuple[str | int, ...]
    detail: str
    hint: str | None = None
    at_key: bool = False


def describe(error: ValidationError, value: Any) -> list[Misfit]:
    """Every misfit once; of several about one place (a union's members) the first."""
    found: dict[tuple[str | int, ...], Misfit] = {}
    for item in error.errors(include_url=False):
        path = _real_path(item["loc"], value)
        misfit = _misfit(item["type"], path, item)
        found.setdefault(
            misfit.path if misfit.code is not MISSING_KEY else (*path, str(item["loc"][-1])), misfit
        )
    return list(found.values())


def _real_path(loc: Sequence[str | int], value: Any) -> tuple[str | int, ...]:
    """The location without the parts that only name a union's member."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(part, int):
            if part >= len(value):
                continue
            value = value[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _misfit(kind: str, path: tuple[str | int, ...], item: Mapping[str, Any]) -> Misfit:
    match kind:
        case "extra_forbidden":
            key = str(item["loc"][-1])
            return Misfit(
                UNKNOWN_KEY, path, f'"{key}" is not a field here', closest(key, _field_names()), True
            )
        case "missing":
            return Misfit(MISSING_KEY, path, f'"{item["loc"][-1]}" is required here', at_key=True)
        case "union_tag_not_found":
            return Misfit(MISSING_KEY, path, '"type" is required here', at_key=True)
        case "union_tag_invalid":
            expected = str(item["ctx"]["expected_tags"]).replace("'", "")
            tag = str(item["ctx"]["tag"])
            return Misfit(
                WRONG_VALUE,
                (*path, "type"),
                f'type "{tag}" is not one of {expected}',
                closest(tag, expected.split(", ")),
            )
        case "file_not_loaded":
            return Misfit(FILE_NOT_LOADED, path, str(item["msg"]))
        case _:
            return Misfit(WRONG_VALUE, path, _wanted(kind, item), _literal_hint(kind, item))


def _wanted(kind: str, item: Mapping[str, Any]) -> str:
    given = _shown(item["input"])
    if kind in ("literal_error", "enum"):
        return f"must be {str(item['ctx']['expected']).replace(chr(39), '')}, not {given}"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {given}"
    message = str(item["msg"])
    if message.startswith("must ") or (" " in message and kind not in _BUILT_IN):
        return message
    return f"{message}, not {given}"


_BUILT_IN: Final = frozenset(
    {"greater_than_equal", "less_than_equal", "too_short", "too_long", "string_too_short", "string_too_long"}
)


def _literal_hint(kind: str, item: Mapping[str, Any]) -> str | None:
    if kind not in ("literal_error", "enum") or not isinstance(item["input"], str):
        return None
    expected = str(item["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
    return closest(item["input"], expected.split(", "))


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def closest(word: str, known: Sequence[str]) -> str | None:
    """`did you mean "…"?` if anything known is close."""
    close = get_close_matches(word, known, n=1)
    return f'did you mean "{close[0]}"?' if close else None


def _field_names() -> list[str]:
    return sorted(set(_fields_of(SpecModel)))


def _fields_of(model: type[SpecModel]) -> Iterator[str]:
    for child in model.__subclasses__():
        yield from child.model_fields
        yield from _fields_of(child)
