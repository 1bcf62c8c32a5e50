"""One streaming pass over a data file: its digests, its rows, what is wrong with them. Knows no rules and no kinds.

Never holds more of a file than a block and one row.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct, field

from rftplan import codes
from rftplan.canonical import JsonObject
from rftplan.data.probes import Found, Probe
from rftplan.data.rows import WHITESPACE, DataProblem, Problems, UnusualRowsError, row_of, rows_of
from rftplan.errors import UserError
from rftplan.reading import BOM, SAVE_AS_UTF8, UnreadableError, names_other_encoding, open_regular

__all__ = [
    "MAX_ROW_BYTES",
    "DataError",
    "DataFacts",
    "DataProblem",
    "OnProgress",
    "read_facts",
    "read_watched",
]

MAX_ROW_BYTES: Final = 32 * 1024 * 1024
_BLOCK_BYTES: Final = 64 * 1024
"""Half of what makes the C library give memory back after each block: page faults cost a fifth of the pass."""
_GZIP: Final = b"\x1f\x8b"
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"

OnProgress = Callable[[int, int], None]
"""Told bytes done and bytes in all."""


class DataError(UserError):
    """A data file that cannot be read at all; `message` continues a sentence that starts with its path."""

    error_code = "data"


class DataFacts(Struct, frozen=True):
    """What one pass over a data file found.

    `sha256` is of the bytes, `size` counts them, `rows` counts lines that are not blank. `rows_digest` is of the values
    (row_bytes.py): spaces between tokens, blank lines, byte order mark and line endings do not count, the order of keys
    does. `blank_lines` counts the others, of which `first_blank` is the first; what follows the last line break is a
    line only if there is something. `problems` are in the order of the lines, bounded for each code. `found` is what
    probes found in good rows.
    """

    sha256: str
    size: int
    rows: int
    rows_digest: str
    blank_lines: int = 0
    first_blank: int = 0
    problems: tuple[DataProblem, ...] = ()
    found: Found = field(default_factory=dict)


def unwatched(done: int, total: int) -> None:
    """Nobody watches."""


def read_facts(path: Path, probes: Sequence[Probe] = (), *, on_progress: OnProgress = unwatched) -> DataFacts:
    """Read the whole file once, showing each good row to every probe, calling `on_progress(bytes done, bytes in
    all)` for each block.

    DataError if it is no plain file, cannot be read, or changes meanwhile.
    """
    return read_watched(path, probes, on_progress)[0]


def read_watched(path: Path, probes: Sequence[Probe], on_progress: OnProgress) -> tuple[DataFacts, os.stat_result]:
    """As `read_facts`, with the state of the file in which the facts were found."""
    try:
        with open_regular(path) as stream:
            before = os.fstat(stream.fileno())
            facts = _pass_over(stream, before.st_size, probes, on_progress)
            _require_unchanged(before, os.fstat(stream.fileno()), facts.size)
        _require_unchanged(before, path.stat(), facts.size)
    except UnreadableError as error:
        raise DataError(error.message, hint=error.hint) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", hint="try again, or check the disk") from error
    return facts, before


def _pass_over(stream: BinaryIO, size: int, probes: Sequence[Probe], on_progress: OnProgress) -> DataFacts:
    reading = Pass(probes)
    while block := stream.read(_BLOCK_BYTES):
        reading.feed(block)
        on_progress(reading.size, size)
    return reading.facts()


def _require_unchanged(before: os.stat_result, after: os.stat_result, size: int) -> None:
    if stamp_of(before) != stamp_of(after) or size != before.st_size:
        raise DataError("changed while it was read", hint="let the program that writes it finish, then try again")


def stamp_of(stat: os.stat_result) -> tuple[int, int, int, int]:
    """Size, times and inode: two files that agree in them are one, unless it changed within a tick of its clock."""
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


class Pass:
    """What is known so far. Fed with blocks of any size, then asked once for the facts."""

    def __init__(self, probes: Sequence[Probe] = ()) -> None:
        self.size = 0
        self._watches = {probe.key: probe.begin() for probe in probes}
        self._rows = 0
        self._lines = 0
        self._blank_lines = 0
        self._first_blank = 0
        self._bytes_hash = hashlib.sha256()
        self._rows_hash = hashlib.sha256()
        self._problems = Problems()
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._take: Callable[[bytes], None] = self._first_block

    def feed(self, block: bytes) -> None:
        self.size += len(block)
        self._bytes_hash.update(block)
        self._take(block)

    def facts(self) -> DataFacts:
        if rest := b"".join(self._pending):
            self._take_lines([rest])
        if not self.size:
            self._problems.add(codes.DATA_EMPTY, 0, 0, "it has no bytes", "write one JSON object a line")
        elif not self._rows:
            self._problems.add(codes.DATA_WITHOUT_ROWS, 0, 0, "it has only blank lines", "write one JSON object a line")
        return DataFacts(
            sha256=self._bytes_hash.hexdigest(),
            size=self.size,
            rows=self._rows,
            rows_digest=self._rows_hash.hexdigest(),
            blank_lines=self._blank_lines,
            first_blank=self._first_blank,
            problems=self._problems.listed(),
            found={key: watch.found() for key, watch in self._watches.items()},
        )

    def _first_block(self, block: bytes) -> None:
        """Files can only be told from their first bytes, so those are looked at before any row."""
        if block.startswith(_LFS_POINTER):
            hint = "run `git lfs pull`"
            self._problems.add(codes.DATA_IS_LFS_POINTER, 1, 1, "the data itself was not fetched", hint)
            self._take = self._take_opaque
        elif names_other_encoding(block):
            self._problems.add(codes.ROW_NOT_UTF8, 1, 1, "the file is UTF-16 or UTF-32 text", SAVE_AS_UTF8)
            self._take = self._take_opaque
        elif block.startswith(_GZIP):
            self._problems.add(codes.ROW_NOT_UTF8, 1, 1, "the file is compressed with gzip", "unpack it: gunzip FILE")
            self._take = self._take_opaque
        else:
            self._take = self._take_block
        if block.startswith(BOM):
            detail = "it does not count here, but other readers take it for part of the first row"
            self._problems.add(codes.DATA_HAS_BOM, 1, 1, detail, "save the file as UTF-8 without byte order mark")
        self._take(block.removeprefix(BOM))

    def _take_opaque(self, block: bytes) -> None:
        """Bytes that are no rows: one line, whatever is in it."""
        self._rows = 1
        self._rows_hash.update(block)

    def _take_block(self, block: bytes) -> None:
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        first, *others = block.split(b"\n")
        self._pending.append(first)
        self._pending_size += len(first)
        if self._pending_size > MAX_ROW_BYTES:
            self._begin_oversized()
            self._skip_row(b"\n".join([b"", *others]))
        elif others:
            rest = others.pop()
            self._take_lines([b"".join(self._pending), *others])
            self._pending = [rest]
            self._pending_size = len(rest)

    def _begin_oversized(self) -> None:
        self._add_oversized(self._lines + 1)
        self._rows += 1
        for piece in self._pending:
            self._rows_hash.update(piece)
        self._pending = []
        self._pending_size = 0
        self._take = self._skip_row

    def _add_oversized(self, line: int) -> None:
        detail = f"the row is longer than {MAX_ROW_BYTES // 1024 // 1024} MB and is not looked at"
        self._problems.add(codes.ROW_TOO_LONG, line, 1, detail, "end each row with a line break")

    def _skip_row(self, block: bytes) -> None:
        """The rest of a row that is too long."""
        end, newline, rest = block.partition(b"\n")
        self._rows_hash.update(end + newline)
        if newline:
            self._lines += 1
            self._take = self._take_block
            self._take_block(rest)

    def _take_lines(self, lines: list[bytes]) -> None:
        try:
            rows, digested = rows_of(lines)
        except UnusualRowsError:
            for line in lines:
                self._take_line(line)
            return
        if self._watches:
            self._show(rows, [number for number, line in enumerate(lines, self._lines + 1) if line])
        if len(rows) < len(lines):
            self._count_blank(self._lines + lines.index(b"") + 1, len(lines) - len(rows))
        self._rows += len(rows)
        self._lines += len(lines)
        self._rows_hash.update(digested)

    def _count_blank(self, first: int, count: int) -> None:
        self._first_blank = self._first_blank or first
        self._blank_lines += count

    def _show(self, rows: Sequence[JsonObject], numbers: Sequence[int]) -> None:
        for watch in self._watches.values():
            see = watch.see
            for number, row in zip(numbers, rows, strict=True):
                see(number, row)

    def _take_line(self, line: bytes) -> None:
        self._lines += 1
        if not line.strip(WHITESPACE):
            self._count_blank(self._lines, 1)
            return
        self._rows += 1
        row, digested, fault = row_of(line)
        self._rows_hash.update(digested)
        if row is not None:
            self._show([row], [self._lines])
        if fault:
            self._problems.add(fault.code, self._lines, fault.column, fault.detail, fault.hint)
