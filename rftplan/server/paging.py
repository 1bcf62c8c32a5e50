"""One page of a list: what is asked for and how it is answered. Knows no HTTP and no resource."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from rftplan.server.errors import ApiError


class Order(StrEnum):
    ASCENDING = "asc"
    DESCENDING = "desc"


class Page(Struct, frozen=True):
    """`after` is the id of the last object of the page before."""

    limit: int
    after: str | None


def bad_cursor(after: str) -> ApiError:
    return ApiError(f"Invalid 'after': there is no '{after}' in this list.", param="after", code="invalid_value")


def list_reply(data: Sequence[Mapping[str, Any]], *, more: bool) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": more}


def list_reply_with_ends(data: Sequence[Mapping[str, Any]], *, more: bool) -> dict[str, Any]:
    """With the ids of its first and last object, null if it is empty."""
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return {**list_reply(data, more=more), **ends}


def list_text(texts: Iterable[str], *, more: bool) -> str:
    """`list_reply` of objects that are JSON text already."""
    return f'{{"object":"list","data":[{",".join(texts)}],"has_more":{"true" if more else "false"}}}'


def list_text_with_ends(objects: Sequence[tuple[str, str]], *, more: bool) -> str:
    """`list_reply_with_ends` of ids with the JSON text of their objects."""
    ends = {"first_id": objects[0][0], "last_id": objects[-1][0]} if objects else {"first_id": None, "last_id": None}
    return f"{list_text([text for _, text in objects], more=more)[:-1]},{json.dumps(ends)[1:]}"
