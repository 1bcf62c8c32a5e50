"""Saved plans as files: read, written, and what an `apply` of one is held to. Decides nothing about changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rftplan.errors import RefusedPlanError, UsageError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rftplan.applying import Review
    from rftplan.changes import Plan
    from rftplan.cli.invocation import Invocation
    from rftplan.made_from import MadeFrom
    from rftplan.render.saved_documents import SavedPlan

MOST_BYTES: Final = 64 << 20
"""A plan of ten thousand changes has a tenth of it."""
_WHOLE_DIGEST: Final = re.compile("[0-9a-f]{64}")


def read_plan_file(path: Path) -> SavedPlan:
    """RefusedPlanError, or UserError where the file itself cannot be read."""
    from rftplan.reading import NotTextError, UnreadableError, decode_text, read_at_most
    from rftplan.render.saved_documents import read_saved_plan

    try:
        raw = read_at_most(path, MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise RefusedPlanError(f"{path} is no saved plan: it has more than {MOST_BYTES >> 20} MB")
        text = decode_text(raw)
    except UnreadableError as error:
        raise UserError(f"{path} {error.message}", hint="rftplan plan --out FILE saves a plan") from None
    except NotTextError as error:
        raise RefusedPlanError(f"{path} is no saved plan: it {error.message}") from None
    return read_saved_plan(text, name=str(path))


def held_to(saved: SavedPlan, digest: str | None, *, run: Invocation, name: str) -> Review:
    """What refuses every other plan than the saved one. RefusedPlanError already here, where it is not the one that
    `digest` names, or none that can be applied."""
    from rftplan.changes import Mode

    _refuse_other_digest(saved, digest, name)
    if saved.plan["mode"] == Mode.OFFLINE:
        hint = f"save one that has asked it: {run.program} plan --out {name}"
        raise RefusedPlanError(f"{name} was made without asking the service, so it cannot be applied", hint=hint)

    def review(plan: Plan, made_from: MadeFrom) -> None:
        from rftplan.render.moved import refuse_moved
        from rftplan.render.plan_documents import plan_document
        from rftplan.render.saved_documents import made_from_document

        now = plan_document(plan, allowed=saved.allowed)
        refuse_moved(saved.document, now, made_from_document(made_from), name=name, program=run.program)

    return review


def _refuse_other_digest(saved: SavedPlan, digest: str | None, name: str) -> None:
    if digest is None:
        return
    if not _WHOLE_DIGEST.fullmatch(digest.lower()):
        raise UsageError("--digest takes a whole digest: 64 hex digits", hint=f"rftplan show {name} ends with it")
    if digest.lower() != saved.plan["digest"]:
        raise RefusedPlanError(
            f"{name} is not the plan that was reviewed: its digest is {saved.plan['digest']}",
            hint=f"look at it: rftplan show {name}",
        )


def refuse_foreign(path: Path, *, run: Invocation) -> None:
    """A spec, data or a lock named by mistake is not written over; a saved plan is, and so is an empty file. Before
    anything is asked."""
    from rftplan.promoted import state_paths
    from rftplan.reading import UnreadableError, read_at_most

    hint = "give another with --out"
    place, specs = path.resolve(), (run.directory / run.specs).resolve()
    if specs in place.parents or place == state_paths(run.directory, run.lock).lock.resolve():
        raise UsageError(f"{path} is a place of the project's own", hint=hint)
    if not path.exists():
        return
    try:
        start = read_at_most(path, 200)
    except UnreadableError as error:
        raise UserError(f"{path} {error.message}", hint=hint) from None
    if start.strip() and not _SAVED.match(start):
        raise UsageError(f"{path} is there and no saved plan, so it is not written over", hint=f"{hint}, or delete it")


_SAVED: Final = re.compile(rb'\s*\{\s*"format":\s*"rftplan\.saved-plan/')


def write_plan_file(path: Path, document: Mapping[str, object]) -> None:
    """Whole or not at all, and what was there stays until then."""
    from rftplan.lockfile import replace_file
    from rftplan.render.documents import dumped

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, dumped(document).encode())
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}", hint="give another with --out") from None
