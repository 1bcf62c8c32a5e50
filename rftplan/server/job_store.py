"""Jobs in the store, with their steps and the commands given to them. Knows no HTTP and computes no state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rftplan.server.lifecycle import Command, Life, Status, Verb, refusal, time_of_command
from rftplan.server.paging import Page, bad_cursor
from rftplan.server.store import Store, as_json, first
from rftplan.server.trainer import Said, Step
from rftplan.server.validation_store import insert_validations

_JOB = """SELECT jobs.*, (SELECT json_group_array(json_array(at, verb)) FROM
    (SELECT at, verb FROM commands WHERE job_seq = jobs.seq ORDER BY number)) AS commands FROM jobs """


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job is bound to fail, and in which state."""

    code: str
    message: str
    param: str | None
    status: Status


@dataclass(frozen=True, slots=True)
class NewJob:
    """What creating a job settles for good. `created_at` is in microseconds."""

    id: str
    created_at: int
    speed: float
    request: Mapping[str, Any]
    metadata: Mapping[str, str] | None
    fine_tuned_model: str
    simulation: Mapping[str, Any] | None
    steps: Sequence[Step]
    hyperparameters: Mapping[str, Any]
    trained_tokens: int
    notes: Sequence[str]
    failure: Failure | None
    answers: Sequence[Sequence[Said]] = ()


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job without its steps. `request` is what was asked for, in the form of the reply."""

    seq: int
    id: str
    request: Mapping[str, Any]
    metadata: Mapping[str, str] | None
    fine_tuned_model: str
    simulation: Mapping[str, Any] | None
    hyperparameters: Mapping[str, Any]
    trained_tokens: int
    notes: Sequence[str]
    failure: Failure | None
    life: Life

    @property
    def method(self) -> str:
        kind: str = self.request["method"]["type"]
        return kind


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A step that was validated, with its checkpoint's metrics."""

    number: int
    metrics: Mapping[str, Any]


class CommandRefusedError(Exception):
    """The job is in no state for this command; the message says why."""


class JobStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, job: NewJob) -> None:
        """The job and its whole future, in one transaction."""
        steps = [
            (s.number, s.message, as_json(s.metrics), None if s.checkpoint is None else as_json(s.checkpoint))
            for s in job.steps
        ]
        with self._store.write() as db:
            seq = db.execute(
                "INSERT INTO jobs (id, created_at, speed, steps, failure, request, metadata, "
                "hyperparameters, trained_tokens, fine_tuned_model, simulation, notes) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                _values(job),
            ).lastrowid
            assert seq is not None
            db.executemany("INSERT INTO steps VALUES (?,?,?,?,?)", [(seq, *step) for step in steps])
            insert_validations(db, seq, job.steps, job.answers)
            if job.steps:
                files = {job.request["training_file"], job.request["validation_file"]} - {None}
                db.executemany("INSERT INTO trained_from VALUES (?,?)", [(file, seq) for file in files])

    def get(self, job_id: str) -> StoredJob | None:
        row = first(self._store.rows(_JOB + "WHERE id = ?", job_id))
        return _job(row) if row else None

    def page(self, page: Page, *, metadata: Mapping[str, str] | None) -> list[StoredJob]:
        """Newest first, one more than the limit if there are more. `metadata` None means jobs without any."""
        conditions, values = _metadata_conditions(metadata)
        if page.after is not None:
            conditions.append("seq < ?")
            values.append(self._cursor(page.after))
        where = "WHERE " + " AND ".join(conditions) if conditions else ""
        rows = self._store.rows(f"{_JOB} {where} ORDER BY seq DESC LIMIT ?", *values, page.limit + 1)
        return [_job(row) for row in rows]

    def all(self) -> list[StoredJob]:
        return [_job(row) for row in self._store.rows(_JOB + "ORDER BY seq")]

    def by_model(self, model: str) -> StoredJob | None:
        """The job whose fine-tuned model has, or will have, this id."""
        row = first(self._store.rows(_JOB + "WHERE fine_tuned_model = ?", model))
        return _job(row) if row else None

    def command(self, job: StoredJob, verb: Verb, now: int) -> StoredJob:
        """Gives the command if the state under the write lock allows it; raises CommandRefusedError."""
        with self._store.write() as db:
            life = _job(db.execute(_JOB + "WHERE seq = ?", (job.seq,)).fetchone()).life
            at = time_of_command(life, now)
            if (reason := refusal(life, verb, at)) is not None:
                raise CommandRefusedError(reason)
            db.execute("INSERT INTO commands VALUES (?,?,?,?)", (job.seq, len(life.commands), at, verb.value))
            return _job(db.execute(_JOB + "WHERE seq = ?", (job.seq,)).fetchone())

    def steps(self, job: StoredJob, numbers: Sequence[int]) -> dict[int, Step]:
        """The steps from the smallest to the largest of `numbers`, by number."""
        if not numbers:
            return {}
        rows = self._store.rows(
            "SELECT number, message, metrics FROM steps WHERE job_seq = ? AND number BETWEEN ? AND ?",
            job.seq,
            min(numbers),
            max(numbers),
        )
        return {row["number"]: Step(row["number"], row["message"], json.loads(row["metrics"]), None) for row in rows}

    def checkpoints(self, job: StoredJob) -> list[StoredCheckpoint]:
        """Every step that is or will be validated, in order."""
        rows = self._store.rows(
            "SELECT number, checkpoint FROM steps WHERE job_seq = ? AND checkpoint IS NOT NULL ORDER BY number",
            job.seq,
        )
        return [_checkpoint(row) for row in rows]

    def all_checkpoints(self) -> dict[int, list[StoredCheckpoint]]:
        """The same for every job, by the job's `seq`."""
        rows = self._store.rows(
            "SELECT job_seq, number, checkpoint FROM steps WHERE checkpoint IS NOT NULL ORDER BY job_seq, number"
        )
        by_job = groupby(rows, key=lambda row: row["job_seq"])
        return {job_seq: [_checkpoint(row) for row in group] for job_seq, group in by_job}

    def checkpointed(self, job: StoredJob) -> frozenset[int]:
        """The numbers of all steps that are or will be validated."""
        rows = self._store.rows("SELECT number FROM steps WHERE job_seq = ? AND checkpoint IS NOT NULL", job.seq)
        return frozenset(row["number"] for row in rows)

    def _cursor(self, after: str) -> int:
        row = first(self._store.rows("SELECT seq FROM jobs WHERE id = ?", after))
        if row is None:
            raise bad_cursor(after)
        return int(row["seq"])


