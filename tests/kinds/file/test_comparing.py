"""What carries our name at the real local service is read before it is used: ours, others, short, gone, refused."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from rftplan.address import Address
from rftplan.api.port import RemoteFile
from rftplan.changes import Plan
from rftplan.codes import OTHER_BYTES
from rftplan.errors import ApiError, NotFoundError, RejectedError
from rftplan.events import Event, Hashed, Outcome, Result, ignore
from rftplan.kinds.file.comparing import GONE, Compared, compared
from rftplan.kinds.file.spec import Content, remote_name
from rftplan.lockfile import Entry, Origin
from tests.faults import Fault, always, once
from tests.scenarios.test_bad_luck import FILES, with_fault
from tests.world import Small, rows

TRAIN = Address("file", "train")
OURS = rows().encode()
NAME = remote_name("demo", "default", "train", hashlib.sha256(OURS).hexdigest())
OTHERS = rows().replace("What is 3 + 4?", "What is 9 + 9?").encode()


def entry(small: Small) -> Entry:
    return small.lock().resources[TRAIN]


def trained_from(small: Small) -> str:
    (job,) = small.jobs()
    id: str = job.training_file
    return id


def told(small: Small, **rest: Any) -> Result:
    return small.results(**rest)["file.train"]


def test_a_file_that_has_our_bytes_is_adopted_and_known_to_have_them(small: Small) -> None:
    id = small.upload_by_hand(NAME, OURS)
    seen: list[Event] = []
    result = told(small, on_event=seen.append)
    assert (result.outcome, result.verb, result.id) == (Outcome.DONE, "adopt", id)
    assert result.detail == f"the bytes of {id} were read and are its own"
    assert (entry(small).origin, entry(small).resolved["content"]) == (Origin.ADOPTED, "verified")
    assert trained_from(small) == id
    assert seen.index(Hashed(NAME, len(OURS), len(OURS))) >= 0
    assert len(small.files()) == 2


def test_other_bytes_under_our_name_are_never_trained_on(small: Small) -> None:
    stranger = small.upload_by_hand(NAME, OTHERS)
    result = told(small)
    has = f"sha256 {hashlib.sha256(OTHERS).hexdigest()}"
    assert (result.outcome, result.verb) == (Outcome.DONE, "upload")
    assert result.detail == f"{stranger} carries its name, and has other bytes ({has}); uploaded beside it"
    assert entry(small).resolved["other_bytes"] == {stranger: has}
    assert entry(small).origin is Origin.CREATED
    assert trained_from(small) == entry(small).id != stranger
    assert small.verbs(destroy=True)["file.train"] == "forget forget", "what a job was trained from stays"


def test_a_plan_says_what_has_our_name_and_other_bytes_for_as_long_as_it_is_there(small: Small) -> None:
    stranger = small.upload_by_hand(NAME, OTHERS)
    assert found(small) == [], "nobody has looked at its bytes yet"
    small.apply()
    (one,) = found(small)
    assert (one.address, stranger in one.detail) == ("file.train", True)
    assert small.verbs() == {"deployment.reviewer": "defer wait"}
    small.service(lambda port: port.delete_file(stranger))
    assert found(small) == []


def found(small: Small) -> list[Any]:
    return [one for one in small.plan().diagnostics if one.code == OTHER_BYTES.code]


def test_the_one_of_several_that_has_our_bytes_is_found(small: Small) -> None:
    stranger, _ = small.upload_by_hand(NAME, OTHERS), setattr(small.clock, "time", small.clock.time + 5)
    ours = small.upload_by_hand(NAME, OURS)
    result = told(small)
    assert (result.id, result.verb) == (ours, "adopt")
    assert result.detail.startswith(f"the bytes of {ours} were read and are its own; {stranger} carries its name")
    assert [*entry(small).resolved["other_bytes"]] == [stranger]  # type: ignore[misc]
    assert trained_from(small) == ours


def test_where_no_launch_waits_a_stranger_is_left_alone_and_a_person_told(small: Small) -> None:
    small.edit("specs/main.yaml", "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    stranger = small.upload_by_hand(NAME, OTHERS)
    result = told(small)
    assert result.outcome is Outcome.HELD
    assert result.detail.endswith("it is left alone and never used")
    assert entry(small).id is None
    assert "file.train" not in small.verbs(), "said once, then a finding of every plan"
    assert len(found(small)) == 1
    small.edit("specs/main.yaml", "    run: cancelled\n", "")
    assert small.changes()["file.train"].reason == "needed-by-launch"
    small.train()
    assert trained_from(small) not in (stranger, None)


def test_a_refused_download_leaves_the_name_and_the_lock_says_so(small: Small) -> None:
    id = small.upload_by_hand(NAME, OURS)
    with_fault(small, always("GET", f"{FILES}/{id}/content", Fault.REFUSED))
    result = told(small)
    assert result.detail == f"taken by name and size alone: the service does not give the bytes of {id} back"
    assert entry(small).resolved["content"] == "name only"
    assert trained_from(small) == id


def test_a_service_without_such_a_route_is_no_service_without_the_file(small: Small) -> None:
    id = small.upload_by_hand(NAME, OURS)
    with_fault(small, always("GET", f"{FILES}/{id}/content", Fault.NOT_FOUND))
    told(small)
    assert entry(small).resolved["content"] == "name only"


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.LOST_BEFORE, Fault.UNAUTHORIZED])
def test_bytes_that_could_not_be_read_are_neither_trusted_nor_called_others(small: Small, fault: Fault) -> None:
    id = small.upload_by_hand(NAME, OURS)
    with_fault(small, always("GET", f"{FILES}/{id}/content", fault))
    results = small.results()
    assert results["file.train"].outcome in (Outcome.FAILED, Outcome.DEFERRED)
    assert results["job.review"].outcome is Outcome.SKIPPED
    assert small.jobs() == []
    small.wrap = lambda inner: inner
    small.train()
    assert entry(small).resolved["content"] == "verified"
    assert len(small.files()) == 2


def test_what_was_deleted_since_the_plan_is_uploaded_where_it_is_needed(small: Small) -> None:
    id = small.upload_by_hand(NAME, OURS)

    def delete(_: Plan) -> bool:
        with_loop(lambda: small.service(lambda port: port.delete_file(id)))
        return True

    result = told(small, consent=delete)
    assert (result.verb, result.outcome) == ("upload", Outcome.DONE)
    assert result.detail == "what carried its name is gone since the plan was made; uploaded"
    assert trained_from(small) == entry(small).id != id


def with_loop(work: Callable[[], Any]) -> None:
    """In a thread: whoever asks is in the middle of a loop of its own."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def test_a_lost_upload_beside_a_stranger_is_never_the_stranger(small: Small) -> None:
    stranger = small.upload_by_hand(NAME, OTHERS)
    with_fault(small, once("POST", FILES, Fault.LOST_AFTER))
    small.apply(parallelism=1)
    small.wrap = lambda inner: inner
    small.train()
    assert entry(small).id != stranger
    assert trained_from(small) != stranger
    assert len(small.files()) == 3


