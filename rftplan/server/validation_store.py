"""What validated steps left in the store: a checkpoint's model and the samples of each step. Knows no HTTP.

A step stores places only; each distinct answer with the grader's reply to it is stored once a job, packed by row.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from rftplan.server.store import Store, as_json, first
from rftplan.server.trainer import Said, Step, ToolCall

_QUICK = 1  # of zlib's levels: the replies of a grader to one row resemble each other, so that even this one does it


def insert_validations(
    db: sqlite3.Connection, job_seq: int, steps: Sequence[Step], answers: Sequence[Sequence[Said]]
) -> None:
    """Of a new job, in the transaction that makes it one."""
    validated = [step for step in steps if step.model is not None or step.samples]
    db.executemany(
        "INSERT INTO validations VALUES (?,?,?,?)",
        [(job_seq, s.number, None if s.model is None else as_json(s.model), as_json(s.samples)) for s in validated],
    )
    db.executemany(
        "INSERT INTO answers VALUES (?,?,?)",
        [(job_seq, row, _packed(said)) for row, said in enumerate(answers)],
    )


class ValidationStore:
    """Steps are named by their number, validation rows by their place, from 0."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def model(self, job_seq: int, number: int) -> Mapping[str, Any] | None:
        """What the checkpoint of a step answers from; None if it cannot answer."""
        row = first(self._store.rows("SELECT model FROM validations WHERE job_seq = ? AND number = ?", job_seq, number))
        return None if row is None or row["model"] is None else json.loads(row["model"])

    def samples(self, job_seq: int, number: int) -> list[list[int]] | None:
        """As `Step.samples`; None for a step that has none."""
        row = first(
            self._store.rows("SELECT samples FROM validations WHERE job_seq = ? AND number = ?", job_seq, number)
        )
        return (json.loads(row["samples"]) if row else None) or None

    def answers(self, job_seq: int, rows: range) -> dict[int, list[Said]]:
        """What was answered to these rows."""
        found = self._store.rows(
            "SELECT row, said FROM answers WHERE job_seq = ? AND row >= ? AND row < ?", job_seq, rows.start, rows.stop
        )
        return {row["row"]: _unpacked(row["said"]) for row in found}


def _packed(answers: Sequence[Said]) -> bytes:
    bodies = [
        [one.text, one.kind, one.reward, one.grader, [[call.name, call.arguments] for call in one.tool_calls]]
        for one in answers
    ]
    return zlib.compress(as_json(bodies).encode(), _QUICK)


def _unpacked(packed: bytes) -> list[Said]:
    return [
        Said(text, kind, reward, grader, tuple(ToolCall(*call) for call in calls))
        for text, kind, reward, grader, calls in json.loads(zlib.decompress(packed))
    ]
