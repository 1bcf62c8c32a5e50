"""Which steps of a job are validated, and with what reward, kept in memory once read. Decides nothing by it.

A job's steps never change after it was created, so what was read once stays true, whatever other processes do.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from rftplan.server.store import Store

_SELECT = (
    "SELECT job_seq, number, coalesce(json_extract(checkpoint, '$.full_valid_mean_reward'), "
    "json_extract(checkpoint, '$.valid_reward_mean'), -9e999) FROM steps WHERE checkpoint IS NOT NULL "
)


class Validated(Struct, frozen=True):
    """In the order of the steps; `rewards` are minus infinity where validation gave none."""

    numbers: Sequence[int] = field(default_factory=lambda: array("q"))
    rewards: Sequence[float] = field(default_factory=lambda: array("d"))


class ValidatedSteps:
    """Jobs are named by their `seq`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, Validated] = {}

    def of(self, job_seq: int) -> Validated:
        """Those that are or will be validated; of a job that is in the store."""
        if job_seq not in self._known:
            rows = self._store.tuples(_SELECT + "AND job_seq = ? ORDER BY number", job_seq)
            self._keep([job_seq], rows)
        return self._known[job_seq]

    def of_all(self, jobs: Sequence[int]) -> dict[int, Validated]:
        """The same for many jobs at once, in one read of those that are new."""
        if new := [job_seq for job_seq in jobs if job_seq not in self._known]:
            rows = self._store.tuples(
                _SELECT + "AND job_seq BETWEEN ? AND ? ORDER BY job_seq, number", min(new), max(new)
            )
            self._keep(new, rows)
        return {job_seq: self._known[job_seq] for job_seq in jobs}

    def _keep(self, jobs: Iterable[int], rows: Iterable[tuple[int, int, float]]) -> None:
        numbers, rewards = {one: array("q") for one in jobs}, {one: array("d") for one in jobs}
        for job_seq, number, reward in rows:
            if job_seq in numbers:
                numbers[job_seq].append(number)
                rewards[job_seq].append(reward)
        self._known.update({one: Validated(numbers[one], rewards[one]) for one in numbers})
