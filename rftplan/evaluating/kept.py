"""What models answered and graders scored before, in files that only grow. Asks nobody and scores nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rftplan.canonical import JsonObject
from rftplan.errors import UserError

Place = tuple[int, int]
"""A row and a sample, both counted from 0."""
_READ_ONLY_BY_US: Final = 0o700


class Kept:
    """One file: an entry a line, each for one row and sample; the last one of a place counts. What a death left torn is
    as if it had not been written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[Place, JsonObject] = dict(_read(path))
        self._stream: Any = None

    def add(self, place: Place, entry: JsonObject) -> None:
        """Written before this returns. UserError where it cannot be kept: it would be paid for again."""
        line = json.dumps({"row": place[0], "sample": place[1], **entry}) + "\n"
        try:
            if self._stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=_READ_ONLY_BY_US)
                self._stream = open(self.path, "a", encoding="ascii", opener=_private)  # noqa: SIM115
                if self._stream.tell() and not self.path.read_bytes().endswith(b"\n"):
                    self._stream.write("\n")
            self._stream.write(line)
            self._stream.flush()
        except OSError as error:
            said = f"{self.path.name} cannot be written ({error.strerror})"
            raise UserError(said, hint="make room or mend its permissions; what was answered is kept") from None
        self.entries[place] = entry

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(path: Path) -> Iterator[tuple[Place, JsonObject]]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            place = entry.pop("row"), entry.pop("sample")
        except (ValueError, KeyError, AttributeError, TypeError):
            continue  # torn, or of somebody else: asked again
        if all(isinstance(part, int) for part in place):
            yield place, entry
