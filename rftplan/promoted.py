"""What is promoted, read from the lock alone. Imports nothing heavy, asks no service."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from rftplan.address import Address
from rftplan.canonical import Json, JsonObject
from rftplan.errors import LockError, UserError
from rftplan.journal import Paths, State, read_state
from rftplan.lockfile import Entry, read_lock


class Promoted(Struct, frozen=True):
    """The live model of a deployment, and where it came from. `simulated` says that nothing was trained for it."""

    model: str
    job: str
    step: int
    revision: int
    simulated: bool = False


def state_paths(root: Path, lock: str | None = None, env: str = "default") -> Paths:
    """Where the lock and the journal of one environment lie. A lock has one journal however it is written, and
    no other lock has the same."""
    written, folder = root / (lock or "rftplan.lock"), root / ".rftplan" / env
    if os.path.realpath(written) == os.path.realpath(root / "rftplan.lock"):
        return Paths(lock=written, journal=folder / "journal.jsonl")
    journal = folder / f"{written.stem}-{_place(root, written)}.journal.jsonl"
    return Paths(lock=written, journal=journal, former=folder / f"{written.stem}.journal.jsonl")


def _place(root: Path, lock: Path) -> str:
    """Where a lock really lies, in eight characters; seen from the root, so that a project may move."""
    real = os.path.realpath(lock)
    with suppress(ValueError):  # on another drive: seen from nowhere
        real = os.path.relpath(real, os.path.realpath(root))
    return hashlib.sha256(Path(real).as_posix().encode(errors="surrogateescape")).hexdigest()[:8]


def require_environment(env: str | None) -> None:
    """UserError for an environment that is not there: another one's model must never be given in its place."""
    if env not in (None, "default"):
        raise UserError(
            f'there is no environment "{env}"', hint="this rftplan does not carry environments out yet: leave --env out"
        )


def require_directory(directory: Path) -> None:
    """UserError unless there is such a directory."""
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise UserError(f"{directory} {what}", hint="check its spelling; -C (in Python: directory=) names the root")


def promoted(state: State) -> dict[str, Promoted]:
    """Every deployment that points at a model, by name."""
    return _promoted(state.entries)


def _promoted(entries: Mapping[Address, Entry]) -> dict[str, Promoted]:
    found = {}
    jobs = {entry.id: str(address) for address, entry in entries.items() if address.kind == "job"}
    for address, entry in sorted(entries.items(), key=lambda item: item[0]):
        if address.kind == "deployment" and entry.id is not None and entry.history:
            revision = entry.history[-1]
            found[address.name] = Promoted(
                model=entry.id,
                job=_address_now(jobs, revision),
                step=_whole(revision.get("step")),
                revision=_whole(revision.get("revision")),
                simulated=is_simulated(entry, entries),
            )
    return found


def is_simulated(entry: Entry, entries: Mapping[Address, Entry]) -> bool:
    """Whether nothing was trained for the job or the deployment's live model that `entry` knows; False of all else.
    `entries` are all that the lock knows."""
    if entry.resolved.get("simulation") is not None:
        return True
    live = entry.history[-1] if entry.history else {}
    job_id = live.get("job_id")
    jobs = [one for address, one in entries.items() if address.kind == "job" and one.id is not None]
    trained_by = next((one for one in jobs if one.id == job_id), None)
    return (trained_by is not None and trained_by.resolved.get("simulation") is not None) or _says_simulated(
        live.get("evidence")
    )


def _says_simulated(evidence: Json) -> bool:
    """By what its gates saw: the job itself may have been forgotten."""
    if not isinstance(evidence, list):
        return False
    caveats = [one.get("caveats") for one in evidence if isinstance(one, dict)]
    return any(isinstance(one, list) and "SIMULATED" in one for one in caveats)


def _address_now(jobs: Mapping[str | None, str], revision: JsonObject) -> str:
    """Where the job is now: the revision keeps the address that it was promoted under, and `moved:` may follow."""
    job_id = revision.get("job_id")
    there = jobs.get(job_id) if isinstance(job_id, str) else None
    return there or str(revision.get("job"))


def _whole(value: Json) -> int:
    """The number, or 0 where a lock was edited by hand."""
    return value if isinstance(value, int) else 0


class Live(Struct, frozen=True):
    """Every live model by name. `doubt` says why the lock alone was asked, which may be behind, and what to do."""

    models: Mapping[str, Promoted]
    doubt: str | None = None


def read_promoted(root: Path, lock: str | None = None) -> Live:
    """Every live model of the project at `root`. UserError if no lock is there to say so, LockError if it must not
    be trusted.

    A journal that is damaged takes nobody's model away: the lock answers, and the doubt is said.
    """
    require_directory(root)
    paths = state_paths(root, lock)
    try:
        state, known = read_state(paths, new_lineage=str)
    except LockError as error:
        known = read_lock(paths.lock)
        if known is None:
            raise
        doubt = f"{error}; answered from {paths.lock.name} alone, which may be behind ({error.hint})"
        return Live(_promoted(known.resources), doubt)
    live = promoted(state)
    if known is None and not live:
        raise _no_lock(paths, applied_before=not state.new)
    return Live(live)


def _no_lock(paths: Paths, *, applied_before: bool) -> UserError:
    """Without a lock nobody knows whether anything is promoted."""
    hint = "name the project's root with -C (in Python: directory=), or run rftplan apply there first"
    if applied_before:
        hint = "something was applied here: bring the lock back (git restore); rftplan plan says what is found without"
    where = Path(os.path.realpath(paths.lock.parent))
    return UserError(f"there is no {paths.lock.name} in {where}", hint=hint)


def resolve(name: str, *, directory: str | Path = ".", lock: str | None = None) -> str:
    """The model id that a deployment points at, for the program that calls the model.

    UserError if nothing is promoted under this name, LockError if the lock must not be trusted. Warns, and
    answers, where only the journal beside it is damaged.
    """
    read = read_promoted(Path(directory), lock)
    if read.doubt is not None:
        import warnings

        warnings.warn(read.doubt, stacklevel=2)
    live = read.models
    if name in live:
        return live[name].model
    known = f"known are {', '.join(live)}" if live else "nothing is promoted yet: rftplan apply --wait"
    raise UserError(f'no model is promoted as "{name}"', hint=known)
