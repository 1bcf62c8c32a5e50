"""Jobs in the store, with their steps and the commands given to them. Knows no HTTP and computes no state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from rftplan.server.file_store import FileStore, StoredFile, drop_result, insert_result, settle_result
from rftplan.server.lifecycle import Command, Life, Status, Verb, refusal, succeeds_at, time_of_command
from rftplan.server.paging import Page, bad_cursor
from rftplan.server.remembered import Version
from rftplan.server.result_file import FILENAME, RESULTS, figures_of, result_csv, result_file_id
from rftplan.server.store import Store, as_json, first
from rftplan.server.stored_job import Failure, NewJob, StoredCheckpoint, StoredJob, StoredStep, StoredTexts
from rftplan.server.validation_store import insert_validations

# SQLite splices the hyperparameters into the request: no text is parsed here that is only sent on.
_JOB = """SELECT jobs.*, json_extract(request, '$.method.type') AS method,
    json_set(request, '$.method.' || json_extract(request, '$.method.type') || '.hyperparameters',
        json(hyperparameters)) AS running_request,
    json_extract(request, '$.method.supervised.hyperparameters') AS sent_hyperparameters,
    (SELECT json_group_array(json_array(at, verb)) FROM
    (SELECT at, verb FROM commands WHERE job_seq = jobs.seq ORDER BY number)) AS commands FROM jobs """
_VERSION = "SELECT seq, (SELECT count(*) FROM commands WHERE job_seq = jobs.seq) FROM jobs"
_NULL = "null"


class CommandRefusedError(Exception):
    """The job is in no state for this command; the message says why."""


class JobStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, job: NewJob) -> None:
        """The job and its whole future, in one transaction, with which it lets go of the files that it held; what its
        result file says lies there before."""
        result = self._write_result(job)
        steps = [
            (s.number, s.message, as_json(s.metrics), None if s.checkpoint is None else as_json(s.checkpoint))
            for s in job.steps
        ]
        with self._store.write() as db:
            seq = db.execute(
                "INSERT INTO jobs (id, created_at, speed, steps, failure, request, metadata, "
                "hyperparameters, trained_tokens, fine_tuned_model, simulation, notes, result_file) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                _values(job),
            ).lastrowid
            assert seq is not None
            db.executemany("INSERT INTO steps VALUES (?,?,?,?,?)", [(seq, *step) for step in steps])
            insert_validations(db, seq, job.steps, job.answers)
            if job.steps:
                insert_result(db, result, job_seq=seq)
                settle_result(db, job_seq=seq, at=succeeds_at(Life(job.created_at, job.speed, len(job.steps))))
                recorded = (job.simulation or {}).get("candidates")
                files = {job.request["training_file"], job.request["validation_file"], recorded} - {None}
                db.executemany("INSERT INTO trained_from VALUES (?,?)", [(file, seq) for file in files])
            # Not in a transaction of its own: it could fail when the job is there, and the call be made again.
            db.execute("DELETE FROM held WHERE holder = ?", (job.id,))

    def get(self, job_id: str) -> StoredJob | None:
        row = first(self._store.rows(_JOB + "WHERE id = ?", job_id))
        return _job(row) if row else None

    def page(self, page: Page, *, metadata: Mapping[str, str] | None, until: int | None = None) -> list[Version]:
        """Newest first, one more than the limit if there are more. `metadata` None means jobs without any.

        What was created after `until` (microseconds) is left out.
        """
        conditions, values = _metadata_conditions(metadata)
        if until is not None:
            conditions.append("created_at <= ?")
            values.append(until)
        if page.after is not None:
            conditions.append("seq < ?")
            values.append(self._cursor(page.after))
        where = "WHERE " + " AND ".join(conditions) if conditions else ""
        return self._store.tuples(f"{_VERSION} {where} ORDER BY seq DESC LIMIT ?", *values, page.limit + 1)

    def versions(self) -> list[Version]:
        """Of all jobs, oldest first."""
        return self._store.tuples(f"{_VERSION} ORDER BY seq")

    def these(self, seqs: Sequence[int]) -> list[StoredJob]:
        """In no order."""
        rows = self._store.rows(f"{_JOB} WHERE seq IN (SELECT value FROM json_each(?))", as_json(seqs))
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
            commanded = _job(db.execute(_JOB + "WHERE seq = ?", (job.seq,)).fetchone())
            if verb is Verb.CANCEL:
                drop_result(db, job_seq=job.seq)
            else:
                settle_result(db, job_seq=job.seq, at=succeeds_at(commanded.life))
        if verb is Verb.CANCEL and job.result_file is not None:
            FileStore(self._store).content(job.result_file).unlink(missing_ok=True)
        return commanded

    def steps(self, job: StoredJob, numbers: Sequence[int]) -> dict[int, StoredStep]:
        """The steps from the smallest to the largest of `numbers`, by number."""
        if not numbers:
            return {}
        rows = self._store.rows(
            "SELECT number, message, metrics FROM steps WHERE job_seq = ? AND number BETWEEN ? AND ?",
            job.seq,
            min(numbers),
            max(numbers),
        )
        return {row["number"]: StoredStep(row["message"], row["metrics"]) for row in rows}

    def checkpoints(self, job: StoredJob, numbers: Sequence[int]) -> list[StoredCheckpoint]:
        """Of these steps, in their order."""
        places = ",".join("?" * len(numbers))
        rows = self._store.rows(
            f"SELECT number, checkpoint, metrics FROM steps WHERE job_seq = ? AND number IN ({places})",
            job.seq,
            *numbers,
        )
        found = {row["number"]: _checkpoint_metrics(row) for row in rows}
        return [StoredCheckpoint(number, found[number]) for number in numbers]

    def _write_result(self, job: NewJob) -> StoredFile:
        """Of a job without steps nobody will see it, so that it has no content."""
        trainer = None if job.simulation is None else str(job.simulation["trainer"])
        content = result_csv(job.steps, trainer=trainer)
        file = StoredFile(result_file_id(job.id), 0, len(content), FILENAME, RESULTS, None)
        if job.steps:
            self._store.make()
            FileStore(self._store).content(file.id).write_bytes(content)
        return file

    def _cursor(self, after: str) -> int:
        row = first(self._store.rows("SELECT seq FROM jobs WHERE id = ?", after))
        if row is None:
            raise bad_cursor(after)
        return int(row["seq"])


def _checkpoint_metrics(row: sqlite3.Row) -> Mapping[str, Any]:
    if row["checkpoint"] is not None:
        return dict(json.loads(row["checkpoint"]))
    data = json.loads(row["metrics"])
    return {name: value for name, value in figures_of({**data, **data.get("scores", {})}) if value is not None}


def _values(job: NewJob) -> tuple[Any, ...]:
    failure = job.failure
    return (
        job.id,
        job.created_at,
        job.speed,
        len(job.steps),
        None if failure is None else _failure_text(failure),
        as_json(job.request),
        None if job.metadata is None else as_json(job.metadata),
        as_json(job.hyperparameters),
        job.trained_tokens,
        job.fine_tuned_model,
        None if job.simulation is None else as_json(job.simulation),
        as_json(list(job.notes)),
        result_file_id(job.id) if job.steps else None,
    )


def _job(row: sqlite3.Row) -> StoredJob:
    failure = _failure(row["failure"])
    fails_in = failure.status if failure else None
    return StoredJob(
        seq=row["seq"],
        id=row["id"],
        method=row["method"],
        fine_tuned_model=row["fine_tuned_model"],
        trained_tokens=row["trained_tokens"],
        result_file=row["result_file"],
        failure=failure,
        life=Life(
            created_at=row["created_at"],
            speed=row["speed"],
            steps=row["steps"],
            fails_in=fails_in,
            commands=_commands(row["commands"]),
            pauses_keep=bool(row["pauses_keep"]),
        ),
        texts=StoredTexts(
            request=row["request"],
            running_request=row["running_request"],
            sent_hyperparameters=row["sent_hyperparameters"],
            hyperparameters=row["hyperparameters"],
            metadata=row["metadata"] or _NULL,
            simulation=row["simulation"] or _NULL,
            notes=row["notes"],
        ),
    )


def _commands(text: str) -> tuple[Command, ...]:
    if text == "[]":  # of most jobs
        return ()
    return tuple(Command(at, Verb(verb)) for at, verb in json.loads(text))


def _failure_text(failure: Failure) -> str:
    return as_json([failure.code, failure.message, failure.param, failure.status, *failure.blocked])


def _failure(text: str | None) -> Failure | None:
    if text is None:
        return None
    code, message, param, status, *blocked = json.loads(text)
    return Failure(code, message, param, Status(status), blocked)


def _metadata_conditions(metadata: Mapping[str, str] | None) -> tuple[list[str], list[Any]]:
    if metadata is None:
        return ["metadata IS NULL"], []
    condition = "EXISTS (SELECT 1 FROM json_each(jobs.metadata) WHERE json_each.key = ? AND json_each.value = ?)"
    return [condition] * len(metadata), [text for pair in metadata.items() for text in pair]
