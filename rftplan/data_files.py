"""The data files of a config, one pass over each, with what is wrong with their bytes. Knows no rule.

Where a file is absent, the lock's word stands in for it.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from rftplan.address import Address
from rftplan.checks import Preflight, choose_probes
from rftplan.codes import DATA_ABSENT, DATA_MISSING, finding
from rftplan.config import Declared
from rftplan.data import DataError, DataFacts, OnProgress
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic, Place
from rftplan.events import Hashed, OnEvent
from rftplan.graph import KnownRows
from rftplan.kinds.file import lies_at, path_from_root
from rftplan.lockfile import Entry
from rftplan.source import PathError
from rftplan.spelling import close_names

_MOST_NAMES: Final = 10_000
"""Of a folder, so many are compared with a misspelt one."""


class Paths(Protocol):
    """How a path that somebody wrote is found, and shown again."""

    @property
    def directory(self) -> Path: ...

    def resolve(self, written: str, *, beside: Path) -> Path:
        """PathError for one that may not be used."""
        ...

    def relative(self, path: Path) -> str: ...


class Read(Protocol):
    """Reads one data file; DataError if that cannot be done."""

    def __call__(self, path: Path, probes: Sequence[Probe], *, on_progress: OnProgress) -> DataFacts: ...


class DataFiles:
    """One pass over each data file, with the lock's word where a file is absent."""

    def __init__(self, paths: Paths, entries: Mapping[Address, Entry], read: Read, on_event: OnEvent) -> None:
        self._root = paths
        self._entries = entries
        self._read = read
        self._on_event = on_event
        self.findings: list[Diagnostic] = []
        self.paths: dict[Address, Path] = {}

    def read(self, preflight: Preflight) -> dict[Address, DataFacts | KnownRows]:
        """The facts of every declared file, with what the rules look for in its rows; a file of which nothing is
        known has a finding instead."""
        probes = choose_probes(preflight)
        files = {d.address: self._facts(d, probes.get(d.address, ())) for d in preflight.of_kind("file")}
        return {address: facts for address, facts in files.items() if facts is not None}

    def _facts(self, declared: Declared, probes: Sequence[Probe]) -> DataFacts | KnownRows | None:
        spec = declared.spec
        place = declared.where(("path",))
        try:
            path = self._root.resolve(spec.path, beside=Path(declared.document.path))
            self.paths[declared.address] = path
            facts = self._read(path, probes, on_progress=lambda d, t: self._on_event(Hashed(spec.path, d, t)))
        except (PathError, DataError) as error:
            return self._absent(declared, place, error)
        for problem in facts.problems:
            at = Place(self._root.relative(path), problem.line, problem.column)
            found = finding(problem.code, problem.detail, place=at, address=str(declared.address), hint=problem.hint)
            self.findings.append(found)
        return facts

    def _absent(self, declared: Declared, place: Place, error: PathError | DataError) -> KnownRows | None:
        entry = self._entries.get(declared.address)
        address = str(declared.address)
        missing = declared.address in self.paths and _is_missing(self.paths[declared.address])
        here = path_from_root(declared.spec.path, declared.document.path)
        known = entry is not None and "sha256" in entry.inputs and lies_at(entry, here)
        # What stays here is nowhere else: the lock forgets what it knew of an earlier upload.
        if entry is None or not known or not missing or declared.spec.stays_here:
            meant = _meant(self._root.directory, declared, self.paths[declared.address]) if missing else None
            self.findings.append(
                finding(
                    DATA_MISSING,
                    str(error) if isinstance(error, PathError) else f'"{declared.spec.path}" {error}',
                    place=place,
                    address=address,
                    hint=f'did you mean "{meant}"?' if meant else error.hint,
                )
            )
            return None
        detail = f'"{declared.spec.path}" is not here; its digest is taken from the lock'
        hint = "fetch it before the next launch, which has to upload it"
        self.findings.append(finding(DATA_ABSENT, detail, place=place, address=address, hint=hint))
        rows_digest = entry.resolved.get("rows_digest")
        return KnownRows(str(entry.inputs["sha256"]), rows_digest if isinstance(rows_digest, str) else None)


def _meant(root: Path, declared: Declared, path: Path) -> str | None:
    """What the missing `path` was probably to be: seen from the root, or the closest name in its folder."""
    written = declared.spec.path
    if (root / written).is_file():
        beside = root / Path(declared.document.path).parent
        return Path(os.path.relpath(root / written, beside)).as_posix()
    try:
        names = [item.name for item in islice(path.parent.iterdir(), _MOST_NAMES) if not item.name.startswith(".")]
    except OSError:
        return None
    close = [name for name in close_names(path.name, names) if _is_likely(path.name, name)]
    return posixpath.join(posixpath.dirname(written), close[0]) if close else None


def _is_likely(written: str, name: str) -> bool:
    """Whether a name is close without its ending, too, and ends as data does, or as it was written."""
    (stem, ending), (other, suffix) = posixpath.splitext(written), posixpath.splitext(name)
    alike = SequenceMatcher(None, stem, other).ratio() >= 0.7
    return alike and suffix.lower() in (".jsonl", ending.lower())


def _is_missing(path: Path) -> bool:
    """Certainly not there; what cannot be looked at may be."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False
