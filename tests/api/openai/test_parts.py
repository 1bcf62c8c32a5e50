"""Large files in parts: the real adapter and SDK against the local service, and bad luck at every call between them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.api.identity import ProviderSettings, identify
from rftplan.api.openai import OpenAIPort, connect
from rftplan.api.pacing import Patience
from rftplan.api.port import RemoteFile, Upload
from rftplan.api.profiles import Capability, PartSizes, elsewhere, profile
from rftplan.errors import ApiError, FateUnknownError, NotDoneError, RejectedError, UserError
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings
from tests.api.wire import ask, no_time
from tests.faults import Fault, Faulty

T = TypeVar("T")
Plan = Callable[[str, str, int], Fault | None]
LOCAL = profile("local")
SIZES = PartSizes(above=100, size=64, at_once=3)
CONTENT = b"".join(b"%07d\n" % number for number in range(50))


@dataclass
class Place:
    """A local service on a disk, and one file to upload to it."""

    root: Path
    sizes: PartSizes = SIZES
    retries: int = 0
    sent: list[tuple[str, str]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.root / "data.jsonl"

    def upload(self, content: bytes = CONTENT) -> Upload:
        self.path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return Upload(self.path, "acme.dev.train-00ff.jsonl", len(content), "fine-tune", digest)

    def ask(self, call: Callable[[OpenAIPort], Awaitable[T]], plan: Plan = lambda *_: None) -> T:
        def watched(method: str, path: str, number: int) -> Fault | None:
            self.sent.append((method, path.rpartition("/")[2]))
            return plan(method, path, number)

        chosen = replace(LOCAL, parts=self.sizes)
        app = create_app(default_settings(self.root / "local.sqlite", "local-key", now=lambda: 1_790_000_000.0))
        transport = Faulty(httpx2.ASGITransport(app=app), watched)
        identity = identify(ProviderSettings("local"), chosen)
        try:
            return ask(
                connect(
                    identity, chosen, "local-key", transport=transport, patience=Patience(no_time, retries=self.retries)
                ),
                call,
            )  # type: ignore[arg-type]
        finally:
            close_app(app)

    def send(self, upload: Upload, plan: Plan = lambda *_: None, seen: Any = None) -> RemoteFile:
        progress = (lambda *_: None) if seen is None else seen
        return self.ask(lambda port: port.upload_file(upload, progress), plan)

    def files(self) -> list[RemoteFile]:
        return list(self.ask(lambda port: port.list_files("fine-tune")))

    def contents(self) -> dict[str, bytes]:
        """What lies on the service's disk."""
        folder = self.root / "local.sqlite-files"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def on(end: str, fault: Fault, number: int = 1) -> Plan:
    """A fault of the `number`th request whose path has this end."""
    count = iter(range(1, 1_000))
    return lambda _, path, __: fault if path.endswith(end) and next(count) == number else None


def test_a_large_file_goes_in_parts_and_a_small_one_whole(place: Place) -> None:
    seen: list[tuple[int, int]] = []
    upload = place.upload()
    file = place.send(upload, seen=lambda done, size: seen.append((done, size)))
    assert (file.filename, file.size, file.purpose) == (upload.filename, 400, "fine-tune")
    assert place.contents() == {file.id: CONTENT}
    assert place.sent == [("POST", "uploads"), *[("POST", "parts")] * 7, ("POST", "complete")]
    assert seen[-1] == (400, 400)
    assert seen == sorted(seen)
    place.sent.clear()
    place.send(place.upload(b"x" * SIZES.above))
    assert place.sent == [("POST", "files")]


def test_where_there_are_no_uploads_it_goes_whole_up_to_the_limit_of_one_request(tmp_path: Path) -> None:
    sent: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url.path)
        named = {"filename": "x", "purpose": "fine-tune", "bytes": 400, "created_at": 1}
        return httpx2.Response(200, json={"id": "file-1", **named})

    chosen = replace(elsewhere(profile("openai")), parts=SIZES, max_file_bytes=400)
    assert not chosen.can(Capability.UPLOADS)
    assert (chosen.largest_file, profile("openai").largest_file) == (400, 8 * 2**30)
    identity = identify(ProviderSettings("openai", base_url="https://gateway.example/v1"), chosen)
    place = Place(tmp_path)
    for content in (CONTENT, CONTENT + b"x"):
        upload = place.upload(content)
        port = connect(identity, chosen, "sk-x", transport=httpx2.MockTransport(answer))
        if len(content) > 400:
            with pytest.raises(UserError, match="has 401 bytes; the service takes 400"):
                ask(port, lambda port, upload=upload: port.upload_file(upload, lambda *_: None))  # type: ignore[misc]
        else:
            ask(port, lambda port, upload=upload: port.upload_file(upload, lambda *_: None))  # type: ignore[misc]
    assert sent == ["/v1/files"]


