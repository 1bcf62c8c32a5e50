"""The shape of what `doctor` says. Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import TypedDict


class SignDocument(TypedDict):
    """One look. `subject` tells signs about the same apart; `next` is null where there is nothing to do."""

    about: str
    subject: str | None
    state: str
    found: str
    why: str
    next: str | None


class DoctorDocument(TypedDict):
    """`ok` is whether nothing is wrong; `summary` counts states."""

    format: str
    ok: bool
    provider: dict[str, str | None]
    project: str | None
    today: str
    signs: list[SignDocument]
    summary: dict[str, int]
    requests: int
