"""A value of a document held against a spec model: the spec, or what does not fit, each with its place.

Knows no section and no kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from rftplan.codes import finding
from rftplan.config.misfits import Misfit, describe
from rftplan.errors import Diagnostic, Place
from rftplan.kinds.spec import Context, Loader
from rftplan.source import Document, PathKey


class KeptLoader(Loader, Protocol):
    """A loader that keeps the structures it loaded, by the path as written, and what is wrong with their text."""

    @property
    def documents(self) -> Mapping[str, Document]: ...

    @property
    def findings(self) -> Sequence[Diagnostic]: ...


def value_at(document: Document, path: PathKey) -> Any:
    value: Any = document.data
    for part in path:
        value = value[part]
    return value


def key_place(document: Document, path: PathKey) -> Place:
    """The key's place where the path ends in a key, otherwise that of the nearest value."""
    return document.key_places.get(path) or document.place(path)


def validated(
    document: Document, path: PathKey, adapter: TypeAdapter[Any], loader: KeptLoader, *, address: str | None
) -> tuple[Any, list[Diagnostic]]:
    """The spec of the value at `path`; None with findings for one that does not fit."""
    value = value_at(document, path)
    context = Context(loader=loader, misread=[])
    try:
        return adapter.validate_python(value, context=context), []
    except ValidationError as error:
        misfits = describe(error, value, context, {p: d.data for p, d in loader.documents.items()})
        return None, [*loader.findings, *(_finding(one, document, path, loader, address) for one in misfits)]


def _finding(misfit: Misfit, document: Document, path: PathKey, loader: KeptLoader, address: str | None) -> Diagnostic:
    if misfit.inside is None:
        path = (*path, *misfit.path)
    else:
        document, path = loader.documents[misfit.inside], misfit.path
    place = key_place(document, path) if misfit.at_key else document.place(path)
    return finding(misfit.code, misfit.said, place=place, address=address, hint=misfit.hint)
