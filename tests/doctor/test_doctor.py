"""The whole look: the real adapter, a real service in the vendor's place, and every way in which it can go wrong."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from rftplan.cli.boundary import main
from rftplan.doctor import About, Examined, Sign, State, examine
from rftplan.errors import RejectedError, UserError, Way
from rftplan.in_process import FAULTS
from rftplan.loading import Options
from rftplan.render.doctor_documents import doctor_document
from rftplan.render.doctor_text import doctor_text
from rftplan.render.documents import dumped
from rftplan.render.look import Look
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings
from rftplan.wiring import World
from tests.checking.test_online import KEY, SPRING, Vendor, refusal
from tests.world import SPEC, Small

AT_OPENAI = SPEC.replace("provider: local", "provider: openai")
JUDGE = """\
  match:
    type: score_model
    model: gpt-4o-2024-08-06
    input: [{role: user, content: "is {{sample.output_text}} {{item.answer}}?"}]
"""
SECONDS = 0.2


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Vendor]:
    app = create_app(default_settings(tmp_path / "vendor.sqlite", KEY))
    yield Vendor(app)
    close_app(app)


@pytest.fixture
def there(tmp_path: Path) -> Small:
    """A project at OpenAI."""
    (tmp_path / "project").mkdir()
    return Small.at(tmp_path / "project", spec=AT_OPENAI)


def examined(small: Small, world: World | None = None, **rest: Any) -> Examined:
    """What is found; whatever that is, no key is in it."""
    world = world or small.world
    found = asyncio.run(examine(replace(small.options, **rest), world, seconds=SECONDS))
    shown = dumped(doctor_document(found)) + doctor_text(doctor_document(found), Look())
    assert not [value for name, value in world.environ.items() if name.endswith("_KEY") and value in shown]
    return found


def sign(found: Examined, about: About, subject: str | None = None) -> Sign:
    (one,) = [one for one in found.signs if one.about is about and subject in (None, one.subject)]
    return one


def wrong(found: Examined) -> dict[str, str]:
    return {one.subject or one.about.value: one.found for one in found.signs if one.state is State.WRONG}


def files_in(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in root.rglob("*")}


def test_a_sound_project_is_found_sound_and_looking_makes_nothing(small: Small) -> None:
    before = files_in(small.root)
    found = examined(small)
    assert wrong(found) == {}
    assert {one.about for one in found.signs} == set(About) - {About.MODEL}
    assert files_in(small.root) == before


def test_a_project_that_was_applied_is_found_sound_and_nothing_changes(small: Small) -> None:
    small.train()
    before = {name: text for name, text in files_in(small.root).items() if "sqlite-" not in name}
    found = examined(small)
    assert wrong(found) == {}
    assert sign(found, About.MODEL).found.startswith("it is there; for deployment.reviewer")
    assert sign(found, About.PERMISSIONS).found.endswith(" has 0")
    assert sign(found, About.JOBS).found.endswith(", succeeded")
    assert {name: text for name, text in files_in(small.root).items() if "sqlite-" not in name} == before


def test_it_comes_where_there_is_no_project_too(tmp_path: Path, vendor: Vendor) -> None:
    found = asyncio.run(examine(Options(tmp_path, provider="openai"), vendor.world))
    assert (found.project, wrong(found)) == (None, {})
    assert sign(found, About.SPECS).state is State.NOT_ASKED
    with pytest.raises(UserError, match="not supported yet"):
        asyncio.run(examine(Options(tmp_path, provider="azure"), vendor.world))


def test_it_sends_nothing_but_reads_and_one_grader_to_validate(vendor: Vendor, there: Small) -> None:
    found = examined(there, vendor.world)
    assert sorted(vendor.paths) == [
        "GET /files",
        "GET /fine_tuning/jobs",
        "GET /models",
        "POST /fine_tuning/alpha/graders/validate",
    ]
    assert found.requests == 4
    assert wrong(found) == {}
    assert sign(found, About.LAUNCHING).state is State.UNKNOWN
    assert sign(found, About.CLOSING).found.startswith("new jobs until 2027-01-06")


def raising(error: Exception, cause: Exception | None = None) -> Callable[[Any], Any]:
    class Broken(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            raise error from cause

    return lambda _: Broken()


def hanging(_: Any) -> Any:
    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

    return Silent()


BROKEN = {
    Way.NAME: raising(httpx2.ConnectError("no name"), socket.gaierror(-2, "Name or service not known")),
    Way.REFUSED: raising(httpx2.ConnectError("all failed"), ConnectionRefusedError(111, "refused")),
    Way.TLS: raising(httpx2.ConnectError("bad"), ssl.SSLCertVerificationError("self-signed certificate")),
    Way.PROXY: raising(httpx2.ProxyError("407 Proxy Authentication Required")),
    Way.NETWORK: raising(httpx2.ConnectError("down"), OSError(101, "Network is unreachable")),
    Way.TIMEOUT: hanging,
    Way.LOST: raising(httpx2.ReadError("reset")),
}
TOLD = {
    Way.NAME: "there is no such host",
    Way.REFUSED: "nobody listens there",
    Way.TLS: "the encrypted connection cannot be trusted",
    Way.PROXY: "the proxy lets nothing through (HTTPS_PROXY is set)",
    Way.NETWORK: "there is no way to it",
    Way.TIMEOUT: "no answer in time",
    Way.LOST: "it was reached, and the connection broke",
}


@pytest.mark.parametrize("way", Way)
def test_each_break_on_the_way_is_told_apart_and_hides_nothing_of_the_machine(there: Small, way: Way) -> None:
    there.environ = {"OPENAI_API_KEY": KEY}
    if way is Way.PROXY:
        there.environ["HTTPS_PROXY"] = "http://user:secret@proxy:3128"
    there.clock.time, there.wrap = SPRING, BROKEN[way]
    found = examined(there)
    assert wrong(found).keys() == {"reachable"}
    assert wrong(found)["reachable"].startswith(TOLD[way])
    assert "secret" not in wrong(found)["reachable"]
    assert sign(found, About.REACHABLE).next
    assert sign(found, About.JOBS).found == "the service did not answer"
    assert sign(found, About.VERSIONS).state is State.OK


def test_a_base_url_without_v1_is_one_cause_with_the_url_to_write(vendor: Vendor, small: Small) -> None:
    small.edit("specs/main.yaml", "provider: local", "provider: {type: local, base_url: 'http://127.0.0.1:8321'}")
    small.environ, small.wrap = {"RFTPLAN_LOCAL_KEY": KEY}, lambda _network: vendor
    vendor.answers = {"": refusal(404, "Invalid URL (GET /somewhere)", "unknown_url")}
    found = examined(small)
    assert wrong(found).keys() == {"reachable"}
    assert wrong(found)["reachable"].startswith(
        "what answers there is not this API: could not list the jobs: Invalid URL"
    )
    assert sign(found, About.REACHABLE).next == "base_url does not end in /v1: write http://127.0.0.1:8321/v1"
    assert sign(found, About.JOBS).found == "what answers there is not this API"
    with pytest.raises(RejectedError) as stopped:
        small.plan()
    assert stopped.value.hint == sign(found, About.REACHABLE).next


@pytest.mark.parametrize(
    ("way", "scheme", "hint"),
    [
        (Way.REFUSED, "http", "is the local service running? `rftplan serve --port 8321` starts it there"),
        (Way.TIMEOUT, "http", "something listens on port 8321 and says nothing: look what it is"),
        (Way.TLS, "https", "the local service speaks http: write http://127.0.0.1:8321/v1"),
    ],
)
def test_what_keeps_the_local_service_from_answering_has_its_own_hint(
    small: Small, way: Way, scheme: str, hint: str
) -> None:
    at = f"provider: {{type: local, base_url: '{scheme}://127.0.0.1:8321/v1'}}"
    small.edit("specs/main.yaml", "provider: local", at)
    small.environ, small.wrap = {"RFTPLAN_LOCAL_KEY": KEY}, BROKEN[way]
    found = sign(examined(small), About.REACHABLE)
    assert found.next is not None and found.next.startswith(hint)


ANSWERS = {
    "what answers there is not this API": httpx2.Response(200, html="<html>Please log in</html>"),
    "it is reached, and fails": httpx2.Response(503, text="busy"),
}


@pytest.mark.parametrize("said", ANSWERS)
def test_an_answer_that_is_not_this_api_s_is_not_taken_for_it(vendor: Vendor, there: Small, said: str) -> None:
    vendor.answers = {"": ANSWERS[said]}
    found = examined(there, vendor.world)
    assert wrong(found).keys() == {"reachable"}
    assert wrong(found)["reachable"].startswith(said)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no key for provider openai"),
        ({"OPENAI_API_KEY": "sk with blanks"}, "the key of OPENAI_API_KEY holds characters that no key has"),
        ({"RFTPLAN_KEY_FILE": "keys/openai"}, "RFTPLAN_KEY_FILE must be an absolute path"),
        ({"RFTPLAN_KEY_COMMAND": "false"}, "the command of RFTPLAN_KEY_COMMAND ended with exit code 1"),
        ({"OPENAI_API_KEY": "sk-another-0123456789"}, "the one in OPENAI_API_KEY is refused"),
    ],
)
def test_each_fault_of_a_key_is_told_apart_and_the_service_is_looked_at_all_the_same(
    vendor: Vendor, there: Small, environ: dict[str, str], said: str
) -> None:
    found = examined(there, replace(vendor.world, environ=environ))
    assert wrong(found).keys() == {"key"}
    assert wrong(found)["key"].startswith(said)
    assert sign(found, About.REACHABLE).state is State.OK
    assert sign(found, About.JOBS).state is State.NOT_ASKED


def test_a_key_is_not_sent_to_a_host_that_may_not_have_it_and_neither_is_anything_else(
    vendor: Vendor, there: Small
) -> None:
    there.edit("specs/main.yaml", "provider: openai", "provider: {type: openai, base_url: 'https://example.org/v1'}")
    found = examined(there, vendor.world)
    assert wrong(found) == {"key": "a key may not be sent to https://example.org"}
    assert (vendor.paths, found.requests) == ([], 0)
    trusting = replace(vendor.world, environ={"OPENAI_API_KEY": KEY, "RFTPLAN_TRUSTED_HOSTS": "example.org"})
    assert wrong(examined(there, trusting)) == {}


def test_a_key_file_that_others_can_read_is_wrong(vendor: Vendor, there: Small, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(0o644)
    found = examined(there, replace(vendor.world, environ={"RFTPLAN_KEY_FILE": str(path)}))
    said = f"the one in RFTPLAN_KEY_FILE is accepted; other users of this machine can read it in {path}"
    assert wrong(found) == {"key": said}
    path.chmod(0o600)
    found = examined(there, replace(vendor.world, environ={"RFTPLAN_KEY_FILE": str(path)}))
    assert sign(found, About.KEY).found == "the one in RFTPLAN_KEY_FILE is accepted"


def test_a_key_of_another_organization_is_said_of_the_account(vendor: Vendor, there: Small) -> None:
    vendor.answers = {"": refusal(401, "The header should match the organization", "mismatched_organization")}
    assert wrong(examined(there, vendor.world)).keys() == {"account"}


def test_jobs_of_another_organization_are_said_of_the_account(vendor: Vendor, there: Small) -> None:
    there.edit("specs/main.yaml", "provider: openai", "provider: {type: openai, organization: org-mine}")
    jobs = {"data": [{"id": "ftjob-1", "organization_id": "org-theirs", "status": "running"}], "has_more": False}
    vendor.answers = {"/jobs": httpx2.Response(200, json=jobs)}
    assert wrong(examined(there, vendor.world)) == {
        "account": "organization org-mine is asked for, and the jobs that are listed belong to org-theirs"
    }


def test_a_lock_of_another_account_is_said_of_the_account(vendor: Vendor, small: Small) -> None:
    small.apply()
    found = examined(small, vendor.world, provider="openai")
    assert wrong(found)["account"].startswith("rftplan.lock belongs to another account")


def test_an_organization_that_is_locked_out_is_told_where_the_service_says_so(vendor: Vendor, there: Small) -> None:
    vendor.answers = {"/jobs": refusal(403, "is no longer able to create new jobs", "training_not_available")}
    assert set(wrong(examined(there, vendor.world))) == {"launching", "jobs"}


def test_who_may_launch_is_unknown_until_a_launch_and_nobody_may_from_the_last_day_on(
    vendor: Vendor, there: Small
) -> None:
    there.edit("specs/main.yaml", "    model: o4-mini-2025-04-16", "    model: gpt-5")
    vendor.lacks = {"another"}
    vendor.now = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    launching = sign(examined(there, vendor.world), About.LAUNCHING)
    assert launching.state is State.UNKNOWN
    assert "this key sees no job that was ever launched" in launching.found
    vendor.now = datetime(2027, 1, 6, tzinfo=UTC).timestamp()
    assert wrong(examined(there, vendor.world))["launching"].startswith("nobody may, since 2027-01-06")


def test_a_model_that_the_local_service_retires_is_listed_and_one_that_stays_is_not(small: Small) -> None:
    small.environ[FAULTS] = "retired model=o4-mini*"
    found = examined(small)
    said = "shut down since 2027-01-15 (provider local says so); for job.review"
    assert wrong(found) == {"o4-mini-2025-04-16": said}
    small.environ[FAULTS] = "retired model=o4-mini date=2027-02-01"
    assert (
        "until 2027-02-01 (provider local says so), 17 days; for job.review" in sign(examined(small), About.MODEL).found
    )
    small.environ[FAULTS] = "retired model=gpt*"
    head, rest = SPEC.split("  match:\n")
    small.write("specs/main.yaml", head + JUDGE + rest[rest.index("jobs:") :])
    assert [one for one in examined(small).signs if one.about is About.MODEL] == []


def test_models_are_there_or_gone_or_going(vendor: Vendor, there: Small) -> None:
    model = "o4-mini-2025-04-16"
    assert sign(examined(there, vendor.world), About.MODEL, model).found.startswith("it is there, until 2026-10-23")
    vendor.closes = {model: "2026-03-01"}
    assert wrong(examined(there, vendor.world))[model].startswith("shut down since 2026-03-01 (provider openai says")
    vendor.closes, vendor.lacks = {}, {model}
    assert wrong(examined(there, vendor.world))[model].startswith("provider openai has none")
    vendor.lacks, vendor.unlisted = set(), {model}
    assert sign(examined(there, vendor.world), About.MODEL, model).state is State.OK


@pytest.mark.parametrize(
    ("path", "about"), [("/files", "files"), ("/models", "models"), ("/validate", "graders"), ("/jobs", "jobs")]
)
def test_one_look_that_fails_hides_no_other(vendor: Vendor, there: Small, path: str, about: str) -> None:
    vendor.answers = {path: refusal(403, f"The key {KEY} may not do this", "insufficient_permissions")}
    found = examined(there, vendor.world)
    assert wrong(found).keys() == {about}
    assert "insufficient_permissions" in wrong(found)[about]
    vendor.answers = {path: refusal(429, "slow down", "slow_down")}
    assert sign(examined(there, vendor.world), About(about)).state is State.UNKNOWN


def test_permissions_are_asked_with_the_admin_key_where_there_is_one(vendor: Vendor, there: Small) -> None:
    there.edit("specs/main.yaml", "    gates:", "    projects: [proj_a]\n    gates:")
    tuned = {"id": "ft:o4-mini:acme::1", "object": "model", "created": 1, "owned_by": "acme"}
    vendor.answers = {"/models": httpx2.Response(200, json={"object": "list", "data": [tuned]})}
    assert (
        "OPENAI_ADMIN_KEY is not set; deployment.reviewer needs them"
        in wrong(examined(there, vendor.world))["permissions"]
    )
    granted = {"data": [{"id": "cp_1", "project_id": "proj_a", "created_at": 1}], "has_more": False}
    vendor.answers |= {"/permissions": httpx2.Response(200, json=granted)}
    world = replace(vendor.world, environ={"OPENAI_API_KEY": KEY, "OPENAI_ADMIN_KEY": "sk-admin-0123456789"})
    assert sign(examined(there, world), About.PERMISSIONS).found == "ft:o4-mini:acme::1 has 1"
    bad = replace(vendor.world, environ={"OPENAI_API_KEY": KEY, "OPENAI_ADMIN_KEY": "two words"})
    assert wrong(examined(there, bad))["permissions"].startswith("the key of OPENAI_ADMIN_KEY holds characters")


@pytest.mark.parametrize(("minutes", "said"), [(10, "behind"), (-10, "ahead of"), (0, None)])
def test_a_clock_that_is_wrong_is_seen_from_the_services_answers(
    vendor: Vendor, there: Small, minutes: int, said: str | None
) -> None:
    served = datetime.fromtimestamp(SPRING, UTC) + timedelta(minutes=minutes)
    page = {"object": "list", "data": [], "has_more": False}
    vendor.answers = {"/files": httpx2.Response(200, json=page, headers={"date": format_datetime(served, usegmt=True)})}
    found = sign(examined(there, vendor.world), About.CLOCK)
    assert found.state is (State.OK if said is None else State.WRONG)
    assert said is None or f"s {said} the service" in found.found


def test_a_store_that_cannot_be_opened_is_wrong_and_the_rest_is_looked_at(small: Small) -> None:
    small.write(".rftplan/local/service.sqlite", "my thesis, and no database at all" * 100)
    found = examined(small)
    assert wrong(found).keys() == {"store"}
    assert sign(found, About.JOBS).found == "the local service does not start"


def test_specs_that_are_wrong_keep_nobody_from_looking(vendor: Vendor, there: Small) -> None:
    there.edit("specs/main.yaml", "jobs:", "jbos:")
    found = examined(there, vendor.world)
    assert wrong(found)["specs"].startswith("specs/main.yaml:")
    assert sign(found, About.KEY).state is State.OK


def test_the_command_ends_with_1_where_something_is_wrong(
    small: Small, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["-C", str(small.root), "doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and document["summary"]["wrong"] == 0
    small.write("rftplan.lock", "{")
    assert main(["-C", str(small.root), "doctor"]) == 1
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1].startswith("1 wrong: lock. Besides: ")
