"""The documents of changing what the lock says by hand, field by field. Types alone."""

from __future__ import annotations

from typing import TypedDict


class HoldReasonDocument(TypedDict):
    """One hold. `operator` is true where a person set it."""

    code: str
    reason: str
    operator: bool


class HoldDocument(TypedDict):
    """What `hold` set. `holds` are all on the address; `going` is the status of a job that goes on all the same."""

    format: str
    address: str
    id: str | None
    holds: list[HoldReasonDocument]
    replaced: str | None
    going: str | None


class ReleaseDocument(TypedDict):
    """What `release` lifted; where it lifts nothing there is an `rftplan.error/1` instead."""

    format: str
    address: str
    released: bool
    lifted: list[HoldReasonDocument]


class MoveDocument(TypedDict):
    """What `state mv` moved. `declared` are those of the two addresses that the specs declare."""

    format: str
    address: str
    to: str
    id: str | None
    tombstones: int
    serial: int
    declared: list[str]


class ForgetDocument(TypedDict):
    """What `state rm` made the lock forget, and what stays at the service."""

    format: str
    address: str
    id: str | None
    leaving: str
    status: str | None
    asked: bool
    hour_usd: float | None
    paid: bool
    cap: str | None
    holds: list[str]
    grants: int
    declared: bool


class RecoveredDocument(TypedDict):
    """One effect that was open."""

    address: str
    verb: str
    at: str
    fate: str
    id: str | None
    state: str | None
    detail: str
    settles_in: int | None
    next_verb: str | None


class RecoverDocument(TypedDict):
    """What `recover` found open, oldest first."""

    format: str
    effects: list[RecoveredDocument]
    unasked: str | None
    requests: int


class HolderDocument(TypedDict):
    """A process that acts, or that died while it did."""

    command: str
    user: str
    host: str
    process: int
    since: str


class UnlockDocument(TypedDict):
    """Who holds the file lock, and whether that is said to be on this machine. `broken` is true where it was taken
    away just now."""

    format: str
    held: bool
    here: bool
    folder: str
    holder: HolderDocument | None
    broken: bool
