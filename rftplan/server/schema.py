"""What the store's database is made of, version after version. Opens no file and knows no resource's rules."""

from __future__ import annotations

import sqlite3

SCHEMAS = (
    """
CREATE TABLE files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL,
    expires_at INTEGER, deleted_at INTEGER);
CREATE INDEX files_present ON files (purpose, seq) WHERE deleted_at IS NULL;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    speed REAL NOT NULL, steps INTEGER NOT NULL, failure TEXT, request TEXT NOT NULL, metadata TEXT,
    hyperparameters TEXT NOT NULL, trained_tokens INTEGER NOT NULL, fine_tuned_model TEXT NOT NULL UNIQUE,
    simulation TEXT, notes TEXT NOT NULL);
CREATE TABLE steps (
    job_seq INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, message TEXT NOT NULL,
    metrics TEXT NOT NULL, checkpoint TEXT, PRIMARY KEY (job_seq, number)) WITHOUT ROWID;
CREATE INDEX steps_with_checkpoint ON steps (job_seq, number) WHERE checkpoint IS NOT NULL;
CREATE TABLE commands (
    job_seq INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, at INTEGER NOT NULL,
    verb TEXT NOT NULL, PRIMARY KEY (job_seq, number)) WITHOUT ROWID;
CREATE TABLE deleted_models (id TEXT PRIMARY KEY, deleted_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    project_id TEXT NOT NULL, created_at INTEGER NOT NULL, deleted_at INTEGER);
CREATE INDEX permissions_of_model ON permissions (model, seq) WHERE deleted_at IS NULL;
""",
    """
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL, mime_type TEXT NOT NULL,
    lifetime INTEGER, expires_at INTEGER NOT NULL, ended TEXT);
CREATE INDEX uploads_pending ON uploads (expires_at) WHERE ended IS NULL;
CREATE TABLE parts (
    id TEXT PRIMARY KEY, upload_seq INTEGER NOT NULL REFERENCES uploads, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX parts_of_upload ON parts (upload_seq);
CREATE INDEX files_to_expire ON files (expires_at) WHERE deleted_at IS NULL AND expires_at IS NOT NULL;
""",
    """
CREATE TABLE validations (
    job_seq INTEGER NOT NULL REFERENCES jobs, number INTEGER NOT NULL, model TEXT, samples TEXT NOT NULL,
    PRIMARY KEY (job_seq, number));
CREATE TABLE answers (
    job_seq INTEGER NOT NULL REFERENCES jobs, row INTEGER NOT NULL, said BLOB NOT NULL,
    PRIMARY KEY (job_seq, row));
CREATE TABLE trained_from (
    file_id TEXT NOT NULL, job_seq INTEGER NOT NULL REFERENCES jobs, PRIMARY KEY (file_id, job_seq)) WITHOUT ROWID;
""",
    """
ALTER TABLE jobs ADD COLUMN result_file TEXT;
ALTER TABLE files ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN result_of INTEGER REFERENCES jobs;
UPDATE files SET place = created_at * 1000000;
CREATE INDEX files_in_order ON files (place, seq);
CREATE UNIQUE INDEX files_of_jobs ON files (result_of) WHERE result_of IS NOT NULL;
""",
    """
CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL);
""",
    """
DROP INDEX files_present;
CREATE INDEX files_present ON files (purpose, place, seq) WHERE deleted_at IS NULL;
""",
    """
CREATE TABLE held (
    file_id TEXT NOT NULL, holder TEXT NOT NULL, since REAL NOT NULL, PRIMARY KEY (file_id, holder)) WITHOUT ROWID;
CREATE INDEX permissions_of_project ON permissions (model, project_id) WHERE deleted_at IS NULL;
ALTER TABLE jobs ADD COLUMN pauses_keep INTEGER NOT NULL DEFAULT 1;
UPDATE jobs SET pauses_keep = 0 WHERE seq IN (
    SELECT steps.job_seq FROM steps LEFT JOIN validations USING (job_seq, number) WHERE model IS NULL);
""",
)
"""What each version of the store added to the one before; what was released is never edited."""

SCHEMA_VERSION = len(SCHEMAS)


def version_of(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """From whatever older version, or from nothing, in one transaction."""
    if version_of(db) == SCHEMA_VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for script in SCHEMAS[version_of(db) :]:
            _run_script(db, script)
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    except BaseException:  # half a schema must not be committed, nor the write lock be kept
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _run_script(db: sqlite3.Connection, script: str) -> None:
    """Unlike `executescript`, without committing the transaction first."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)
