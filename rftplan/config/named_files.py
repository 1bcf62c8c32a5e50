"""Files that a spec reads in with `{file: path}`: texts as they are, structures with their places.

Knows nothing of what is wanted of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rftplan.errors import Diagnostic, has_errors
from rftplan.kinds.spec import NotLoadedError
from rftplan.source import Document, PathError, Root, parse


class NamedFiles:
    """Loads texts and structures beside one YAML file.

    `documents` are the structures read, by the path as written; `findings` what is wrong with their text.
    """

    def __init__(self, root: Root, document: str) -> None:
        self._root = root
        self._beside = Path(document)
        self.documents: dict[str, Document] = {}
        self.findings: list[Diagnostic] = []

    def text(self, path: str) -> str:
        """The text without its last line break: an editor puts that there, and nobody means it by it."""
        try:
            return self._root.read_text(self._root.resolve(path, beside=self._beside)).removesuffix("\n")
        except PathError as error:
            raise NotLoadedError(error.message, hint=error.hint) from None

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