@dataclass
class Reading:
    """A port that gives bytes back as it is told. `there`: whether the file is."""

    blocks: list[bytes]
    refusal: ApiError | None = None
    there: bool = True
    given: int = 0

    async def read_file(self, _id: str, take: Callable[[bytes], None]) -> None:
        if self.refusal is not None:
            raise self.refusal
        for block in self.blocks:
            self.given += 1
            take(block)

    async def get_file(self, id: str) -> RemoteFile:
        if not self.there:
            raise NotFoundError(f"no such file {id}")
        return RemoteFile(id, NAME, 6, "fine-tune", 0)


class Acting:
    """As much of an `Act` as comparing uses."""

    def __init__(self, port: Reading) -> None:
        self.port = port
        self.on_event = ignore


def compare(port: Reading) -> Compared:
    file = RemoteFile("file-1", NAME, 6, "fine-tune", 0)
    return asyncio.run(compared(file, hashlib.sha256(b"abcdef").hexdigest(), Acting(port)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (Reading([b"abc", b"def"]), Compared(Content.VERIFIED)),
        (Reading([b"abcdeF"]), Compared(other=f"sha256 {hashlib.sha256(b'abcdeF').hexdigest()}")),
        (Reading([], RejectedError("not for free accounts", status=403)), Compared(Content.NAME_ONLY)),
        (Reading([], NotFoundError("no such file")), Compared(Content.NAME_ONLY)),
        (Reading([], NotFoundError("no such file"), there=False), GONE),
    ],
)
def test_what_reading_it_says(port: Reading, expected: Compared) -> None:
    assert compare(port) == expected


def test_no_more_is_read_than_the_service_says_there_is() -> None:
    port = Reading([b"abc", b"defg", b"h"])
    assert compare(port) == Compared(other="more than the service says")
    assert port.given == 2


def test_a_file_that_ends_early_was_not_compared() -> None:
    with pytest.raises(ApiError, match="file-1 ended after 3 of 6 bytes"):
        compare(Reading([b"abc"]))


def test_a_key_that_is_no_good_says_nothing_of_the_file() -> None:
    with pytest.raises(RejectedError):
        compare(Reading([], RejectedError("Incorrect API key provided", status=401)))
