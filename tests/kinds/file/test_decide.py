"""When a data file is uploaded, adopted, kept, deleted or left alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import RemoteFile
from rftplan.api.profiles import Capability
from rftplan.changes import Action, Change, Hazard, Reason
from rftplan.journal import Intent
from rftplan.kinds.base import Look, OpenIntent, Resource, Situation
from rftplan.kinds.file import (
    KIND,
    AdoptStep,
    CompareStep,
    DeleteStep,
    FileSpec,
    SeenFile,
    UploadStep,
    lies_at,
    path_from_root,
    remote_name,
)
from rftplan.kinds.file.spec import with_other_bytes
from rftplan.kinds.spec import RetainedLifecycle
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import Entry, Origin
from tests.planning import graph_of, remote_file, scope

FILE, JOB = Address("file", "train"), Address("job", "review")
WANT = graph_of({FILE: FileSpec(path="train.jsonl")}).resources[FILE]
ABSENT = graph_of({FILE: FileSpec(path="train.jsonl")}, absent=frozenset({FILE})).resources[FILE]
NEVER = graph_of({FILE: FileSpec(path="train.jsonl", upload="never")}).resources[FILE]
GUARDED = FileSpec(path="train.jsonl", upload="never", lifecycle=RetainedLifecycle(prevent_destroy=True))
UNRETAINED = replace(
    NEVER, spec=FileSpec(path="train.jsonl", upload="never", lifecycle=RetainedLifecycle(retain=False))
)
ENTRY = Entry(WANT.fingerprint, WANT.inputs, id="file-1")
OLD = Entry("v1:" + "0" * 64, {"purpose": "fine-tune", "sha256": "0" * 64}, id="file-1")
MINE = RemoteFile("file-1", "train.jsonl", 10, "fine-tune", 100)
NAMED = remote_file(FILE, WANT, id="file-2")
TWIN = replace(NAMED, id="file-3", created_at=NAMED.created_at + 1)
HERE = SeenFile(mine=MINE)
GONE = SeenFile()
FOUND = SeenFile(named=(NAMED,))
MADE = {JOB: Entry("v1:", {}, id="ftjob-1", resolved={"training_file": "file-1", "status": "succeeded"})}
GOES_ON = {"file-1": (JOB,)}
UPLOAD = Intent(1, FILE, "upload", "lineage-1:token", None, at=0.0)
NAMING = replace(UPLOAD, target=(NAMED.filename,))
CAME = SeenFile(sent=NAMED)


def decide(
    want: Resource | None = WANT,
    entry: Entry | None = None,
    seen: SeenFile = GONE,
    *,
    needed: bool = False,
    intent: OpenIntent | None = None,
    entries: dict[Address, Entry] | None = None,
    **around: Any,
) -> Change:
    return KIND.decide(
        Situation(
            address=FILE,
            want=want,
            entry=entry,
            seen=seen,
            intent=intent,
            entries={**({FILE: entry} if entry else {}), **(entries or {})},
            launching=(JOB,) if needed else (),
            **{"scope": scope(), **around},
        )
    )


TABLE: list[tuple[str, dict[str, Any], Action, str, Reason]] = [
    ("new, not needed", {}, Action.NOOP, "keep", Reason.NOT_NEEDED),
    ("new, needed", {"needed": True}, Action.CREATE, "upload", Reason.NEEDED_BY_LAUNCH),
    ("new, there already", {"seen": FOUND}, Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE),
    ("new, needed, there already", {"seen": FOUND, "needed": True}, Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE),
    ("as uploaded", {"entry": ENTRY, "seen": HERE}, Action.NOOP, "keep", Reason.MATCHES),
    ("as uploaded, needed", {"entry": ENTRY, "seen": HERE, "needed": True}, Action.NOOP, "keep", Reason.MATCHES),
    ("gone, not needed", {"entry": ENTRY}, Action.NOOP, "keep", Reason.GONE_NOT_NEEDED),
    ("gone, while its job is validated", {"entry": ENTRY, "starting_from": {ENTRY.id: (JOB,)}}, Action.NOOP, "keep",
     Reason.GONE_WHILE_USED),
    ("gone, needed", {"entry": ENTRY, "needed": True}, Action.CREATE, "upload", Reason.GONE_AND_NEEDED),
    ("gone, a twin there", {"entry": ENTRY, "seen": FOUND}, Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE),
    ("changed, not needed", {"entry": OLD, "seen": HERE}, Action.NOOP, "keep", Reason.NOT_NEEDED),
    ("changed, needed", {"entry": OLD, "seen": HERE, "needed": True}, Action.UPDATE, "upload", Reason.CONTENT_CHANGED),
    ("changed, there already", {"entry": OLD, "seen": FOUND}, Action.ADOPT, "adopt", Reason.FOUND_AT_SERVICE),
    ("absent, not needed", {"want": ABSENT, "entry": ENTRY, "seen": HERE}, Action.NOOP, "keep", Reason.MATCHES),
    (
        "absent, needed, still there",
        {"want": ABSENT, "entry": ENTRY, "seen": HERE, "needed": True},
        Action.NOOP,
        "keep",
        Reason.MATCHES,
    ),
    (
        "absent, needed, gone",
        {"want": ABSENT, "entry": ENTRY, "needed": True},
        Action.HOLD,
        "hold",
        Reason.DATA_ABSENT,
    ),
    ("removed, ours, unused", {"want": None, "entry": ENTRY, "seen": HERE}, Action.DELETE, "delete",
     Reason.REMOVED_FROM_SPEC),
    ("removed, gone", {"want": None, "entry": ENTRY}, Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC),
    ("removed, adopted", {"want": None, "entry": replace(ENTRY, origin=Origin.ADOPTED), "seen": HERE}, Action.FORGET,
     "forget", Reason.REMOVED_FROM_SPEC),
    ("stays here", {"want": NEVER}, Action.NOOP, "keep", Reason.STAYS_HERE),
    ("stays here, a twin there", {"want": NEVER, "seen": FOUND}, Action.NOOP, "keep", Reason.STAYS_HERE),
    ("stays here, needed", {"want": NEVER, "needed": True}, Action.NOOP, "keep", Reason.STAYS_HERE),
    ("stays here, was uploaded", {"want": NEVER, "entry": ENTRY, "seen": HERE}, Action.DELETE, "delete",
     Reason.STAYS_HERE),
    ("stays here, was uploaded, older rows", {"want": NEVER, "entry": OLD, "seen": HERE}, Action.DELETE, "delete",
     Reason.STAYS_HERE),
    ("stays here, was adopted", {"want": NEVER, "entry": replace(ENTRY, origin=Origin.ADOPTED), "seen": HERE},
     Action.FORGET, "forget", Reason.STAYS_HERE),
    ("stays here, gone from there", {"want": NEVER, "entry": ENTRY}, Action.FORGET, "forget", Reason.STAYS_HERE),
    ("stays here, a model was made of it", {"want": NEVER, "entry": ENTRY, "seen": HERE, "entries": MADE},
     Action.FORGET, "forget", Reason.STAYS_HERE),
    ("stays here, a job runs on it", {"want": UNRETAINED, "entry": ENTRY, "seen": HERE, "starting_from": GOES_ON},
     Action.DEFER, "wait", Reason.STILL_USED),
    ("removed, a job runs on it", {"want": None, "entry": ENTRY, "seen": HERE, "starting_from": GOES_ON},
     Action.DEFER, "wait", Reason.STILL_USED),
    ("stays here, a launch was cut off", {"want": NEVER, "entry": ENTRY, "seen": HERE, "cut_off_launches": (JOB,)},
     Action.DEFER, "wait", Reason.FATE_UNKNOWN),
    ("removed, a launch was cut off", {"want": None, "entry": ENTRY, "seen": HERE, "cut_off_launches": (JOB,)},
     Action.DEFER, "wait", Reason.FATE_UNKNOWN),
    ("stays here, not retained", {"want": UNRETAINED, "entry": ENTRY, "seen": HERE, "entries": MADE},
     Action.DELETE, "delete", Reason.STAYS_HERE),
    ("stays here, an upload was cut off", {"want": NEVER, "intent": OpenIntent(NAMING, settled=False)}, Action.DEFER,
     "wait", Reason.FATE_UNKNOWN),
    ("stays here, a cut-off upload came to nothing", {"want": NEVER, "intent": OpenIntent(NAMING, settled=True)},
     Action.FORGET, "forget", Reason.STAYS_HERE),
    ("stays here, a cut-off upload arrived", {"want": NEVER, "intent": OpenIntent(NAMING, settled=False), "seen": CAME},
     Action.DELETE, "delete", Reason.STAYS_HERE),
    ("removed, a cut-off upload arrived", {"want": None, "intent": OpenIntent(NAMING, settled=True), "seen": CAME},
     Action.DELETE, "delete", Reason.REMOVED_FROM_SPEC),
    ("removed, an upload was cut off, no name", {"want": None, "intent": OpenIntent(UPLOAD, settled=False)},
     Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC),
    ("stays here, a cut-off upload arrived, must not be deleted", {"want": replace(NEVER, spec=GUARDED), "seen": CAME,
     "intent": OpenIntent(NAMING, settled=True)}, Action.HOLD, "hold", Reason.PREVENTED),
    ("stays here, must not be deleted", {"want": replace(NEVER, spec=GUARDED), "entry": ENTRY, "seen": HERE},
     Action.HOLD, "hold", Reason.PREVENTED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "action", "verb", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(given: dict[str, Any], action: Action, verb: str, reason: Reason) -> None:
    change = decide(**given)
    assert (change.action, change.verb, change.reason) == (action, verb, reason)


def test_an_upload_carries_our_hash_in_its_name() -> None:
    step = decide(needed=True).step
    assert step == UploadStep(remote_name("demo", "default", "train", str(WANT.inputs["sha256"])), 10)
    assert step.filename.startswith(f"demo.default.train-{WANT.inputs['sha256']}"[: len("demo.default.train-") + 32])


@pytest.mark.parametrize(
    "other",
    [replace(NAMED, size=11), replace(NAMED, purpose="assistants")],
    ids=["another size", "another purpose"],
)
def test_what_only_looks_the_same_is_not_adopted(other: RemoteFile) -> None:
    assert decide(seen=SeenFile(named=(other,))).action is Action.NOOP
    assert decide(seen=SeenFile(named=(other,)), needed=True).verb == "upload"
    assert decide(seen=SeenFile(named=(other, NAMED))).step == CompareStep((NAMED,), None)


def test_what_neither_lock_nor_journal_knows_is_read_before_it_is_used() -> None:
    """Oldest first, and uploaded beside it where a launch waits for the bytes."""
    change = decide(seen=SeenFile(named=(NAMED, TWIN)), needed=True)
    assert change.step == CompareStep((NAMED, TWIN), UploadStep(NAMED.filename, 10))
    assert change.detail == "file-2 has its name and size; its 10 bytes are read and compared before it is used"
    assert change.hazards == ()


def test_where_the_provider_gives_no_file_back_its_name_has_to_do_and_that_is_said() -> None:
    whole = scope()
    mute = replace(whole.profile, capabilities=whole.profile.capabilities - {Capability.FILE_CONTENT})
    change = decide(seen=FOUND, needed=True, scope=replace(whole, profile=mute))
    assert change.detail == "file-2 has its name and size, and no more can be known: the provider gives no file back"
    assert isinstance(change.step, AdoptStep)
    assert change.step.entry.origin is Origin.ADOPTED, "it is never ours to delete"
    assert change.step.entry.resolved["content"] == "name only"


def test_an_absent_file_is_adopted_whatever_its_size() -> None:
    """It is not known here; what the lock knows of its bytes is compared."""
    assert decide(ABSENT, ENTRY, FOUND).step == CompareStep((NAMED,), None)
    assert decide(ABSENT, ENTRY, FOUND, needed=True).step == CompareStep((NAMED,), None)


@pytest.mark.parametrize("entry", [None, ENTRY, OLD], ids=["new", "as wanted", "older rows"])
def test_what_was_found_to_have_other_bytes_is_never_taken_again(entry: Entry | None) -> None:
    known = with_other_bytes(entry, WANT, {NAMED.id: "sha256 0"})
    assert decide(entry=known, seen=FOUND).action is Action.NOOP
    assert decide(entry=known, seen=FOUND, needed=True).verb == "upload"
    assert decide(entry=known, seen=SeenFile(named=(NAMED, TWIN))).step == CompareStep((TWIN,), None)
    recovered = decide(entry=known, seen=SeenFile(named=(NAMED, TWIN)), intent=OpenIntent(NAMING, settled=False)).step
    assert isinstance(recovered, AdoptStep)
    assert recovered.entry.id == TWIN.id
    assert recovered.entry.resolved["other_bytes"] == {NAMED.id: "sha256 0"}


@pytest.mark.parametrize("target", [("demo.default.train-other.jsonl", "10"), (NAMED.filename, "11")])
def test_what_is_not_what_a_cut_off_upload_sent_is_compared_like_any_other(target: tuple[str, ...]) -> None:
    """The bytes here changed since, or something of our name was there before."""
    intent = OpenIntent(replace(UPLOAD, target=target), settled=False)
    assert decide(seen=FOUND, needed=True, intent=intent).step == CompareStep((NAMED,), UploadStep(NAMED.filename, 10))


@pytest.mark.parametrize("settled", [False, True])
def test_an_upload_repeated_for_what_was_gone_and_cut_off_is_not_forgotten_with_the_specs(settled: bool) -> None:
    intent = OpenIntent(NAMING, settled=settled)
    assert decide(None, ENTRY, CAME, intent=intent).step == DeleteStep(NAMED.id)
    assert decide(None, ENTRY, GONE, intent=intent).verb == ("forget" if settled else "wait")


def test_an_upload_that_was_cut_off_is_looked_up_before_it_is_repeated() -> None:
    open_, settled = OpenIntent(UPLOAD, settled=False), OpenIntent(UPLOAD, settled=True)
    assert decide(needed=True, intent=open_).reason is Reason.FATE_UNKNOWN
    assert decide(needed=True, intent=settled).verb == "upload"
    recovered = decide(needed=True, intent=open_, seen=FOUND)
    assert (recovered.action, recovered.verb, recovered.reason) == (Action.ADOPT, "recover", Reason.INTENT_RECOVERED)
    assert isinstance(recovered.step, AdoptStep)
    assert recovered.step.entry.origin is Origin.CREATED


def test_a_delete_is_a_hazard_and_names_its_file() -> None:
    change = decide(None, ENTRY, HERE)
    assert change.step == DeleteStep("file-1")
    assert [h.hazard for h in change.hazards] == [Hazard.DELETE]


@pytest.mark.parametrize("field", ["training_file", "validation_file"])
def test_what_a_job_was_trained_from_stays(field: str) -> None:
    job = Entry("v1:", {}, id="ftjob-1", resolved={field: "file-1"})
    change = decide(None, ENTRY, HERE, entries={JOB: job})
    assert change.action is Action.FORGET
    assert "job.review was trained from it" in change.detail


def test_a_file_that_is_gone_is_drift_and_one_that_is_there_is_none() -> None:
    def drift(seen: SeenFile, entry: Entry | None) -> list[str]:
        return [d.detail for d in KIND.drift(Situation(FILE, WANT, entry, seen, None, scope()))]

    assert drift(GONE, ENTRY) == ["file-1 is no longer at the service: somebody deleted it, or it expired"]
    assert drift(HERE, ENTRY) == []
    assert drift(GONE, None) == []


def test_a_file_that_will_be_gone_one_day_is_not_adopted() -> None:
    passing = replace(NAMED, expires_at=10_000)
    assert decide(seen=SeenFile(named=(passing,)), needed=True).verb == "upload"
    assert decide(seen=SeenFile(named=(passing, TWIN))).step == CompareStep((TWIN,), None)


@pytest.mark.parametrize(("now", "gone"), [(9_999.0, False), (10_000.0, True), (10_001.0, True)])
def test_a_recorded_file_that_expired_counts_as_gone(now: float, gone: bool) -> None:
    class Listing:
        async def list_files(self, _purpose: str) -> list[RemoteFile]:
            return [replace(MINE, expires_at=10_000)]

    look = Look(Listing(), scope(), {FILE: WANT}, {FILE: ENTRY}, (), {}, {FILE: WANT}, {FILE: ENTRY}, now)  # type: ignore[arg-type]
    seen = asyncio.run(KIND.observe(look))[FILE]
    assert isinstance(seen, SeenFile)
    assert (seen.mine is None) is gone
    assert decide(entry=ENTRY, seen=seen, needed=True).verb == ("upload" if gone else "keep")


@pytest.mark.parametrize("want", [None, NEVER, WANT])
@pytest.mark.parametrize("target", [(NAMED.filename, "10"), (NAMED.filename,), ()])
def test_what_came_of_a_cut_off_upload_is_seen_by_the_name_it_went_under(
    want: Resource | None, target: tuple[str, ...]
) -> None:
    """Also where the file has left the specs; a journal of before kept no name, and then that of the bytes counts."""
    later = replace(NAMED, id="file-9", created_at=NAMED.created_at + 1)

    class Listing:
        async def list_files(self, _purpose: str) -> list[RemoteFile]:
            return [later, NAMED, MINE]

    wants = {FILE: want} if want else {}
    intent = replace(UPLOAD, target=target)
    look = Look(Listing(), scope(), wants, {}, (intent,), {}, wants, {}, 0.0)  # type: ignore[arg-type]
    seen = asyncio.run(KIND.observe(look))[FILE]
    assert isinstance(seen, SeenFile)
    assert seen.sent == (NAMED if want or target else None)


@pytest.mark.parametrize(
    "other", [replace(NAMED, id="file-0", size=11), replace(NAMED, id="file-0", expires_at=10_000)]
)
def test_what_cannot_be_what_a_cut_off_upload_sent_is_not_taken_for_it(other: RemoteFile) -> None:
    """It would be deleted with the file's spec, and somebody else put it there."""

    class Listing:
        async def list_files(self, _purpose: str) -> list[RemoteFile]:
            return [other]

    intent = replace(UPLOAD, target=(NAMED.filename, "10"))
    look = Look(Listing(), scope(), {}, {}, (intent,), {}, {}, {}, 0.0)  # type: ignore[arg-type]
    assert asyncio.run(KIND.observe(look))[FILE] == SeenFile()


