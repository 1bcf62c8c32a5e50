"""What was imported, generated or accepted, as the document that is printed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rftplan.accepting import Accepted
    from rftplan.address import Address
    from rftplan.changes import FieldChange
    from rftplan.importing import Imported, Input
    from rftplan.importing.generating import Generated
    from rftplan.render.import_shapes import (
        AcceptDocument,
        GeneratedDocument,
        ImportDocument,
        InputDocument,
        RelatedDocument,
    )
    from rftplan.render.shapes import FieldDocument


def import_document(done: Imported) -> ImportDocument:
    return {
        "format": "rftplan.import/1",
        "address": str(done.address),
        "id": done.id,
        "outcome": done.outcome.value,
        "state": done.state,
        "inputs": [_input(one) for one in done.inputs],
        "differences": _fields(done.differences),
        "related": _related(done.related),
        "requests": done.requests,
        "simulated": done.simulated,
    }


def _input(one: Input) -> InputDocument:
    return {
        "name": one.name,
        "known": "verified" if one.ground.verified else "asserted",
        "ground": one.ground.value,
        "file": one.file,
        "declared": str(one.declared) if one.declared else None,
    }


def _fields(fields: Iterable[FieldChange]) -> list[FieldDocument]:
    return [{"path": one.path, "before": one.before, "after": one.after} for one in fields]


def _related(pairs: Iterable[tuple[Address, str]]) -> list[RelatedDocument]:
    return [{"address": str(address), "id": id} for address, id in pairs]


def generated_document(made: Generated, *, out: str | None) -> GeneratedDocument:
    return {
        "format": "rftplan.generated/1",
        "specs": made.specs,
        "out": out,
        "imports": _related(made.imports),
        "left_out": [{"id": id, "why": why} for id, why in made.left_out],
        "requests": made.requests,
        "simulated": made.simulated,
    }


def accept_document(done: Accepted) -> AcceptDocument:
    return {
        "format": "rftplan.accept/1",
        "address": str(done.address),
        "id": done.id,
        "reason": done.reason,
        "replaced": done.replaced,
        "changed": done.changed,
        "fields": _fields(done.fields),
        "requests": done.requests,
        "simulated": done.simulated,
    }
