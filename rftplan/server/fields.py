"""Take a request body's fields one by one, with the vendor's words for each mistake. Knows no resource."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from rftplan.server.errors import (
    ApiError,
    missing_parameter,
    unknown_parameter,
    unsupported_parameter,
    wrong_type,
    wrong_value,
)

AUTO = "auto"
MOST_PAIRS = 16
LONGEST_KEY = 64
LONGEST_VALUE = 512


class Whole(Struct, frozen=True):
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int | None = None


class Decimal(Struct, frozen=True):
    """A number above `above`, up to and including `most`."""

    above: float
    most: float | None = None


class Fields:
    """One JSON object being read. What names a field takes it; `close` refuses what was not taken.

    A null counts as absent: the vendor's schema makes nearly every optional field nullable.
    """

    def __init__(self, body: object, path: str = "") -> None:
        if not isinstance(body, dict):
            raise wrong_type(path or "body", expected="an object", got=body)
        self._body: dict[str, Any] = body
        self._path = path
        self._taken: set[str] = set()

    def name(self, field: str) -> str:
        """The field's full name, as `param` carries it."""
        return f"{self._path}.{field}" if self._path else field

    def take(self, field: str) -> Any:
        self._taken.add(field)
        return self._body.get(field)

    def need(self, field: str) -> Any:
        value = self.take(field)
        if field not in self._body:
            raise missing_parameter(self.name(field))
        return value

    def needed_text(self, field: str) -> str:
        value = self.need(field)
        if not isinstance(value, str):
            raise wrong_type(self.name(field), expected="a string", got=value)
        return value

    def text(self, field: str) -> str | None:
        return None if self.take(field) is None else self.needed_text(field)

    def choice(self, field: str, supported: Sequence[str]) -> str | None:
        value = self.text(field)
        if value is not None and value not in supported:
            raise wrong_value(self.name(field), got=value, supported=supported)
        return value

    def whole(self, field: str, bound: Whole) -> int | None:
        value = self.take(field)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(self.name(field), expected="an integer", got=value)
        check_whole(self.name(field), value, bound)
        return value

    def decimal(self, field: str, *, least: float, most: float) -> float | None:
        """A number from `least` to `most`, both included."""
        value = self.take(field)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong_type(self.name(field), expected="a decimal", got=value)
        if value < least:
            raise _outside(self.name(field), "decimal", "below minimum", f">= {least}", value)
        if value > most:
            raise _outside(self.name(field), "decimal", "above maximum", f"<= {most}", value)
        return value

    def truth(self, field: str) -> bool | None:
        value = self.take(field)
        if value is not None and not isinstance(value, bool):
            raise wrong_type(self.name(field), expected="a boolean", got=value)
        return value

    def only(self, field: str, *usual: object) -> None:
        """What this service knows but cannot do: refused unless it is one of the usual values."""
        value = self.take(field)
        if value is not None and not any(_same(value, one) for one in usual):
            supported = f" Only the default ({json.dumps(usual[0])}) value is supported." if usual else ""
            name, sent = self.name(field), json.dumps(value)
            raise ApiError(
                f"Unsupported value: '{name}' cannot be {sent if len(sent) < 60 else 'this value'} with the local"
                f" service.{supported}",
                param=name,
                code="unsupported_value",
            )

    def unsupported(self, *fields: str) -> None:
        """What the vendor knows and this service does not carry out: refused where it is said."""
        for field in fields:
            if self.take(field) is not None:
                raise unsupported_parameter(self.name(field))

    def number_or_auto(self, field: str, bound: Whole | Decimal) -> float | str:
        """The number, or "auto", which is also what an absent field means."""
        value = self.take(field)
        if value is None or value == AUTO:
            return AUTO
        expected = "one of an integer or 'auto'" if isinstance(bound, Whole) else "one of a decimal or 'auto'"
        numbers = int if isinstance(bound, Whole) else (int, float)
        if isinstance(value, bool) or not isinstance(value, numbers):
            raise wrong_type(self.name(field), expected=expected, got=value)
        if isinstance(bound, Whole):
            check_whole(self.name(field), int(value), bound)
        else:
            _check_decimal(self.name(field), value, bound)
        return value

    def inner(self, field: str) -> Fields | None:
        value = self.take(field)
        return None if value is None else Fields(value, self.name(field))

    def items(self, field: str) -> list[Any] | None:
        value = self.take(field)
        if value is not None and not isinstance(value, list):
            raise wrong_type(self.name(field), expected="an array", got=value)
        return value

    def metadata(self, field: str) -> Mapping[str, str] | None:
        """At most 16 pairs of strings, 64 and 512 characters long."""
        value = self.take(field)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise wrong_type(self.name(field), expected="an object", got=value)
        if len(value) > MOST_PAIRS:
            raise ApiError(
                f"Invalid '{self.name(field)}': too many properties. Expected an object with at most "
                f"{MOST_PAIRS} properties, but got an object with {len(value)} properties instead.",
                param=self.name(field),
                code="object_above_max_properties",
            )
        for key, text in value.items():
            self._check_pair(field, key, text)
        return value

    def _check_pair(self, field: str, key: str, text: object) -> None:
        if len(key) > LONGEST_KEY:
            raise _too_long(self.name(field), key, LONGEST_KEY)
        if not isinstance(text, str):
            raise wrong_type(f"{self.name(field)}.{key}", expected="a string", got=text)
        if len(text) > LONGEST_VALUE:
            raise _too_long(f"{self.name(field)}.{key}", text, LONGEST_VALUE)

    def expect(self, *fields: str) -> None:
        """Refuses now what is none of these, so that a misspelt field is named, and not the one that it should be."""
        for field in self._body:
            if field not in fields:
                raise unknown_parameter(self.name(field))

    def close(self) -> None:
        for field in self._body:
            if field not in self._taken:
                raise unknown_parameter(self.name(field))


def _same(value: object, other: object) -> bool:
    """Equal, and neither is a truth where the other is a number."""
    return value == other and isinstance(value, bool) is isinstance(other, bool)


def check_length(param: str, text: str, *, shortest: int, longest: int) -> None:
    if len(text) < shortest:
        raise ApiError(
            f"Invalid '{param}': string too short. Expected a string with minimum length {shortest}, "
            f"but got a string with length {len(text)} instead.",
            param=param,
            code="string_below_min_length",
        )
    if len(text) > longest:
        raise _too_long(param, text, longest)


def check_whole(param: str, value: int, bound: Whole) -> None:
    if value < bound.least:
        raise _outside(param, "integer", "below minimum", f">= {bound.least}", value)
    if bound.most is not None and value > bound.most:
        raise _outside(param, "integer", "above maximum", f"<= {bound.most}", value)


def _check_decimal(param: str, value: float, bound: Decimal) -> None:
    if value <= bound.above:
        raise _outside(param, "decimal", "below minimum", f"> {bound.above}", value)
    if bound.most is not None and value > bound.most:
        raise _outside(param, "decimal", "above maximum", f"<= {bound.most}", value)


def _outside(param: str, kind: str, side: str, expected: str, value: float) -> ApiError:
    return ApiError(
        f"Invalid '{param}': {kind} {side} value. Expected a value {expected}, but got {value} instead.",
        param=param,
        code=f"{kind}_{side.split()[0]}_{'min' if side.endswith('minimum') else 'max'}_value",
    )


def _too_long(param: str, text: str, longest: int) -> ApiError:
    return ApiError(
        f"Invalid '{param}': string too long. Expected a string with maximum length {longest}, "
        f"but got a string with length {len(text)} instead.",
        param=param,
        code="string_above_max_length",
    )