def _checkpoint(row: sqlite3.Row) -> StoredCheckpoint:
    return StoredCheckpoint(row["number"], json.loads(row["checkpoint"]))


def _values(job: NewJob) -> tuple[Any, ...]:
    failure = job.failure
    return (
        job.id,
        job.created_at,
        job.speed,
        len(job.steps),
        None if failure is None else as_json([failure.code, failure.message, failure.param, failure.status]),
        as_json(job.request),
        None if job.metadata is None else as_json(job.metadata),
        as_json(job.hyperparameters),
        job.trained_tokens,
        job.fine_tuned_model,
        None if job.simulation is None else as_json(job.simulation),
        as_json(list(job.notes)),
    )


def _job(row: sqlite3.Row) -> StoredJob:
    failure = _failure(row["failure"])
    commands = tuple(Command(at, Verb(verb)) for at, verb in json.loads(row["commands"]))
    fails_in = failure.status if failure else None
    return StoredJob(
        seq=row["seq"],
        id=row["id"],
        request=json.loads(row["request"]),
        metadata=_optional(row["metadata"]),
        fine_tuned_model=row["fine_tuned_model"],
        simulation=_optional(row["simulation"]),
        hyperparameters=json.loads(row["hyperparameters"]),
        trained_tokens=row["trained_tokens"],
        notes=json.loads(row["notes"]),
        failure=failure,
        life=Life(row["created_at"], row["speed"], row["steps"], fails_in, commands),
    )


def _failure(text: str | None) -> Failure | None:
    if text is None:
        return None
    code, message, param, status = json.loads(text)
    return Failure(code, message, param, Status(status))


def _optional(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _metadata_conditions(metadata: Mapping[str, str] | None) -> tuple[list[str], list[Any]]:
    if metadata is None:
        return ["metadata IS NULL"], []
    condition = "EXISTS (SELECT 1 FROM json_each(jobs.metadata) WHERE json_each.key = ? AND json_each.value = ?)"
    return [condition] * len(metadata), [text for pair in metadata.items() for text in pair]
