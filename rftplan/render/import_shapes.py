"""The documents of importing, of what is generated, and of accepting, field by field. Types alone."""

from __future__ import annotations

from typing import TypedDict

from rftplan.render.shapes import FieldDocument


class InputDocument(TypedDict):
    """One thing that an imported object was made from."""

    name: str
    known: str
    ground: str
    file: str | None
    declared: str | None


class RelatedDocument(TypedDict):
    """An object at the service, and the address that stands for it."""

    address: str
    id: str


class ImportDocument(TypedDict):
    """What `import` recorded, or why it did not."""

    format: str
    address: str
    id: str
    outcome: str
    state: str
    inputs: list[InputDocument]
    differences: list[FieldDocument]
    related: list[RelatedDocument]
    requests: int
    simulated: bool


class LeftOutDocument(TypedDict):
    """What exists and was not written."""

    id: str
    why: str


class GeneratedDocument(TypedDict):
    """Specs for what exists. `imports` are the addresses in them, in the order in which they are imported."""

    format: str
    specs: str
    out: str | None
    imports: list[RelatedDocument]
    left_out: list[LeftOutDocument]
    requests: int
    simulated: bool


class AcceptDocument(TypedDict):
    """A run that stands for its spec as it is now."""

    format: str
    address: str
    id: str
    reason: str
    replaced: str | None
    changed: bool
    fields: list[FieldDocument]
    requests: int
    simulated: bool
