"""Which file of this folder has the bytes of a file at the service. Reads; changes nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from rftplan.api.port import Port, RemoteFile
from rftplan.errors import RejectedError

_MOST_LOOKED_AT: Final = 10_000


async def bytes_here(root: Path, files: Collection[RemoteFile], port: Port) -> dict[str, Path]:
    """Paths by the ids of the files that lie here. Only a file of the same size is read; the service's is downloaded
    where its name does not carry our digest and where that is allowed."""
    by_size: dict[int, list[Path]] = {}
    sizes = {file.size for file in files}
    for path in islice(_data(root), _MOST_LOOKED_AT):
        if (size := _size(path)) in sizes:
            by_size.setdefault(size, []).append(path)
    found = {}
    for file in files:
        digests = {_digest(path): path for path in reversed(by_size.get(file.size, []))}
        named = (path for digest, path in digests.items() if file.filename.endswith(f"-{digest[:32]}.jsonl"))
        same = next(named, None) or (digests.get(await _remote_digest(port, file)) if digests else None)
        if same is not None:
            found[file.id] = same
    return found


def _data(root: Path) -> Iterator[Path]:
    """Every data file in the order of its path; hidden folders hold none that a spec may name."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in _plain(names) if name.endswith(".jsonl"))


def _plain(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.isprintable() and not name.startswith(".") and "\\" not in name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() and not path.is_symlink() else -1
    except OSError:
        return -1


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


async def _remote_digest(port: Port, file: RemoteFile) -> str:
    """What the service gives back, hashed; a word that is no digest where it gives nothing."""
    hashing = hashlib.sha256()
    try:
        await port.read_file(file.id, hashing.update)
    except RejectedError:
        return "not given back"
    return hashing.hexdigest()