def test_what_is_announced_and_what_ends_it(place: Place) -> None:
    """The order of the parts and the digest of the whole, whichever part comes first."""
    sent: dict[str, Any] = {}
    named = {"id": "file-1", "filename": "x", "purpose": "fine-tune", "bytes": 400, "created_at": 1}

    def answer(request: httpx2.Request) -> httpx2.Response:
        last = request.url.path.rpartition("/")[2]
        if last == "parts":
            (start,) = [at for at in range(0, 400, SIZES.size) if CONTENT[at : at + SIZES.size] in request.content]
            return httpx2.Response(200, json={"id": f"part_{900 - start}"})
        sent[last] = json.loads(request.content)
        return httpx2.Response(200, json={"id": "upload_1", "status": "completed", "file": named})

    upload, chosen = place.upload(), replace(LOCAL, parts=SIZES)
    identity = identify(ProviderSettings("local"), chosen)
    port = connect(identity, chosen, "local-key", transport=httpx2.MockTransport(answer))
    assert ask(port, lambda port: port.upload_file(upload, lambda *_: None)).id == "file-1"
    assert sent == {
        "uploads": {"bytes": 400, "filename": upload.filename, "mime_type": "text/jsonl", "purpose": "fine-tune"},
        "complete": {
            "part_ids": [f"part_{900 - start}" for start in range(0, 400, SIZES.size)],
            "md5": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
        },
    }


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.ERROR_AFTER, Fault.NOT_CONNECTED])
@pytest.mark.parametrize("end", ["uploads", "parts"])
def test_what_fails_before_the_last_call_is_certainly_not_done(place: Place, end: str, fault: Fault) -> None:
    """No file can be there, so that nobody has to wait and look."""
    with pytest.raises(NotDoneError, match=r"could not upload acme\.dev.train-00ff\.jsonl"):
        place.send(place.upload(), on(end, fault, 1))
    assert place.files() == []
    assert place.contents() == {}, "the parts that got there are given up"
    assert ("POST", "complete") not in place.sent


def test_a_refused_part_ends_the_upload_in_the_services_words(place: Place) -> None:
    with pytest.raises(RejectedError, match="winding down"):
        place.send(place.upload(), on("parts", Fault.REFUSED, 4))
    assert place.contents() == {}


def test_a_part_that_fails_once_is_repeated(place: Place) -> None:
    """By the SDK, from the part's beginning, as soon as the service allows it."""

    class Allowing(Faulty):
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            response.headers["retry-after-ms"] = "1"
            return response

    upload, chosen = place.upload(), replace(LOCAL, parts=SIZES)
    app = create_app(default_settings(place.root / "local.sqlite", "local-key"))
    transport = Allowing(httpx2.ASGITransport(app=app), on("parts", Fault.ERROR_AFTER, 2))
    port = connect(
        identify(ProviderSettings("local"), chosen),
        chosen,
        "local-key",
        transport=transport,
        patience=Patience(no_time, retries=1),
    )  # type: ignore[arg-type]
    file = ask(port, lambda port: port.upload_file(upload, lambda *_: None))
    close_app(app)
    assert place.contents() == {file.id: CONTENT}, "and the part that came twice is in it once"


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER])
def test_the_fate_of_the_last_call_may_be_unknown_and_it_is_sent_once(place: Place, fault: Fault) -> None:
    place.retries = 2
    with pytest.raises(FateUnknownError):
        place.send(place.upload(), on("complete", fault))
    assert place.sent.count(("POST", "complete")) == 1
    assert ("POST", "cancel") not in place.sent, "it may be a file by now"
    assert len(place.files()) == (fault in (Fault.LOST_AFTER, Fault.ERROR_AFTER))


