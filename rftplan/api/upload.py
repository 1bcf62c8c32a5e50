"""A file on its way out: read in pieces, counted, and held to what was planned. Sends nothing itself."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from rftplan.api.port import Progress, Upload
from rftplan.errors import UserError


def check_size(upload: Upload, most: int) -> None:
    """UserError for what does not fit into one request of `most` bytes."""
    if upload.size > most:
        raise UserError(
            f"{upload.path} has {upload.size:,} bytes; the service takes {most:,} in one file",
            hint="split the file",
        )


class CountedReader(io.BufferedReader):
    """The bytes of an upload, reported as they are taken.

    UserError if the file is not what was planned; OSError if it changes while it is read, for the service
    would keep a cut file under the name of the whole one. The last piece is held back then, so that no service
    can have got a whole file: `refused` says why.
    """

    def __init__(self, upload: Upload, progress: Progress) -> None:
        try:
            super().__init__(io.FileIO(upload.path))
        except OSError as error:
            raise UserError(f"{upload.path} cannot be read: {error.strerror}") from error
        self._upload = upload
        self._progress = progress
        self._taken = 0
        self._digest = hashlib.sha256()
        self.refused: str | None = None
        if os.fstat(self.fileno()).st_size != upload.size:
            self.close()
            raise UserError(f"{upload.path} has changed since the plan", hint="plan again")

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._taken += len(piece)
        self._digest.update(piece)
        if self._taken > self._upload.size or (not piece and self._taken < self._upload.size):
            raise self._refuse("changed while it was uploaded")
        if self._is_other():
            raise self._refuse("has changed since the plan")
        self._progress(self._taken, self._upload.size)
        return piece

    def _refuse(self, what: str) -> OSError:
        self.refused = f"{self._upload.path} {what}"
        return OSError(self.refused)

    def _is_other(self) -> bool:
        """Whether the last piece shows that these are other bytes than planned: it is not handed over then."""
        whole = self._taken == self._upload.size and self._upload.sha256 is not None
        return whole and self._digest.hexdigest() != self._upload.sha256

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Starting over starts the count over."""
        self._taken = super().seek(offset, whence)
        self._digest = hashlib.sha256()
        return self._taken


_PIECE: Final = 2**20


class PartedFile:
    """A file that is sent as sections, in any order and side by side, and hashed by itself.

    UserError if it is not what was planned. `refused` says it, too, where reading a section failed for it.
    """

    def __init__(self, upload: Upload, progress: Progress) -> None:
        try:
            self._file = io.FileIO(upload.path)  # one descriptor for all: another file under this name is another file
        except OSError as error:
            raise UserError(f"{upload.path} cannot be read: {error.strerror}") from error
        self._upload = upload
        self._progress = progress
        self._taken: dict[int, int] = {}
        self.refused: str | None = None
        self._state = self._state_now()
        if self._state[0] != upload.size:
            self._file.close()
            raise _changed(f"{upload.path} has changed since the plan")

    def __enter__(self) -> PartedFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def sections(self, size: int) -> Iterator[Section]:
        """The file in order, each of `size` bytes but the last."""
        for start in range(0, self._upload.size, size):
            yield Section(self, start, min(size, self._upload.size - start))

    def md5(self) -> str:
        """Of the planned bytes, in hexadecimal digits; UserError if the file has others. For a thread of its own."""
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        for start in range(0, self._upload.size, _PIECE):
            piece = os.pread(self._file.fileno(), _PIECE, start)
            md5.update(piece)
            sha256.update(piece)
        if self._upload.sha256 not in (None, sha256.hexdigest()):
            raise _changed(f"{self._upload.path} has changed since the plan")
        return md5.hexdigest()

    def check_unchanged(self) -> None:
        """UserError if somebody wrote to the file since it was opened."""
        if self._state_now() != self._state:
            raise _changed(f"{self._upload.path} changed while it was uploaded")

    def piece(self, start: int, size: int) -> bytes:
        """OSError if the file ends before them."""
        piece = os.pread(self._file.fileno(), size, start)
        if len(piece) < size:
            self.refused = f"{self._upload.path} changed while it was uploaded"
            raise OSError(self.refused)
        return piece

    def took(self, section: int, taken: int) -> None:
        """`taken` bytes of the section that starts at `section` are on their way, in this attempt."""
        self._taken[section] = taken
        self._progress(sum(self._taken.values()), self._upload.size)

    def _state_now(self) -> tuple[int, int]:
        stat = os.fstat(self._file.fileno())
        return stat.st_size, stat.st_mtime_ns


class Section(io.RawIOBase):
    """Some of a file's bytes as a file of their own; the descriptor is not its own, so `fileno` has none to give."""

    def __init__(self, file: PartedFile, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._at = 0
        self.size = size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        piece = self._file.piece(self._start + self._at, wanted) if wanted else b""
        self._at += len(piece)
        self._file.took(self._start, self._at)
        return piece


def _changed(what: str) -> UserError:
    return UserError(what, hint="plan again")
