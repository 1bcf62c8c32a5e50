"""Data files: uploaded only when a launch needs them, found again by name because the service keeps no hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteFile, Upload
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, Drift, Hazard, HazardOf, Reason
from rftplan.errors import ApiError, NotFoundError
from rftplan.events import Outcome, Result, Uploaded
from rftplan.kinds.base import (
    Act,
    Kind,
    Look,
    RecordStep,
    Ref,
    Resource,
    Situation,
    Standing,
    result,
    stands_for,
)
from rftplan.kinds.records import LostEffect
from rftplan.kinds.spec import Lifecycle, SpecModel, Str
from rftplan.lockfile import Entry, Origin

PURPOSE: Final = "fine-tune"
RETAIN: Final = "retain"
USED: Final = "used"


class FileSpec(SpecModel):
    """`files.NAME`: a JSONL file beside the spec."""

    later = frozenset({"from", "split", "sample", "upload", "sha256"})

    path: Str
    purpose: Literal["fine-tune"] = PURPOSE
    lifecycle: Lifecycle = Lifecycle()


@dataclass(frozen=True, slots=True)
class SeenFile:
    """`mine` is the entry's own object; `named` are those that carry exactly the name we would give."""

    mine: RemoteFile | None = None
    named: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadStep:
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class AdoptStep:
    entry: Entry


@dataclass(frozen=True, slots=True)
class DeleteStep:
    file_id: str


def remote_name(project: str, env: str, name: str, sha256: str) -> str:
    """The only place where the service keeps our hash."""
    return f"{project}.{env}.{name}-{sha256[:32]}.jsonl"


