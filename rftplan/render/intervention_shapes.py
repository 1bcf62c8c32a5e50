"""The document of pausing, resuming and cancelling by hand, field by field. Types alone."""

from __future__ import annotations

from typing import TypedDict


class TouchedDocument(TypedDict):
    """One job. `held` is true where no apply touches it until a person lifts that."""

    id: str
    address: str | None
    before: str
    after: str
    outcome: str
    held: bool
    detail: str
    hint: str | None
    simulated: bool


class InterventionDocument(TypedDict):
    """What `pause`, `resume` or `cancel` did. `elsewhere` says why the lock's service was asked and not the specs',
    `unheld` why the lock could not be written."""

    format: str
    command: str
    jobs: list[TouchedDocument]
    service: str
    elsewhere: str | None
    unheld: str | None
    requests: int
