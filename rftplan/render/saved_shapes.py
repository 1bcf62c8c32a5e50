"""The shape of a saved plan. Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from rftplan.render.shapes import PlanDocument


class SelectionDocument(TypedDict):
    """What was asked for beyond the specs."""

    destroy: bool
    replace: list[str]
    target: NotRequired[list[str]]
    exclude: NotRequired[list[str]]


class KnownLockDocument(TypedDict):
    """Lock and journal together; `digest` is sha256 in hex of all that they know."""

    lineage: str
    serial: int
    digest: str


class MadeFromDocument(TypedDict):
    """`lock` is null where there was none; the account is the plan's `provider`."""

    specs: str
    lock: KnownLockDocument | None


class SavedPlanDocument(TypedDict):
    """A plan with what it takes to make it again. `version` is that of the rftplan that saved it."""

    format: str
    version: str
    selection: SelectionDocument
    made_from: MadeFromDocument
    plan: PlanDocument
