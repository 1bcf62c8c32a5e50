"""Which samples are of which rows, by digests, and which entries are no samples. Judges nothing.

A sample is of the rows with its messages where it has them, else of those with its item.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from array import array
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.data.probes import Probe
from rftplan.data.row_bytes import row_bytes
from rftplan.data.sample_shape import misfit

_ROWS: Final = "recorded-rows/1"
_SAMPLES: Final = "recorded-samples/1"
_MOST_MISFITS: Final = 5


def _digest(value: Any) -> int:
    data = row_bytes(dict(sorted(value.items())) if isinstance(value, dict) else value)
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _packed(digests: array[int]) -> str:
    return base64.b64encode(struct.pack(f"<{len(digests)}Q", *digests)).decode()


def _unpacked(text: str) -> tuple[int, ...]:
    data = base64.b64decode(text)
    return struct.unpack(f"<{len(data) // 8}Q", data)


class _Rows:
    def __init__(self) -> None:
        self._keys = array("Q")

    def see(self, _line: int, row: Mapping[str, Json]) -> None:
        item = {key: row[key] for key in row if key not in ("messages", "tools")}
        self._keys.extend((_digest(row.get("messages")), _digest(item)))

    def found(self) -> JsonObject:
        return {"keys": _packed(self._keys)}


class _Samples:
    def __init__(self) -> None:
        self._lines, self._keys = array("Q"), array("Q")
        self._misfits: list[Json] = []
        self._wrong = 0

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        if (wrong := misfit(dict(row))) is not None:
            self._wrong += 1
            if len(self._misfits) < _MOST_MISFITS:
                self._misfits.append([line, *wrong])
            return
        self._lines.append(line)
        self._keys.append(_digest(row.get("messages") or row["item"]))

    def found(self) -> JsonObject:
        return {
            "lines": _packed(self._lines),
            "keys": _packed(self._keys),
            "misfits": self._misfits,
            "wrong": self._wrong,
        }


class Recorded(Struct, frozen=True):
    """`keys` are the line of each sample and what it belongs to; `misfits` the first lines that are no samples, each
    with what is wrong and what to do, and `wrong` how many there are."""

    keys: tuple[tuple[int, int], ...]
    misfits: tuple[tuple[int, str, str], ...]
    wrong: int

    def strangers(self, rows: frozenset[int]) -> Iterator[int]:
        """The lines of samples that belong to none of the rows."""
        return (line for line, key in self.keys if key not in rows)


ROWS_PROBE: Final = Probe(_ROWS, _Rows)
SAMPLES_PROBE: Final = Probe(_SAMPLES, _Samples)


def row_keys(found: Mapping[str, JsonObject]) -> frozenset[int] | None:
    """What samples of a data file's rows may belong to; None where the probe did not look."""
    document: Any = found.get(_ROWS)
    return None if document is None else frozenset(_unpacked(document["keys"]))


def recorded(found: Mapping[str, JsonObject]) -> Recorded | None:
    """What there is in a file of samples; None where the probe did not look."""
    document: Any = found.get(_SAMPLES)
    if document is None:
        return None
    keys = zip(_unpacked(document["lines"]), _unpacked(document["keys"]), strict=True)
    return Recorded(tuple(keys), tuple((at, said, hint) for at, said, hint in document["misfits"]), document["wrong"])
