"""Data files: uploaded only when a launch needs them, found again by name because the service keeps no hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import RemoteFile
from rftplan.canonical import JsonObject
from rftplan.changes import Change, Drift
from rftplan.events import Result
from rftplan.journal import Trace
from rftplan.kinds.base import Act, Kind, Look, OpenIntent, Ref, Resource, Situation
from rftplan.kinds.file import decide, perform
from rftplan.kinds.file.looking import unlisted
from rftplan.kinds.file.spec import (
    PURPOSE,
    AdoptStep,
    CompareStep,
    DeleteStep,
    FileSpec,
    SeenFile,
    UploadStep,
    came_of,
    file_identity,
    lies_at,
    other_bytes,
    path_from_root,
    remote_name,
    used,
)
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry


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
        """One list for all files, and a few requests for what of the lock it lacks: lists may be behind."""
        sent = (address for address, want in look.resources.items() if not want.spec.stays_here)
        cut_off = {one.address: one for one in look.intents if one.address.kind == self.name and one.verb == "upload"}
        wanted = {*sent, *look.entries, *cut_off}
        if not wanted:
            return {}
        by_id: dict[str, RemoteFile] = {}
        by_name: dict[str, list[RemoteFile]] = {}
        for remote in await look.port.list_files(PURPOSE):
            by_id[remote.id] = remote
            by_name.setdefault(remote.filename, []).append(remote)
        known = [entry for address in sorted(wanted) if (entry := look.entries.get(address)) and entry.id]
        by_id |= await unlisted(look, [entry for entry in known if entry.id not in by_id])
        seen: dict[Address, object] = {}
        for address in wanted:
            entry, want = look.entries.get(address), look.resources.get(address)
            name = self._remote_name(look, want) if want else ""
            named = sorted(by_name.get(name, ()), key=_age)
            mine = by_id.get(entry.id) if entry and entry.id else None
            gone = mine is not None and mine.expires_at is not None and mine.expires_at <= look.now
            intent = cut_off.get(address)
            tried = (
                [
                    remote
                    for remote in by_name.get(intent.target[0] if intent.target else name, ())
                    if came_of(intent, remote, named=name) and remote.id not in other_bytes(entry)
                ]
                if intent
                else []
            )
            seen[address] = SeenFile(None if gone else mine, tuple(named), min(tried, key=_age, default=None))
        return seen

    def _remote_name(self, look: Look, want: Resource) -> str:
        return remote_name(look.scope.project, look.scope.env, want.address.name, str(want.inputs["sha256"]))

    def remembered(self, situation: Situation) -> object:
        entry = situation.entry
        if entry is None or entry.id is None:
            return SeenFile()
        return SeenFile(RemoteFile(entry.id, "", 0, PURPOSE, 0))

    def decide(self, situation: Situation) -> Change:
        return decide.decide(situation)

    def drift(self, situation: Situation) -> Sequence[Drift]:
        seen = situation.seen
        if situation.entry is None or situation.entry.id is None or not isinstance(seen, SeenFile) or seen.mine:
            return ()
        gone = f"{situation.entry.id} is no longer at the service: somebody deleted it, or it expired"
        return (Drift(situation.address, gone),)

    def refreshed(self, situation: Situation) -> Entry | None:
        """What is gone has no id; its digest stays known, for where its bytes are not here."""
        return replace(situation.entry, id=None) if situation.entry is not None and self.drift(situation) else None

    def trace(self, seen: object, open_: OpenIntent, want: Resource | None) -> Trace:
        if not isinstance(seen, SeenFile) or open_.intent.verb != "upload":
            return Trace()
        if seen.sent is not None:
            return Trace(seen.sent.id, "uploaded")
        return Trace(nothing=open_.settled)

    def standing(self, situation: Situation) -> Standing:
        entry, seen, want = situation.entry, situation.seen, situation.want
        if want is not None and want.spec.stays_here and entry is None:
            return Standing("stays here", None, "never uploaded")
        if entry is None or entry.id is None:
            return Standing("not uploaded", None, "uploaded when a launch needs it")
        here = isinstance(seen, SeenFile) and seen.mine is not None
        rows = entry.resolved.get("rows")
        return Standing("uploaded" if here else "gone", entry.id, f"{rows} rows" if rows else "")

    async def perform(self, change: Change, act: Act) -> Result:
        return await perform.perform(change, act)


def strangers(entry: Entry, seen: object) -> Mapping[str, str]:
    """What carries the name, was found not to have the bytes, and is there still: id → what it has instead. Pure."""
    named = {file.id for file in seen.named} if isinstance(seen, SeenFile) else set()
    return {id: has for id, has in other_bytes(entry).items() if id in named}


def _age(file: RemoteFile) -> tuple[int, str]:
    return (file.created_at, file.id)


KIND = FileKind()

__all__ = [
    "KIND",
    "PURPOSE",
    "AdoptStep",
    "CompareStep",
    "DeleteStep",
    "FileKind",
    "FileSpec",
    "SeenFile",
    "UploadStep",
    "file_identity",
    "lies_at",
    "path_from_root",
    "remote_name",
    "strangers",
    "used",
]
