"""What was said once and stays true, remembered so that long lists are quick. Says nothing itself, and stores nothing.

Of a file that is what it is from its upload on, of a job all from when it has ended. Another process can make none of
it untrue: what may still change is asked of the store each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from rftplan.server.lifecycle import life_at
from rftplan.server.stored_job import StoredJob

Key = TypeVar("Key", bound=Hashable)
Said = TypeVar("Said")

Version = tuple[int, int]
"""A job's `seq`, and how many commands it was given: a job of the same version has the same life."""


class Remembered(Generic[Key, Said]):
    """What takes over `most` characters together is forgotten, the oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._said: dict[Key, tuple[Said, int]] = {}

    def get(self, key: Key) -> Said | None:
        found = self._said.get(key)
        return None if found is None else found[0]

    def keep(self, key: Key, said: Said, *, characters: int) -> None:
        if key in self._said or characters > self._most:
            return
        self._said[key] = said, characters
        self._taken += characters
        while self._taken > self._most:
            _, less = self._said.pop(next(iter(self._said)))
            self._taken -= less


class Ended(Generic[Said]):
    """What is said of jobs, one by one."""

    def __init__(self, most: int, length: Callable[[Said], int]) -> None:
        """`most` characters are remembered; `length` is how many one takes."""
        self._known: Remembered[Version, tuple[int, Said]] = Remembered(most)
        self._length = length

    def of_each(
        self,
        versions: Sequence[Version],
        now: int,
        *,
        load: Callable[[Sequence[int]], Iterable[StoredJob]],
        say: Callable[[StoredJob], Said],
    ) -> list[Said]:
        """In the order of the versions. Only jobs that may not have ended at `now`, or of which nothing was said since,
        are loaded, by their `seq`; of those there are in the store."""
        said: dict[int, Said] = {}
        for version in versions:
            if (known := self._known.get(version)) is not None and known[0] <= now:
                said[version[0]] = known[1]
        if missing := [seq for seq, _ in versions if seq not in said]:
            for job in load(missing):
                said[job.seq] = say(job)
                self._keep(job, said[job.seq], now)
        return [said[seq] for seq, _ in versions]

    def _keep(self, job: StoredJob, said: Said, now: int) -> None:
        ended_at = life_at(job.life, now).finished_at
        if ended_at is not None:
            version = (job.seq, len(job.life.commands))
            self._known.keep(version, (ended_at, said), characters=self._length(said))
