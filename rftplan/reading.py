"""Open files that somebody else named, and turn their bytes into text.

Never blocks on a pipe or a device; never looks at what the text means.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final

from rftplan.codes import CONTROL_CHARACTER, NOT_UTF8, Code
from rftplan.errors import UserError

BOM: Final = codecs.BOM_UTF8
_OTHER_ENCODINGS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""The mark of UTF-32 LE starts with that of UTF-16 LE."""
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
SAVE_AS_UTF8: Final = "save the file as UTF-8"
CONFLICT_MARKS: Final = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
"""Lines of git's that start so; a line of equal signs alone may be anything."""
DECIDE_CONFLICT: Final = "keep one side, and delete the lines that start with <<<<<<<, ======= and >>>>>>>"


class UnreadableError(UserError):
    """Not a file that can be read as a plain one; `message` continues a sentence that starts with the path."""

    error_code = "unreadable"


class NotTextError(UserError):
    """Bytes that are not UTF-8 text; the first wrong one is at `line`, `column` (1-based)."""

    error_code = "not-text"

    def __init__(self, code: Code, message: str, *, line: int, column: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.line = line
        self.column = column


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for unbuffered reading; UnreadableError for everything that is none."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise _explained(error) from error
    try:
        _require_regular(os.fstat(descriptor).st_mode)
    except BaseException:  # nobody else can close what was never handed over
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb", buffering=0)


def _require_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise UnreadableError("is a directory, not a file", hint="name a file inside it")
    if not stat.S_ISREG(mode):
        raise UnreadableError("is a pipe, a device or a socket", hint="name a plain file")


def _explained(error: OSError | ValueError) -> UnreadableError:
    if isinstance(error, FileNotFoundError):
        return UnreadableError("does not exist", hint="check the spelling; a path is relative to its YAML file")
    if isinstance(error, PermissionError):
        return UnreadableError("may not be read by this user", hint="check the file's permissions")
    if isinstance(error, IsADirectoryError):
        return UnreadableError("is a directory, not a file", hint="name a file inside it")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return UnreadableError(f"cannot be read ({reason})", hint="check the path")


def read_at_most(path: Path, size: int) -> bytes:
    """The first `size` bytes. UnreadableError also when the disk fails half-way."""
    chunks: list[bytes] = []
    left = size
    try:
        with open_regular(path) as stream:
            while left and (chunk := stream.read(left)):
                chunks.append(chunk)
                left -= len(chunk)
    except OSError as error:
        raise _explained(error) from error
    return b"".join(chunks)


def names_other_encoding(data: bytes) -> bool:
    """Whether the bytes start with the mark of UTF-16 or UTF-32."""
    return data.startswith(_OTHER_ENCODINGS)


def decode_text(data: bytes) -> str:
    r"""UTF-8 without its mark, every line ended by `\n`. NotTextError for anything else."""
    if names_other_encoding(data):
        raise NotTextError(NOT_UTF8, "is UTF-16 or UTF-32 text", line=1, column=1, hint=SAVE_AS_UTF8)
    data = data.removeprefix(BOM)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = _position(data[: error.start].decode())
        message = f"has a byte 0x{data[error.start]:02x} that is not UTF-8"
        raise NotTextError(NOT_UTF8, message, line=line, column=column, hint=SAVE_AS_UTF8) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (nul := text.find("\0")) >= 0:
        line, column = _position(text[:nul])
        hint = "this looks like a binary file; name a text file"
        raise NotTextError(CONTROL_CHARACTER, "has a NUL character", line=line, column=column, hint=hint)
    return text


def _position(before: str) -> tuple[int, int]:
    """Line and column, both 1-based, of what comes after this text."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


_SIDE: Final = re.compile(r"(?:<<<<<<<|>>>>>>>)(?:[ \t]+(.*))?")


def conflict_line(text: str) -> int:
    """The line at which the first of them begins; 0 where there is none."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if _SIDE.fullmatch(line.rstrip())), 0)


def conflict_sides(text: str) -> str:
    """The sides of a merge that git left to a person, as part of a sentence; empty where there is none."""
    found = [match for line in text.splitlines() if (match := _SIDE.fullmatch(line.rstrip()))]
    named = dict.fromkeys(match[1] for match in found if match[1])
    return f" ({' and '.join(named) or 'of sides without a name'})" if found else ""
