"""What was found in data files, kept for the next time. Saves time; nothing depends on it.

Believes nothing that it cannot tell to be the same.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import to_builtins

from rftplan.codes import CODES
from rftplan.data import DataFacts, OnProgress, read_watched, stamp_of, unwatched
from rftplan.data.probes import Probe
from rftplan.data.rows import DataProblem

_CACHE_FORMAT: Final = "rftplan.facts/6"
_CACHE_FILE: Final = "facts.json"
_SETTLED_NS: Final = 2_000_000_000
"""A file younger than this when its reading began could still change without a new time (FAT counts 2 s)."""


class FactsCache:
    """Facts of files by path, size, times and inode, in one JSON file below `directory`.

    A damaged or foreign file counts as empty, and one that cannot be written is left alone: the cache saves time
    and nothing depends on it. Paths are real ones, as `Root.resolve` gives them: they are not followed again,
    for there may be thousands. `now_ns` is the time that files are stamped with, in ns since the epoch.
    """

    def __init__(self, directory: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.now_ns = now_ns
        self._file = directory / _CACHE_FILE
        self._entries = _read_entries(self._file)
        self._changed = False

    def get(self, path: Path, stat: os.stat_result, probes: Sequence[Probe] = ()) -> DataFacts | None:
        """What was found in this file, if it is certainly the same and every probe has looked at it."""
        try:
            entry = self._entries[os.fspath(path)]
            found = entry["facts"]["found"]
            if entry["identity"] != list(stamp_of(stat)) or any(probe.key not in found for probe in probes):
                return None
            return _facts_from(entry["facts"])
        except (KeyError, TypeError, ValueError):
            return None

    def put(self, path: Path, stat: os.stat_result, facts: DataFacts, *, began_ns: int) -> None:
        """Remember facts whose reading began at `began_ns`; a file too young to be told apart is not kept."""
        key = os.fspath(path)
        self._changed |= self._entries.pop(key, None) is not None
        if max(stat.st_mtime_ns, stat.st_ctime_ns) + _SETTLED_NS <= began_ns:
            self._entries[key] = {"identity": list(stamp_of(stat)), "facts": _facts_to(facts)}
            self._changed = True

    def save(self) -> None:
        """Replace the file at once, if anything changed."""
        if not self._changed:
            return
        text = json.dumps({"format": _CACHE_FORMAT, "entries": self._entries}, sort_keys=True)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._file.parent, prefix=_CACHE_FILE)
        except OSError:
            return
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(name).replace(self._file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            return
        self._changed = False


def read_facts_cached(
    path: Path, cache: FactsCache, probes: Sequence[Probe] = (), *, on_progress: OnProgress = unwatched
) -> DataFacts:
    """`read_facts`, or what it found the last time in the very same file."""
    began = cache.now_ns()
    try:
        known = cache.get(path, path.stat(), probes)
    except (OSError, ValueError):
        known = None
    if known:
        return known
    facts, stat = read_watched(path, probes, on_progress)
    cache.put(path, stat, facts, began_ns=began)
    return facts


def _read_entries(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
        entries = content["entries"] if content["format"] == _CACHE_FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _facts_to(facts: DataFacts) -> dict[str, Any]:
    problems = [{**to_builtins(problem), "code": problem.code.code} for problem in facts.problems]
    return {**to_builtins(facts), "problems": problems}


def _facts_from(entry: dict[str, Any]) -> DataFacts:
    problems = tuple(DataProblem(**{**problem, "code": CODES[problem["code"]]}) for problem in entry["problems"])
    return DataFacts(**{**entry, "problems": problems})
