"""What is promoted, read from the lock alone. Imports nothing heavy, asks no service."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rftplan.canonical import Json
from rftplan.errors import UserError
from rftplan.journal import Paths, State, read_state


@dataclass(frozen=True, slots=True)
class Promoted:
    """The live model of a deployment, and where it came from."""

    model: str
    job: str
    step: int
    revision: int


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
        raise UserError(f'there is no environment "{env}"', hint="environments are not built yet: leave --env out")


def promoted(state: State) -> dict[str, Promoted]:
    """Every deployment that points at a model, by name."""
    found = {}
    for address, entry in sorted(state.entries.items(), key=lambda item: item[0]):
        if address.kind == "deployment" and entry.id is not None and entry.history:
            revision = entry.history[-1]
            found[address.name] = Promoted(
                model=entry.id,
                job=str(revision.get("job")),
                step=_whole(revision.get("step")),
                revision=_whole(revision.get("revision")),
            )
    return found


def _whole(value: Json) -> int:
    """The number, or 0 where a lock was edited by hand."""
    return value if isinstance(value, int) else 0


def read_promoted(root: Path, lock: str | None = None) -> Mapping[str, Promoted]:
    """Every live model of the project at `root`. LockError if the lock must not be trusted."""
    state, _ = read_state(state_paths(root, lock), new_lineage=str)
    return promoted(state)


def resolve(name: str, *, directory: str | Path = ".", lock: str | None = None) -> str:
    """The model id that a deployment points at, for the program that calls the model.

    UserError if nothing is promoted under this name.
    """
    live = read_promoted(Path(directory), lock)
    if name in live:
        return live[name].model
    known = f"known are {', '.join(live)}" if live else "nothing is promoted yet: rftplan apply --wait"
    raise UserError(f'no model is promoted as "{name}"', hint=known)
