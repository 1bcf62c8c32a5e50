"""Files that a spec reads in with `{file: path}`: texts as they are, structures with their places.

Knows nothing of what is wanted of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

    def loaded(self, value: Any) -> Mapping[PathKey, Document]:
        """What was read for each `{file: path}` inside a value that a spec holds, by the way to it."""
        return dict(self._loaded(value, (), frozenset()))

    def _loaded(self, value: Any, here: PathKey, around: frozenset[str]) -> Iterator[tuple[PathKey, Document]]:
        path = file_of(value)
        if path is not None and path not in around:  # a file may name itself
            document = self.documents.get(path) or self.texts.get(path)
            if document is not None:
                yield here, document
                yield from self._loaded(document.data, here, around | {path})
        elif isinstance(value, dict | list):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self._loaded(inner, (*here, key), around)

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
