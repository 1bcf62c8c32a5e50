"""Write values as YAML that `parse` reads back as they were. Pure; knows no kinds and reads nothing.

Text of several lines stands in a block as it is. Text that a terminal, a CI or an editor would not show for what it
is, stands in double quotes with escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from rftplan.canonical import Json
from rftplan.source.scalars import plain_value

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@-]*( [A-Za-z0-9_(][A-Za-z0-9_./@()-]*)*", re.ASCII)
_CI_COMMAND: Final = re.compile(r"##(?=\[|vso\[)")
_ESCAPED: Final = re.compile(r"[^ -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(value: Mapping[str, Json]) -> str:
    """A whole document in block style, in the order of the mapping."""
    return "".join(f"{line}\n" for line in _mapping(value))


def _mapping(value: Mapping[str, Json]) -> Iterator[str]:
    for key, item in value.items():
        yield from _entry(f"{_scalar(key)}:", item)


def _entry(head: str, value: Json) -> Iterator[str]:
    """`head` is what stands before the value: `key:` or `-`."""
    if (short := _short(value)) is not None:
        yield f"{head} {short}"
        return
    if isinstance(value, dict) and value:
        lines = _mapping(value)
    elif isinstance(value, list) and value:
        lines = (line for item in value for line in _entry("-", item))
    elif isinstance(value, str) and _fits_a_block(value):
        mark, lines = _block(value)
        yield f"{head} {mark}"
        yield from (f"  {line}" if line else "" for line in lines)
        return
    else:
        yield f"{head} {_scalar(value)}"
        return
    if head == "-" and isinstance(value, dict):
        head = f"- {next(lines)}"
    yield head
    yield from (f"  {line}" if line else "" for line in lines)


def _short(value: Json) -> str | None:
    """A mapping of one plain word or number as people write it, `{id: file-abc}`; None for anything else."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((key, item),) = value.items()
    plain = _is_plain(item) if isinstance(item, str) else isinstance(item, int | float)
    return f"{{{key}: {_scalar(item)}}}" if plain and _is_plain(key) else None


def _block(text: str) -> tuple[str, Iterator[str]]:
    """Its mark and its lines. The indentation is said, for the first line may begin with blanks."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    mark = {0: "-", 1: ""}.get(ends, "+")
    said = "2" if body.startswith((" ", "\n", "\t")) else ""
    return f"|{said}{mark}", iter([*body.split("\n"), *[""] * (ends - 1)])


def _fits_a_block(text: str) -> bool:
    lines = text.split("\n")
    if len(lines) < 2 or not text.strip("\n "):
        return False
    return all(_is_shown(line) for line in lines)


def _is_shown(line: str) -> bool:
    """Whether everybody sees what the line is, and no CI obeys it. A block begins no line with `#` or `---`, for it
    is indented."""
    seen = line.replace("\t", "")
    return (
        seen.isprintable()
        and not line.isspace()
        and not line.lstrip().startswith("::")
        and not _CI_COMMAND.search(line)
    )


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return json.dumps(value, allow_nan=False)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and _meaning(text) == text


def _meaning(text: str) -> object:
    """What the word means without quotes; None for a number that YAML cannot carry."""
    try:
        return plain_value(text)
    except ValueError:
        return None


def _quoted(text: str) -> str:
    shown = json.dumps(text, ensure_ascii=False)
    escaped = "".join(c if c.isprintable() and not _ESCAPED.match(c) else _escape(c) for c in shown)
    return _CI_COMMAND.sub(r"#\\x23", escaped)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