def test_an_answer_without_a_file_is_no_success(place: Place) -> None:
    class Forgetful(Faulty):
        async def handle_async_request(self, request: Any) -> Any:
            response = await self.inner.handle_async_request(request)
            if not request.url.path.endswith("complete"):
                return response
            return httpx2.Response(200, json={"id": "upload_1", "status": "pending"})

    upload, chosen = place.upload(), replace(LOCAL, parts=SIZES)
    app = create_app(default_settings(place.root / "local.sqlite", "local-key"))
    transport = Forgetful(httpx2.ASGITransport(app=app), lambda *_: None)
    port = connect(identify(ProviderSettings("local"), chosen), chosen, "local-key", transport=transport)  # type: ignore[arg-type]
    with pytest.raises(FateUnknownError, match="does not say that the upload is completed"):
        ask(port, lambda port: port.upload_file(upload, lambda *_: None))
    close_app(app)


@contextmanager
def same_times(path: Path) -> Iterator[None]:
    """Whatever is written in between, the file's times do not show it."""
    stat = path.stat()
    yield
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_other_bytes_than_planned_are_not_uploaded(place: Place) -> None:
    upload = place.upload()
    with same_times(place.path):
        place.path.write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match="has changed since the plan"):
        place.send(upload)
    assert ("POST", "complete") not in place.sent
    place.path.write_bytes(CONTENT[:-1])
    place.sent.clear()
    with pytest.raises(UserError, match="has changed since the plan"):
        place.send(upload)
    assert place.sent == []
    place.path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        place.send(upload)
    assert place.contents() == {}


@pytest.mark.parametrize("change", [b"", CONTENT[::-1], CONTENT[:200], CONTENT * 2])
def test_a_file_that_changes_underneath_is_no_file_at_the_service(place: Place, change: bytes) -> None:
    def disturb(taken: int, _: int) -> None:
        if taken >= 128:
            place.path.write_bytes(change)

    with pytest.raises(UserError, match="chang") as caught:
        place.send(place.upload(), seen=disturb)
    assert caught.value.hint == "plan again"
    assert place.files() == []
    assert place.contents() == {}


def test_a_change_that_no_time_shows_is_refused_by_its_md5(place: Place) -> None:
    def disturb(taken: int, _: int) -> None:
        if taken == 400:
            return
        with same_times(place.path), place.path.open("r+b") as file:
            file.seek(399)
            file.write(b"!")

    with pytest.raises((RejectedError, UserError), match=r"md5|changed since the plan"):
        place.send(place.upload(), seen=disturb)
    assert place.contents() == {}


def test_another_file_under_the_name_does_not_disturb_the_one_that_is_open(place: Place) -> None:
    """As editors save: the planned bytes are still there for who has opened them."""

    def replaced(taken: int, _: int) -> None:
        other = place.root / "other"
        other.write_bytes(b"other")
        other.replace(place.path)

    file = place.send(place.upload(), seen=replaced)
    assert place.contents() == {file.id: CONTENT}


def test_an_end_that_something_on_the_way_repeats_is_no_refusal(place: Place) -> None:
    """The answer that arrives is to the second: that the upload is completed already."""
    with pytest.raises(FateUnknownError, match="is completed"):
        place.send(place.upload(), on("complete", Fault.TWICE, 1))
    (file,) = place.files()
    assert place.contents() == {file.id: CONTENT}


FAULTS = st.one_of(
    st.none(), st.tuples(st.sampled_from(["uploads", "parts", "complete"]), st.sampled_from(Fault), st.integers(1, 6))
)


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(size=st.integers(2, 300), part=st.integers(1, 120), at_once=st.integers(1, 5), fault=FAULTS)
def test_whatever_happens_once_the_next_attempt_ends_with_one_whole_file(
    tmp_path_factory: pytest.TempPathFactory, size: int, part: int, at_once: int, fault: Any
) -> None:
    """As apply does it: look for the name where the fate is unknown, upload where it is not there."""
    parts = PartSizes(above=1, size=max(part, -(-size // 40)), at_once=at_once)
    place = Place(tmp_path_factory.mktemp("parts"), parts)
    upload = place.upload((CONTENT * 2)[:size])
    plan = on(*fault) if fault else lambda *_: None
    try:
        place.send(upload, plan)
    except FateUnknownError:
        assert fault[0] == "complete"
    except ApiError:
        assert place.files() == []
    if not place.files():
        place.send(upload)
    (file,) = place.files()
    assert (file.filename, file.size) == (upload.filename, size)
    assert place.contents()[file.id] == (CONTENT * 2)[:size]
