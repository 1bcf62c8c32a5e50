"""Uploading and deleting: every call bracketed in the journal, nothing decided anew."""

from __future__ import annotations

from rftplan.api.port import Upload
from rftplan.changes import Change
from rftplan.errors import ApiError, NotFoundError
from rftplan.events import Outcome, Result, Uploaded
from rftplan.journal import LostEffect
from rftplan.kinds.base import Act, result
from rftplan.kinds.file.spec import PURPOSE, AdoptStep, DeleteStep, UploadStep, entry_of
from rftplan.lockfile import Origin


async def perform(change: Change, act: Act) -> Result:
    """Carry out one decided step."""
    match change.step:
        case UploadStep():
            return await _perform_upload(change, change.step, act)
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


async def _perform_upload(change: Change, step: UploadStep, act: Act) -> Result:
    want = act.resources[change.address]
    planned = want.data.sha256 if want.data else None
    upload = Upload(act.data_path(change.address), step.filename, step.size, PURPOSE, planned)

    def progress(sent: int, total: int) -> None:
        act.on_event(Uploaded(change.address, sent, total))

    stale = act.open_intents.get(change.address)
    if stale is not None:
        act.ledger.abandon(stale)
    try:
        remote = await act.effect(
            change.address,
            "upload",
            lambda _token: act.port.upload_file(upload, progress),
            lambda remote: entry_of(want, remote, Origin.CREATED),
            target=(step.filename,),
        )
    except LostEffect as lost:
        try:
            listed = await act.port.list_files(PURPOSE)
        except ApiError:
            raise lost from None  # nobody can say yet: the intent stays open
        named = [f for f in listed if (f.filename, f.size, f.expires_at) == (step.filename, step.size, None)]
        if not named:
            raise
        remote = min(named, key=lambda f: (f.created_at, f.id))
        act.ledger.finish(lost.intent, entry_of(want, remote, Origin.CREATED))
    return result(change, Outcome.DONE, id=remote.id)


async def _perform_delete(change: Change, file_id: str, act: Act) -> Result:
    async def delete(_token: str) -> None:
        try:
            await act.port.delete_file(file_id)
        except NotFoundError:
            return  # somebody was quicker; the end is the same

    stale = act.open_intents.get(change.address) if change.address not in act.ledger.entries else None
    await act.effect(change.address, "delete", delete, lambda _none: None)
    if stale is not None:
        act.ledger.abandon(stale)  # what came of it is what was deleted
    return result(change, Outcome.DONE, id=file_id)
