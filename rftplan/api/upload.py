"""A file on its way out: read in pieces, counted, and held to its size. Sends nothing itself."""

from __future__ import annotations

import hashlib
import io
import os

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
