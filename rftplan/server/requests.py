"""Read what is common to requests: a JSON body, the parameters of a list. Knows no resource."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect, Request

from rftplan.grading.sample import refuse_constant
from rftplan.server.errors import ApiError, unknown_parameter, wrong_value
from rftplan.server.fields import Whole, check_whole
from rftplan.server.paging import Order, Page

DEEPEST = 100  # levels of nesting; what is deeper could be parsed but not always written again
LARGEST_BODY = 16 * 2**20  # bytes of JSON; the largest part of one is a grader's 256 kB source
_LARGEST_ENVELOPE = 2**20  # what a form may weigh beside its content, in bytes
_NOT_JSON = "We could not parse the JSON body of your request."


async def read_json(request: Request) -> Any:
    """The body; only what can be stored and sent again: strict JSON, finite numbers, valid Unicode."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise too_large(LARGEST_BODY)
    except ClientDisconnect as error:
        raise ApiError("The request ended before its body did.") from error
    try:
        return parse_json(bytes(body))
    except (ValueError, RecursionError) as error:
        raise ApiError(f"{_NOT_JSON} {error}".strip()) from error


def parse_json(text: bytes) -> Any:
    """One strict JSON value; raises ValueError, or RecursionError where it is nested too deep."""
    decoded = text.decode("utf-8")
    value = json.loads(decoded, parse_constant=refuse_constant, parse_float=_finite)
    if "\\ud" in decoded or "\\uD" in decoded:
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    if decoded.count("{") + decoded.count("[") > DEEPEST:
        _refuse_deeper(value)
    return value


def read_page(request: Request, *, default: int, most: int, others: Sequence[str] = ()) -> Page:
    """`limit` and `after`; a query parameter that is neither these nor in `others` is refused."""
    for name in request.query_params:
        if name not in ("limit", "after", *others):
            raise unknown_parameter(name)
    limit = read_whole(request, "limit", Whole(1, most))
    return Page(default if limit is None else limit, request.query_params.get("after"))


def read_order(request: Request, words: Mapping[str, Order]) -> Order:
    """The order asked for by one of `words`; newest first if none is."""
    word = request.query_params.get("order")
    if word is None:
        return Order.DESCENDING
    if word not in words:
        raise wrong_value("order", got=word, supported=list(words))
    return words[word]


def refuse_query(request: Request) -> None:
    for name in request.query_params:
        raise unknown_parameter(name)


def check_declared_size(request: Request, *, largest: int) -> None:
    """Refuses a form that says itself that its content has more than `largest` bytes, before any of it is read."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > largest + _LARGEST_ENVELOPE:
        raise too_large(largest)


def too_large(limit: int) -> ApiError:
    return ApiError(f"Maximum content size limit ({limit}) exceeded.", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def read_whole(request: Request, name: str, bound: Whole) -> int | None:
    """A query parameter that is a whole number; None if it is not there."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10):
        raise ApiError(
            f"Invalid type for '{name}': expected an integer, but got '{text}' instead.",
            param=name,
            code="invalid_type",
        )
    check_whole(name, int(text), bound)
    return int(text)


def _refuse_deeper(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    if level:
        raise ValueError(f"It is nested deeper than {DEEPEST} levels.")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number