class FileKind(Kind[FileSpec]):
    name = "file"
    section = "files"
    on_demand = True

    def __init__(self) -> None:
        super().__init__(FileSpec)

    def refs(self, spec: FileSpec) -> Sequence[Ref]:
        return ()

    def identity(self, spec: FileSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        raise AssertionError("a file's identity comes from its bytes: see file_identity")

    async def observe(self, look: Look) -> Mapping[Address, object]:
        """One list for all files."""
        wanted = {*look.resources, *look.entries}
        if not wanted:
            return {}
        by_id: dict[str, RemoteFile] = {}
        by_name: dict[str, list[RemoteFile]] = {}
        for remote in await look.port.list_files(PURPOSE):
            by_id[remote.id] = remote
            by_name.setdefault(remote.filename, []).append(remote)
        seen: dict[Address, object] = {}
        for address in wanted:
            entry, want = look.entries.get(address), look.resources.get(address)
            name = self._remote_name(look, want) if want else ""
            named = sorted(by_name.get(name, ()), key=lambda f: (f.created_at, f.id))
            mine = by_id.get(entry.id) if entry and entry.id else None
            seen[address] = SeenFile(mine, tuple(named))
        return seen

    def _remote_name(self, look: Look, want: Resource) -> str:
        return remote_name(look.scope.project, look.scope.env, want.address.name, str(want.inputs["sha256"]))

    def decide(self, situation: Situation) -> Change:
        seen = situation.seen if isinstance(situation.seen, SeenFile) else SeenFile()
        if situation.want is None:
            return _removed(situation, seen)
        entry, want = situation.entry, situation.want
        if entry is not None and stands_for(entry, want):
            if seen.mine is not None:
                step = (
                    RecordStep(_with_retain(entry, want.spec))
                    if _retained(entry) != want.spec.lifecycle.retain
                    else None
                )
                return situation.change(Action.NOOP, "keep", Reason.MATCHES, step=step)
            if (found := _same(situation, seen)) is not None:
                return _adopt(situation, found, "adopt")
            if not situation.launching:
                return situation.change(Action.NOOP, "keep", Reason.GONE_NOT_NEEDED)
            return _upload(situation, Reason.GONE_AND_NEEDED)
        if (found := _same(situation, seen)) is not None:
            return _adopt(situation, found, "recover" if situation.intent else "adopt")
        if not situation.launching:
            return situation.change(Action.NOOP, "keep", Reason.NOT_NEEDED)
        if situation.intent is not None and not situation.intent.settled:
            return situation.change(Action.DEFER, "wait", Reason.FATE_UNKNOWN, _UNKNOWN)
        return _upload(situation, Reason.NEEDED_BY_LAUNCH if entry is None else Reason.CONTENT_CHANGED)

    def drift(self, situation: Situation) -> Sequence[Drift]:
        seen = situation.seen
        if situation.entry is None or situation.entry.id is None or not isinstance(seen, SeenFile) or seen.mine:
            return ()
        return (Drift(situation.address, f"{situation.entry.id} is no longer at the service"),)

    def standing(self, situation: Situation) -> Standing:
        entry, seen = situation.entry, situation.seen
        if entry is None or entry.id is None:
            return Standing("not uploaded", None, "uploaded when a launch needs it")
        here = isinstance(seen, SeenFile) and seen.mine is not None
        rows = entry.resolved.get("rows")
        return Standing("uploaded" if here else "gone", entry.id, f"{rows} rows" if rows else "")

    async def perform(self, change: Change, act: Act) -> Result:
        match change.step:
            case UploadStep():
                return await _perform_upload(change, change.step, act)
            case AdoptStep(entry):
                intent = act.open_intents.get(change.address)
                if intent is not None:
                    act.records.finish(intent, entry)
                else:
                    act.records.record(change.address, entry)
                return result(change, Outcome.DONE, id=entry.id)
            case DeleteStep(file_id):
                return await _perform_delete(change, file_id, act)
            case _:
                act.forget(change.address)
                return result(change, Outcome.DONE)


_UNKNOWN = "an upload was cut off; it is looked up again before it is repeated"


def file_identity(spec: FileSpec, sha256: str) -> JsonObject:
    """The bytes and what they are for; not the path, not the name."""
    return {"purpose": spec.purpose, "sha256": sha256}


def _same(situation: Situation, seen: SeenFile) -> RemoteFile | None:
    """The oldest object that carries our name and, as far as we know it, our size."""
    want = situation.want
    assert want is not None
    size = want.data.size if want.data else None
    for remote in seen.named:
        if remote.purpose == want.inputs["purpose"] and (size is None or remote.size == size):
            return remote
    return None


def _adopt(situation: Situation, remote: RemoteFile, verb: str) -> Change:
    assert situation.want is not None
    ours = verb == "recover"
    entry = _entry(situation.want, remote, Origin.CREATED if ours else Origin.ADOPTED)
    reason = Reason.INTENT_RECOVERED if ours else Reason.FOUND_AT_SERVICE
    return situation.change(Action.ADOPT, verb, reason, f"{remote.id} has its name and size", step=AdoptStep(entry))


def _entry(want: Resource, remote: RemoteFile, origin: Origin) -> Entry:
    resolved: JsonObject = {"filename": remote.filename, "size": remote.size, "rows_digest": want.rows_digest}
    if want.data is not None:
        resolved["rows"] = want.data.rows
    made = Entry(fingerprint=want.fingerprint, inputs=want.inputs, id=remote.id, origin=origin, resolved=resolved)
    return _with_retain(made, want.spec)


def _upload(situation: Situation, reason: Reason) -> Change:
    want, scope = situation.want, situation.scope
    assert want is not None
    users = ", ".join(str(a) for a in situation.launching)
    if want.data is None:
        return situation.change(
            Action.HOLD,
            "hold",
            Reason.DATA_ABSENT,
            f"{users} would start from {want.spec.path}, which is not here",
        )
    name = remote_name(scope.project, scope.env, situation.address.name, want.data.sha256)
    action = Action.CREATE if reason is not Reason.CONTENT_CHANGED else Action.UPDATE
    return situation.change(
        action,
        "upload",
        reason,
        f"{want.data.rows} rows, {want.data.size} bytes, for {users}",
        step=UploadStep(name, want.data.size),
    )


def _removed(situation: Situation, seen: SeenFile) -> Change:
    entry, reason = situation.entry, Reason.REMOVED_FROM_SPEC
    if entry is None:
        return situation.change(Action.FORGET, "forget", reason, "an upload was cut off; what came of it is left alone")
    if seen.mine is None or entry.origin is not Origin.CREATED:
        return situation.change(Action.FORGET, "forget", reason, "the file at the service is left alone")
    users = {a: other for a, other in situation.entries.items() if _uses(other, entry.id)}
    live = any(str(user.resolved.get("status")) not in _ENDED for user in users.values())
    if live or (_retained(entry) and (users or entry.resolved.get(USED))):
        names = ", ".join(sorted(str(a) for a in users)) or "a job"
        return situation.change(
            Action.FORGET, "forget", reason, f"{entry.id} stays at the service: {names} was trained from it"
        )
    return situation.change(
        Action.DELETE,
        "delete",
        reason,
        f"{entry.id} was uploaded from here, and nothing that is kept was trained from it",
        hazards=(HazardOf(Hazard.DELETE, f"deletes {entry.id} at the service"),),
        step=DeleteStep(str(entry.id)),
    )


_ENDED: Final = tuple(status.value for status in JobStatus if status.ended)


def _uses(entry: Entry, file_id: str | None) -> bool:
    return file_id in (entry.resolved.get("training_file"), entry.resolved.get("validation_file"))


def _retained(entry: Entry) -> bool:
    """`lifecycle.retain` as the lock keeps it, for when the spec is gone."""
    return entry.resolved.get(RETAIN) is not False


def _with_retain(entry: Entry, spec: FileSpec) -> Entry:
    kept: JsonObject = {key: value for key, value in entry.resolved.items() if key != RETAIN}
    return replace(entry, resolved=kept if spec.lifecycle.retain else {**kept, RETAIN: False})


def used(entry: Entry) -> Entry:
    """The entry of a file that a job was launched from: what the model was made of is kept from now on."""
    return replace(entry, resolved={**entry.resolved, USED: True})


async def _perform_upload(change: Change, step: UploadStep, act: Act) -> Result:
    want = act.resources[change.address]
    planned = want.data.sha256 if want.data else None
    upload = Upload(act.data_path(change.address), step.filename, step.size, PURPOSE, planned)

    def progress(sent: int, total: int) -> None:
        act.on_event(Uploaded(change.address, sent, total))

    stale = act.open_intents.get(change.address)
    if stale is not None:
        act.records.abandon(stale)
    try:
        remote = await act.effect(
            change.address,
            "upload",
            lambda _token: act.port.upload_file(upload, progress),
            lambda remote: _entry(want, remote, Origin.CREATED),
        )
    except LostEffect as lost:
        try:
            listed = await act.port.list_files(PURPOSE)
        except ApiError:
            raise lost from None  # nobody can say yet: the intent stays open
        named = [f for f in listed if f.filename == step.filename and f.size == step.size]
        if not named:
            raise
        remote = min(named, key=lambda f: (f.created_at, f.id))
        act.records.finish(lost.intent, _entry(want, remote, Origin.CREATED))
    return result(change, Outcome.DONE, id=remote.id)


async def _perform_delete(change: Change, file_id: str, act: Act) -> Result:
    async def delete(_token: str) -> None:
        try:
            await act.port.delete_file(file_id)
        except NotFoundError:
            return  # somebody was quicker; the end is the same

    await act.effect(change.address, "delete", delete, lambda _none: None)
    return result(change, Outcome.DONE, id=file_id)


KIND = FileKind()
