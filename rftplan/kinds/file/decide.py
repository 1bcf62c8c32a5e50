"""When a data file is uploaded, adopted, kept, deleted or left alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import RemoteFile
from rftplan.api.profiles import Capability
from rftplan.changes import Action, Change, Hazard, HazardOf, Reason
from rftplan.kinds.base import OpenIntent, Resource, Situation, stands_for
from rftplan.kinds.file.spec import (
    CONTENT,
    USED,
    AdoptStep,
    CompareStep,
    Content,
    DeleteStep,
    SeenFile,
    UploadStep,
    as_declared,
    came_of,
    entry_of,
    other_bytes,
    remote_name,
    retained,
)
from rftplan.kinds.steps import RecordStep
from rftplan.kinds.twins import twin
from rftplan.lockfile import Entry, Origin


def decide(situation: Situation) -> Change:
    """What would make the file be where a launch needs it. An intent whose fate is known, and that nothing follows, is
    closed."""
    change, open_ = _decided(situation), situation.intent
    if open_ is None or change.action.acts or change.action is Action.DEFER or not open_.settled:
        return change
    return replace(change, closes=open_.intent.number)


def _decided(situation: Situation) -> Change:
    seen = situation.seen if isinstance(situation.seen, SeenFile) else SeenFile()
    if situation.want is None:
        return _taken_away(situation, seen, Reason.REMOVED_FROM_SPEC)
    if situation.want.spec.stays_here:
        return _kept_here(situation, seen, situation.want)
    entry, want = situation.entry, situation.want
    stands = entry is not None and stands_for(entry, want)
    if entry is not None and stands and seen.mine is not None:
        now = as_declared(entry, want)
        return situation.change(Action.NOOP, "keep", Reason.MATCHES, step=RecordStep(now) if now != entry else None)
    if found := _same(situation, seen):
        cut_off = _cut_off_upload(situation)
        sent = [one for one in found if cut_off is not None and came_of(cut_off.intent, one, named=one.filename)]
        return _recover(situation, sent[0]) if sent else _adopt(situation, found)
    if not situation.launching:
        if not stands or entry is None or entry.id is None:
            return situation.change(Action.NOOP, "keep", Reason.NOT_NEEDED)
        if users := situation.starting_from.get(entry.id, ()):
            detail = f"{_names(users)} may fail for that, if it has not read it yet; then it is launched again by hand"
            return situation.change(Action.NOOP, "keep", Reason.GONE_WHILE_USED, detail)
        return situation.change(Action.NOOP, "keep", Reason.GONE_NOT_NEEDED)
    if (cut_off := _cut_off_upload(situation)) is not None and not cut_off.settled:
        return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _UNKNOWN)
    if entry is None or (entry.id is None and other_bytes(entry)):
        return _upload(situation, Reason.NEEDED_BY_LAUNCH)
    return _upload(situation, Reason.GONE_AND_NEEDED if stands else Reason.CONTENT_CHANGED)


def _cut_off_upload(situation: Situation) -> OpenIntent | None:
    open_ = situation.intent
    return open_ if open_ is not None and open_.intent.verb == "upload" else None


_UNKNOWN = "an upload was cut off; it is looked up again before it is repeated"


def _same(situation: Situation, seen: SeenFile) -> tuple[RemoteFile, ...]:
    """What carries our name and, as far as we know it, our size, oldest first: none that will be gone one day, and none
    whose bytes were found to be others."""
    want = situation.want
    assert want is not None
    size, others = want.data.size if want.data else None, other_bytes(situation.entry)
    return tuple(
        remote
        for remote in seen.named
        if remote.purpose == want.inputs["purpose"] and remote.expires_at is None and remote.id not in others
        if size is None or remote.size == size
    )


def _recover(situation: Situation, remote: RemoteFile) -> Change:
    """The journal knows that it was sent from here."""
    assert situation.want is not None
    entry = entry_of(situation.want, remote, Origin.CREATED, before=situation.entry)
    detail = f"{remote.id} has its name and size"
    return situation.change(Action.ADOPT, "recover", Reason.INTENT_RECOVERED, detail, step=AdoptStep(entry))


def _adopt(situation: Situation, found: tuple[RemoteFile, ...]) -> Change:
    """Neither lock nor journal knows it: a name is easily given, so its bytes are compared where they can be read."""
    want, first = situation.want, found[0]
    assert want is not None
    detail = f"{first.id} has its name and size"
    if not situation.scope.profile.can(Capability.FILE_CONTENT):
        entry = entry_of(want, first, Origin.ADOPTED, before=situation.entry)
        step: object = AdoptStep(replace(entry, resolved={**entry.resolved, CONTENT: Content.NAME_ONLY.value}))
        detail += ", and no more can be known: the provider gives no file back"
    else:
        step = CompareStep(found, _upload_step(situation) if situation.launching else None)
        detail += f"; its {first.size} bytes are read and compared before it is used"
    return situation.change(Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE, detail, step=step)


def _upload_step(situation: Situation) -> UploadStep | None:
    """What would be sent, if the bytes are here."""
    want, scope = situation.want, situation.scope
    if want is None or want.data is None:
        return None
    name = remote_name(scope.project, scope.env, situation.address.name, want.data.sha256)
    return UploadStep(name, want.data.size)


def _upload(situation: Situation, reason: Reason) -> Change:
    want, step = situation.want, _upload_step(situation)
    assert want is not None
    users = ", ".join(str(a) for a in situation.launching)
    if want.data is None or step is None:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.DATA_ABSENT,
            f"{users} would start from {want.spec.path}, which is not here",
        )
    action = Action.CREATE if reason is not Reason.CONTENT_CHANGED else Action.UPDATE
    return situation.change(
        action,
        "upload",
        reason,
        f"{want.data.rows} rows, {want.data.size} bytes, for {users}",
        step=step,
    )


def _kept_here(situation: Situation, seen: SeenFile, want: Resource) -> Change:
    """Never uploaded; what was uploaded before the specs said so goes the way of a file that left them."""
    if situation.entry is None and situation.intent is None:
        return situation.change(Action.NOOP, "keep", Reason.STAYS_HERE)
    entry = as_declared(situation.entry, want) if situation.entry is not None else None
    change = _taken_away(replace(situation, entry=entry), seen, Reason.STAYS_HERE)
    if change.action is Action.DELETE and want.spec.lifecycle.prevent_destroy:
        file_id = change.step.file_id if isinstance(change.step, DeleteStep) else ""
        detail = f"{file_id} is at the service, and lifecycle.prevent_destroy keeps it there"
        return situation.change(Action.HOLD, "hold", Reason.PREVENTED, detail)
    return change


def _taken_away(situation: Situation, seen: SeenFile, reason: Reason) -> Change:
    """Deleted where it was made from here and nothing needs it; kept in the lock until that is known."""
    entry = situation.entry
    if entry is None or (seen.mine is None and _cut_off_upload(situation) is not None):
        return _cut_off(situation, seen, reason)
    if situation.intent is None and (same := twin(situation)) is not None:
        return situation.change(Action.FORGET, "forget", reason, f"it is {same}, and stays as that")
    if seen.mine is None or entry.origin is not Origin.CREATED:
        return situation.change(Action.FORGET, "forget", reason, "the file at the service is left alone")
    users = sorted(a for a, other in situation.entries.items() if _uses(other, entry.id))
    if retained(entry) and (users or entry.resolved.get(USED)):
        detail = f"{entry.id} stays at the service: {_names(users) or 'a job'} was trained from it"
        return situation.change(Action.FORGET, "forget", reason, detail)
    return _deleted(situation, str(entry.id), reason)


def _cut_off(situation: Situation, seen: SeenFile, reason: Reason) -> Change:
    """What came of an upload that nobody saw the end of was shown to the service all the same."""
    intent = situation.intent
    if seen.sent is not None:
        return _deleted(situation, seen.sent.id, reason)
    if intent is not None and intent.intent.target and not intent.settled:
        return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _UNKNOWN_REMOVAL)
    return situation.change(Action.FORGET, "forget", reason, "an upload was cut off, and nothing is known to be left")


_UNKNOWN_REMOVAL = "an upload was cut off; what came of it is looked up before it is forgotten"


def _deleted(situation: Situation, file_id: str, reason: Reason) -> Change:
    """A job that goes on from it, or that may have been launched from it, comes first: until then the lock keeps it."""
    if situation.cut_off_launches:
        names = _names(situation.cut_off_launches)
        detail = f"a launch of {names} was cut off, and whether it starts from {file_id} is found out first"
        return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, detail)
    if users := situation.starting_from.get(file_id, ()):
        detail = f"{file_id} is deleted once {_names(users)} no longer goes on from it"
        return situation.change(Action.DEFER, "wait", Reason.STILL_USED, detail)
    return situation.change(
        Action.DELETE,
        "delete",
        reason,
        f"{file_id} was uploaded from here, and nothing that is kept was trained from it",
        hazards=(HazardOf(Hazard.DELETE, f"deletes {file_id} at the service"),),
        step=DeleteStep(file_id),
    )


def _names(addresses: Sequence[Address]) -> str:
    return ", ".join(str(address) for address in addresses)


def _uses(entry: Entry, file_id: str | None) -> bool:
    return file_id in (entry.resolved.get("training_file"), entry.resolved.get("validation_file"))
