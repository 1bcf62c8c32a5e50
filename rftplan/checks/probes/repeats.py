"""Which rows are there twice, and digests by which rows of two files are compared. Judges nothing.

Two prompts are the same if their texts are, after NFC, with white space collapsed and letters folded; likeness of any
other kind is no sameness. Digests have 8 bytes: in two of a billion files of MOST_ROWS rows two
rows would be taken for one. Rows beyond those are not compared, and `rows` tells how many there are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import unicodedata
from array import array
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.checks.probes.fields import FieldPath
from rftplan.data.probes import Probe
from rftplan.data.row_bytes import row_bytes

MOST_ROWS: Final = 2**18
"""Compared; twenty bytes of memory each, and twelve in the cache."""
MOST_PAIRS: Final = 3
_VERSION: Final = "repeats/1"
_NOTHING: Final = b"N"

Fields = frozenset[FieldPath]


def _normal(text: str) -> str:
    if not text.isascii():
        return " ".join(unicodedata.normalize("NFC", text).casefold().split())
    # The same for ASCII, a fifth of the time: this is most of what the probe does.
    text = text.lower()
    if not text.isprintable():
        text = text.translate(_SPACES)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip()


_SPACES: Final = str.maketrans(dict.fromkeys("\n\t\r\x0b\x0c\x1c\x1d\x1e\x1f", " "))
"""What else divides words in ASCII."""


def _prompt_text(messages: Sequence[Any]) -> str:
    parts = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) and len(message) == 2 else None
        if isinstance(content, str):
            parts.append(f"{message.get('role')}\x1f{_normal(content)}")
        else:
            parts.append(_json_text(message))
    return "\x1e".join(parts)


def _json_text(value: Any) -> str:
    return _normal(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _at(value: Any, path: FieldPath) -> list[Any]:
    """The value there, or nothing."""
    for step in path:
        try:
            value = value[step]
        except (TypeError, KeyError, IndexError):
            return []
    return [value]


class _Repeats:
    """`method` says what a row is compared by, `fields` which of its other fields are references; None if nobody
    knows, and then all of them."""

    def __init__(self, method: str, fields: Fields | None) -> None:
        self._method = method
        self._fields = None if fields is None else sorted(fields, key=repr)
        self._rows = 0
        self._lines = array("L")
        self._prompts = array("Q")
        self._references = array("q")

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self._rows += 1
        if self._rows > MOST_ROWS:
            return
        messages = row.get("messages")
        if self._method == "dpo" or not isinstance(messages, list) or not messages:
            text, references = _json_text(row), _NOTHING
        else:
            text = _prompt_text(messages)
            if "tools" in row:
                text += "\x1e" + _json_text(row["tools"])
            references = self._read(row) if self._method == "reinforcement" else _NOTHING
        self._lines.append(line)
        self._prompts.append(_digest(text.encode("utf-8", "surrogatepass")))
        self._references.append(hash(references))  # compared within this process alone

    def _read(self, row: Mapping[str, Any]) -> bytes:
        if self._fields is None:
            return row_bytes({key: row[key] for key in sorted(row) if key not in ("messages", "tools")})
        return row_bytes([_at(row, path) for path in self._fields])

    def found(self) -> JsonObject:
        order = sorted(range(len(self._prompts)), key=self._prompts.__getitem__)
        repeats, conflicts = self._pairs(order)
        lines = [self._lines[index] for index in order]
        prompts = [self._prompts[index] for index in order]
        return {
            "rows": self._rows,
            "repeats": _pairs_document(repeats),
            "conflicts": _pairs_document(conflicts),
            "lines": base64.b64encode(struct.pack(f"<{len(lines)}I", *lines)).decode(),
            "prompts": base64.b64encode(struct.pack(f"<{len(prompts)}Q", *prompts)).decode(),
        }

    def _pairs(self, order: Sequence[int]) -> tuple[list[Pair], list[Pair]]:
        """Rows with an earlier row's prompt: those with its references, too, and those with others."""
        repeats, conflicts = [], []
        for _, group in groupby(order, key=self._prompts.__getitem__):
            first, *others = group
            known = {self._references[first]: self._lines[first]}
            for index in others:
                same = known.get(self._references[index])
                if same is None:
                    conflicts.append((self._lines[index], self._lines[first]))
                    known[self._references[index]] = self._lines[index]
                else:
                    repeats.append((self._lines[index], same))
        return sorted(repeats), sorted(conflicts)


Pair = tuple[int, int]
"""A line, and the earlier line that it is compared with."""


def _pairs_document(pairs: Sequence[Pair]) -> JsonObject:
    return {"count": len(pairs), "pairs": [list(pair) for pair in pairs[:MOST_PAIRS]]}


class Pairs(Struct, frozen=True):
    """`count` rows; `shown` are the first of them, by line."""

    count: int
    shown: tuple[Pair, ...]


class RepeatFacts(Struct, frozen=True):
    """`rows` are all; `lines` and `prompts` are of those that were compared, packed, for few rules need them."""

    rows: int
    repeats: Pairs
    conflicts: Pairs
    lines: str
    prompts: str

    def lines_by_prompt(self) -> dict[int, list[int]]:
        """The lines that have each prompt, by its digest."""
        lines, prompts = base64.b64decode(self.lines), base64.b64decode(self.prompts)
        by_prompt: dict[int, list[int]] = {}
        for (prompt,), (line,) in zip(struct.iter_unpack("<Q", prompts), struct.iter_unpack("<I", lines), strict=True):
            by_prompt.setdefault(prompt, []).append(line)
        return by_prompt


def repeats_probe(method: str, fields: Fields | None) -> Probe:
    """A probe for rows of this method whose references are these fields."""
    text = json.dumps(None if fields is None else sorted(map(list, fields), key=repr), ensure_ascii=False)
    return Probe(
        f"{_VERSION}:{method}:{hashlib.sha256(text.encode()).hexdigest()[:16]}", lambda: _Repeats(method, fields)
    )


def repeat_facts(found: Mapping[str, JsonObject], method: str, fields: Fields | None) -> RepeatFacts | None:
    """What that probe found; None where it did not look."""
    document: Any = found.get(repeats_probe(method, fields).key)
    if document is None:
        return None
    repeats, conflicts = _pairs(document["repeats"]), _pairs(document["conflicts"])
    return RepeatFacts(document["rows"], repeats, conflicts, document["lines"], document["prompts"])


def _pairs(document: Mapping[str, Any]) -> Pairs:
    return Pairs(document["count"], tuple((line, earlier) for line, earlier in document["pairs"]))