def test_nobody_is_asked_about_files_that_stay_here_and_never_left() -> None:
    look = Look(None, scope(), {FILE: NEVER}, {}, (), {}, {FILE: NEVER}, {}, 0.0)  # type: ignore[arg-type]
    assert asyncio.run(KIND.observe(look)) == {}
    assert KIND.standing(Situation(FILE, NEVER, None, None, None, scope())).state == "stays here"


def test_the_lock_learns_where_the_bytes_lie_and_only_from_bytes_that_are_here() -> None:
    step = decide(entry=ENTRY, seen=HERE).step
    assert isinstance(step, RecordStep)
    assert step.entry.resolved["path"] == "specs/train.jsonl"
    assert decide(entry=step.entry, seen=HERE).step is None
    assert decide(ABSENT, ENTRY, HERE).step is None


@pytest.mark.parametrize(
    ("written", "beside", "path"),
    [
        ("data/a.jsonl", "specs/main.yaml", "specs/data/a.jsonl"),
        ("./data//a.jsonl", "specs/main.yaml", "specs/data/a.jsonl"),
        ("../data/a.jsonl", "specs/deep/main.yaml", "specs/data/a.jsonl"),
    ],
)
def test_a_path_is_remembered_from_the_root(written: str, beside: str, path: str) -> None:
    assert path_from_root(written, beside) == path
    assert lies_at(replace(ENTRY, resolved={"path": path}), path)
    assert not lies_at(replace(ENTRY, resolved={"path": "specs/other.jsonl"}), path)
    assert lies_at(ENTRY, path), "older entries do not say"


def test_an_upload_repeated_for_a_file_that_went_waits_for_the_first_one() -> None:
    open_ = OpenIntent(UPLOAD, settled=False)
    assert decide(entry=ENTRY, needed=True, intent=open_).reason is Reason.FATE_UNKNOWN
    assert decide(entry=ENTRY, needed=True, intent=open_, seen=FOUND).verb == "recover"
