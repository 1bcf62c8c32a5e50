"""Lists that come in pages, made whole. Knows no service and no type of item beyond its id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from rftplan.errors import ApiError


class Listed(Protocol):
    """Whatever the API lists has an id, which is also the cursor of the next page."""

    @property
    def id(self) -> str: ...


ListedT = TypeVar("ListedT", bound=Listed)

Fetch = Callable[[int, str | None], Awaitable[tuple[Sequence[ListedT], bool]]]
"""Called with (limit, id of the last item so far); gives a page and whether the service has more."""


async def every(fetch: Fetch[ListedT], *, size: int, most: int | None, what: str) -> list[ListedT]:
    """All items or the first `most`, each once, in the service's order.

    ApiError if pages stop bringing anything new while the service says that there is more: half a list
    would look like objects that are gone, and be launched again.
    """
    found: dict[str, ListedT] = {}
    after: str | None = None
    while most is None or len(found) < most:
        items, more = await fetch(size if most is None else min(size, most - len(found)), after)
        known = len(found)
        found.update((item.id, item) for item in items)
        if not more:
            break
        if len(found) == known:
            raise ApiError(f"could not {what}: the service gives the same page again and again")
        after = items[-1].id
    return list(found.values())[:most]
