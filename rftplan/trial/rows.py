"""Some rows of a data file, spread evenly and the same each time. Holds one row at a time, and judges none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from rftplan.canonical import JsonObject
from rftplan.data import MAX_ROW_BYTES, DataError
from rftplan.data.rows import WHITESPACE, row_of
from rftplan.reading import BOM, UnreadableError, open_regular


def spread(total: int, wanted: int, index: int) -> bool:
    """Whether the item at `index` of `total` is one of `wanted` that lie as far apart as they can."""
    return (index + 1) * wanted // total > index * wanted // total if wanted < total else True


def rows_spread(path: Path, total: int, wanted: int) -> Iterator[tuple[int, JsonObject]]:
    """So many good rows of a file that has `total`, each with its 1-based line.

    A chosen row that is broken is left out: pre-flight tells of it. DataError if the file can no longer be read.
    """
    for index, (line, text) in enumerate(_lines(path)):
        if not spread(total, wanted, index):
            continue
        row, _, _ = row_of(text)
        if row is not None:
            yield line, row


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with io.BufferedReader(open_regular(path)) as stream:  # type: ignore[type-var]
            number, whole = 0, True
            while text := stream.readline(MAX_ROW_BYTES + 1):
                number += whole
                text = text.removeprefix(BOM) if number == 1 else text
                if whole and text.strip(WHITESPACE):
                    yield number, text.removesuffix(b"\n").removesuffix(b"\r")
                whole = text.endswith(b"\n")
    except UnreadableError as error:
        raise DataError(f"{path.name} {error.message}", hint="it was there a moment ago; try again") from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror})", hint="try again, or check the disk") from None
