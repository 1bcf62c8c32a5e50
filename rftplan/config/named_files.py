"""Files that a spec reads in with `{file: path}`: texts as they are, structures with their places.

Knows nothing of what is wanted of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rftplan.errors import Diagnostic, has_errors
from rftplan.kinds.spec import NotLoadedError, file_of
from rftplan.source import Document, PathError, PathKey, Root, parse


class NamedFiles:
    """Loads texts and structures beside one YAML file.

    `documents` are the structures read, `texts` the texts, by the path as written; of a text no place inside is known.
    `findings` what is wrong with their text.
    """

    def __init__(self, root: Root, document: str) -> None:
        self._root = root
        self._beside = Path(document)
        self.documents: dict[str, Document] = {}
        self.texts: dict[str, Document] = {}
        self.findings: list[Diagnostic] = []

    def text(self, path: str) -> str:
        """The text without its last line break: an editor puts that there, and nobody means it by it."""
        try:
            real = self._root.resolve(path, beside=self._beside)
            text = self._root.read_text(real).removesuffix("\n")
        except PathError as error:
            raise NotLoadedError(error.message, hint=error.hint) from None
        self.texts[path] = Document(self._root.relative(real), text, {}, {})
        return text

    @property
    def loaded(self) -> Mapping[str, Document]:
        """All that was read, by the path as written."""
        return {**self.texts, **self.documents}

    def structure(self, path: str) -> Any:
        """The value; NotLoadedError with `reported` if the text itself is at fault, which `findings` then say."""
        if path in self.documents:
            return self.documents[path].data
        try:
            real = self._root.resolve(path, beside=self._beside)
            document, findings = parse(self._root.read_bytes(real), self._root.relative(real))
        except PathError as error:
            raise NotLoadedError(error.message, hint=error.hint) from None
        if document is None or has_errors(findings):
            self.findings.extend(findings)
            raise NotLoadedError(path, reported=True)
        self.documents[path] = document
        return document.data


def innermost(value: Any, path: Sequence[str | int], loaded: Mapping[str, Document]) -> tuple[Document, PathKey] | None:
    """The last of the files that the way to `path` leads into, from a value that a spec holds, and the rest of the way.

    None if it leads into none. Only this one way is followed: of files that name files twice there are too many.
    """
    found: tuple[Document, PathKey] | None = None
    around: set[str] = set()
    for length in range(len(path) + 1):
        while (name := file_of(value)) in loaded and name is not None and name not in around:  # a file may name itself
            around.add(name)
            found = loaded[name], tuple(path[length:])
            value = loaded[name].data
        if length < len(path):
            value = _inside(value, path[length])
    return found


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
