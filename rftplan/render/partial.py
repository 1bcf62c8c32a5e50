"""A plan of a part, in words and in options, from its document alone. Knows not what was left out of it, only by which
names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rftplan.changes import Mode, Reason
from rftplan.render.escape import visible
from rftplan.render.shapes import PlanDocument

LEFT_OUT: Final = "left out"
"""How something stands that the plan is not about."""


def is_left_out(change: Mapping[str, Any]) -> bool:
    """Of a change, or of what became of one."""
    return bool(change.get("reason") == Reason.LEFT_OUT)


def how_many(changes: Iterable[Mapping[str, Any]]) -> int:
    """So many are left out."""
    return sum(map(is_left_out, changes))


def is_about(document: Mapping[str, Any], addresses: Iterable[str]) -> bool:
    """Whether the document is about any of these."""
    return not set(addresses) <= set(document.get("partial", {}).get("left_out", ()))


def partial_text(document: PlanDocument) -> str:
    """One sentence; empty where the plan is about everything."""
    if "partial" not in document:
        return ""
    target, exclude = document["partial"]["target"], document["partial"]["exclude"]
    needs, users = (_users, _needs) if document["mode"] == Mode.DESTROY else (_needs, _users)
    only = f"only {_names(target)} and {needs(target)}" if target else ""
    without = f"{'without' if target else 'all but'} {_names(exclude)} and {users(exclude)}" if exclude else ""
    return f"Partial: {', '.join(filter(None, (only, without)))}."


def _names(addresses: Sequence[str]) -> str:
    return ", ".join(map(visible, addresses))


def _needs(addresses: Sequence[str]) -> str:
    return "what it depends on" if len(addresses) == 1 else "what they depend on"


def _users(addresses: Sequence[str]) -> str:
    return f"what depends on {'it' if len(addresses) == 1 else 'them'}"


def partial_options(document: Mapping[str, Any]) -> str:
    """What a command needs to be about the same part; empty where the document is about everything."""
    given = document.get("partial", {})
    return "".join(f" --{name} {visible(a)}" for name in ("target", "exclude") for a in given.get(name, ()))
