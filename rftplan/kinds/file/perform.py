"""Uploading and deleting: every call bracketed in the journal, nothing decided anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from rftplan.api.port import RemoteFile, Upload
from rftplan.changes import Action, Change
from rftplan.errors import ApiError, NotFoundError
from rftplan.events import Outcome, Result, Uploaded
from rftplan.journal import LostEffect
from rftplan.kinds.base import Act, result
from rftplan.kinds.file.comparing import compared
from rftplan.kinds.file.spec import (
    CONTENT,
    PURPOSE,
    AdoptStep,
    CompareStep,
    Content,
    DeleteStep,
    UploadStep,
    came_of,
    entry_of,
    other_bytes,
    with_other_bytes,
)
from rftplan.lockfile import Origin

NOTED_SECONDS: Final = 10.0
"""So often the journal hears that an upload goes on: an attempt counts from when it ended."""


async def perform(change: Change, act: Act) -> Result:
    """Carry out one decided step."""
    match change.step:
        case UploadStep():
            return await _perform_upload(change, change.step, act)
        case CompareStep():
            return await _perform_compare(change, change.step, act)
        case AdoptStep(entry):
            intent = act.open_intents.get(change.address)
            if intent is not None:
                act.ledger.finish(intent, entry)
            else:
                act.ledger.record(change.address, entry)
            return result(change, Outcome.DONE, id=entry.id)
        case DeleteStep(file_id):
            return await _perform_delete(change, file_id, act)
        case _:
            act.forget(change.address)
            return result(change, Outcome.DONE)


async def _perform_compare(change: Change, step: CompareStep, act: Act) -> Result:
    """The first that is ours is adopted. What is not is put on record before anything else is done, so that nobody
    takes it for ours, nor for what came of an upload of ours."""
    want, others = act.resources[change.address], dict[str, str]()
    for remote in step.found:
        known = await compared(remote, str(want.inputs["sha256"]), act)
        if known.content is not None:
            return _take(change, remote, known.content, others, act)
        if known.other is not None:
            others[remote.id] = known.other
    entry = act.ledger.entries.get(change.address)
    if others:
        act.ledger.record(change.address, with_other_bytes(entry, want, others))
    detail = _told(others) if others else "what carried its name is gone since the plan was made"
    if step.upload is not None:
        sent = await _perform_upload(change, step.upload, act)
        beside = "uploaded beside it" if others else "uploaded"
        return replace(sent, action=Action.CREATE, verb="upload", detail=f"{detail}; {beside}")
    if not others:
        return result(change, Outcome.DEFERRED, detail=f"{detail}; run rftplan plan")
    return result(change, Outcome.HELD, id=next(iter(others)), detail=f"{detail}; it is left alone and never used")


def _take(change: Change, remote: RemoteFile, content: Content, others: Mapping[str, str], act: Act) -> Result:
    want, entry = act.resources[change.address], act.ledger.entries.get(change.address)
    before = with_other_bytes(entry, want, others) if others else entry
    made = entry_of(want, remote, Origin.ADOPTED, before=before)
    act.ledger.record(change.address, replace(made, resolved={**made.resolved, CONTENT: content.value}))
    said = {
        Content.VERIFIED: f"the bytes of {remote.id} were read and are its own",
        Content.NAME_ONLY: f"taken by name and size alone: the service does not give the bytes of {remote.id} back",
    }[content]
    return result(change, Outcome.DONE, id=remote.id, detail="; ".join(filter(None, (said, _told(others)))))


def _told(others: Mapping[str, str]) -> str:
    return "; ".join(f"{id} carries its name, and has other bytes ({has})" for id, has in sorted(others.items()))


async def _perform_upload(change: Change, step: UploadStep, act: Act) -> Result:
    want = act.resources[change.address]
    planned = want.data.sha256 if want.data else None
    upload = Upload(act.data_path(change.address), step.filename, step.size, PURPOSE, planned)

    async def send(token: str) -> RemoteFile:
        noted = act.ledger.now()

        def progress(sent: int, total: int) -> None:
            nonlocal noted
            if act.ledger.now() - noted >= (NOTED_SECONDS if sent < total else 1.0):
                noted = act.ledger.now()
                act.ledger.goes_on(token=token)
            act.on_event(Uploaded(change.address, sent, total))

        return await act.port.upload_file(upload, progress)

    stale = act.open_intents.get(change.address)
    if stale is not None:
        act.ledger.abandon(stale)
    try:
        remote = await act.effect(
            change.address,
            "upload",
            send,
            lambda remote: entry_of(want, remote, Origin.CREATED, before=act.ledger.entries.get(change.address)),
            target=(step.filename, str(step.size)),
        )
    except LostEffect as lost:
        try:
            listed = await act.port.list_files(PURPOSE)
        except ApiError:
            raise lost from None  # nobody can say yet: the intent stays open
        before = act.ledger.entries.get(change.address)
        named = [f for f in listed if came_of(lost.intent, f) and f.id not in other_bytes(before)]
        if not named:
            raise
        remote = min(named, key=lambda f: (f.created_at, f.id))
        act.ledger.finish(lost.intent, entry_of(want, remote, Origin.CREATED, before=before))
    return result(change, Outcome.DONE, id=remote.id)


async def _perform_delete(change: Change, file_id: str, act: Act) -> Result:
    async def delete(_token: str) -> None:
        try:
            await act.port.delete_file(file_id)
        except NotFoundError:
            return  # somebody was quicker; the end is the same

    entry, stale = act.ledger.entries.get(change.address), act.open_intents.get(change.address)
    if entry is not None and entry.id == file_id:
        stale = None  # what came of it is another file, and is deleted after this one
    await act.effect(change.address, "delete", delete, lambda _none: None)
    if stale is not None:
        act.ledger.abandon(stale)  # what came of it is what was deleted
    return result(change, Outcome.DONE, id=file_id)
