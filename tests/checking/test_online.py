"""What the service is asked before a launch, and what becomes of its answers: the real adapter and a real service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.address import Address
from rftplan.amending.holds import release
from rftplan.api.profiles import Capability, profile
from rftplan.checking.online import OnlineCheck, check_project, check_request
from rftplan.checking.request import RequestFiles
from rftplan.checking.request import check_request as check_offline
from rftplan.checking.samples import first_rows
from rftplan.checks.answers import GRADER_FAILS, GRADER_REFUSED
from rftplan.checks.models import BASE_CLOSING, PROMOTED_GONE, UNKNOWN_MODEL
from rftplan.codes import DATES_UNKNOWN, NOT_ASKED
from rftplan.config.request import DataNames
from rftplan.errors import ApiError, CredentialError, Diagnostic, LockError, SpecError
from rftplan.in_process import FAULTS
from rftplan.loading import load
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings
from rftplan.wiring import World
from tests.config.test_request import BODY, MATCH
from tests.findings import line_of, lines_of
from tests.world import Clock, Small, rows

KEY = "sk-online-0123456789abcdef"
SPRING = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
"""Nothing in the table closes within thirty days."""


@dataclass
class Vendor:
    """The local service in the vendor's place, which says more of its models. `lacks` are those that it does not
    have, `unlisted` those that it has and does not list; `answers` go out in place of its own, by path, and `turns`
    once each."""

    app: Any
    closes: dict[str, str] = field(default_factory=dict)
    lacks: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    answers: dict[str, httpx2.Response] = field(default_factory=dict)
    turns: dict[str, list[httpx2.Response]] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    now: float = SPRING

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/v1")
        self.paths.append(f"{request.method} {path}")
        for name, turns in self.turns.items():
            if path.endswith(name) and turns:
                return turns.pop(0)
        for name, answer in self.answers.items():
            if path.endswith(name):
                return answer
        if any(path == f"/models/{model}" for model in self.lacks):
            return refusal(404, "The model does not exist", "model_not_found")
        request.headers["host"] = "localhost"
        response = await httpx2.ASGITransport(app=self.app).handle_async_request(request)
        if not path.startswith("/models"):
            return response
        body = json.loads(await response.aread())
        if "data" in body:
            body["data"] = [model for model in body["data"] if model["id"] not in self.lacks | self.unlisted]
        for model in body.get("data", [body]):
            model["shutdown_date"] = self.closes.get(model.get("id"))
        return httpx2.Response(response.status_code, json=body)

    async def aclose(self) -> None: ...

    @property
    def world(self) -> World:
        async def sleep(_: float) -> None: ...

        return World(
            environ={"OPENAI_API_KEY": KEY}, now=lambda: self.now, sleep=sleep, new_id=lambda: "id", wrap=lambda _: self
        )


def refusal(status: int, message: str, code: str | None = None) -> httpx2.Response:
    return httpx2.Response(
        status, json={"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    )


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Vendor]:
    app = create_app(default_settings(tmp_path / "vendor.sqlite", KEY))
    yield Vendor(app)
    close_app(app)


def asked(
    vendor: Vendor, tmp_path: Path, grader: dict[str, Any], *, train: str = rows(5), provider: str | None = None
) -> OnlineCheck:
    body = {**BODY, "method": {"type": "reinforcement", "reinforcement": {"grader": grader}}}
    (tmp_path / "job.json").write_text(json.dumps(body))
    (tmp_path / "t.jsonl").write_text(train)
    files = RequestFiles(str(tmp_path / "job.json"), DataNames(str(tmp_path / "t.jsonl")))
    found = check_offline(files, provider=provider, today=lambda: vendor.world.today())
    return asyncio.run(check_request(found, vendor.world))


ANSWERED = {**MATCH, "reference": "{{item.answer}}"}


def test_a_good_grader_is_validated_and_run_on_a_few_rows(vendor: Vendor, tmp_path: Path) -> None:
    found = asked(vendor, tmp_path, ANSWERED)
    assert lines_of(found.diagnostics) == []
    assert (found.asked.graders, found.asked.runs, found.asked.models, found.requests) == (1, 3, 1, 5)
    assert sorted(vendor.paths) == [
        "GET /models",
        *["POST /fine_tuning/alpha/graders/run"] * 3,
        "POST /fine_tuning/alpha/graders/validate",
    ]
    assert all(trial.right and trial.errors == {} for trial in found.asked.told.trials)


def test_what_the_service_refuses_is_told_in_its_words_and_not_run(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["/validate"] = refusal(400, "Invalid grader: no")
    found = asked(vendor, tmp_path, ANSWERED)
    (line,) = lines_of(found.diagnostics)
    assert line.startswith(f"{GRADER_REFUSED.code} {tmp_path}/job.json:1:")
    assert "could not validate the grader: Invalid grader: no" in line
    assert found.asked.runs == 0


def test_a_run_with_an_error_flag_is_an_error_although_the_answer_is_200(vendor: Vendor, tmp_path: Path) -> None:
    errors = {"model_grader_server_error": True, "model_grader_server_error_details": "no such model", "other": False}
    vendor.answers["/run"] = httpx2.Response(200, json={"reward": 0, "metadata": {"errors": errors}})
    found = asked(vendor, tmp_path, ANSWERED)
    (line,) = lines_of(found.diagnostics)
    assert line.startswith(f"{GRADER_FAILS.code} ")
    assert (
        f"model_grader_server_error for 3 of 3 rows, first for its right answer at {tmp_path}/t.jsonl:1:1: no such "
        "model; the service answers it with reward 0 | try again later"
    ) in line


def test_an_answer_that_was_made_up_may_be_no_json(vendor: Vendor, tmp_path: Path) -> None:
    errors = {"sample_parse_error": True}
    vendor.answers["/run"] = httpx2.Response(200, json={"reward": 0, "metadata": {"errors": errors}})
    judged = {**MATCH, "operation": "ne", "reference": "{{item.answer}}"}
    found = asked(vendor, tmp_path, judged)
    assert [trial.right for trial in found.asked.told.trials] == [False] * 3
    assert lines_of(found.diagnostics) == []
    assert [d.code for d in asked(vendor, tmp_path, ANSWERED).diagnostics] == [GRADER_FAILS.code]


def test_a_run_that_is_refused_is_told_too(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["/run"] = refusal(400, "item is too large")
    (found,) = asked(vendor, tmp_path, ANSWERED).diagnostics
    assert found.code == GRADER_FAILS.code
    assert "refused for 3 of 3 rows" in found.detail and "item is too large" in found.detail


def test_a_grader_with_errors_of_its_own_is_not_run(vendor: Vendor, tmp_path: Path) -> None:
    found = asked(vendor, tmp_path, {**MATCH, "reference": "{{item.missing}}"})
    assert [d.code for d in found.diagnostics] == ["G103"]
    assert found.asked.unasked == ("how graders score, until the errors above are mended",)
    assert found.asked.graders == 1


def test_the_services_own_day_counts_and_is_said_once(vendor: Vendor, tmp_path: Path) -> None:
    vendor.closes = {"o4-mini-2025-04-16": "2026-03-20"}
    (found,) = asked(vendor, tmp_path, ANSWERED).diagnostics
    assert (found.code, found.detail) == (
        BASE_CLOSING.code,
        "o4-mini-2025-04-16 shuts down on 2026-03-20 (provider openai says so), in 19 days, and what was trained "
        "from it with it",
    )
    vendor.closes = {"o4-mini-2025-04-16": "2026-02-20"}
    assert [d.code for d in asked(vendor, tmp_path, ANSWERED).diagnostics] == ["M101"]
    vendor.now = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    vendor.closes = {}
    assert [d.code for d in asked(vendor, tmp_path, ANSWERED).diagnostics] == ["M101"]


JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-2025-04-14",
    "input": [{"role": "user", "content": "{{sample.output_text}} or {{item.answer}}"}],
}


def test_a_model_that_is_not_there_is_told_and_one_that_is_only_not_listed_is_not(
    vendor: Vendor, tmp_path: Path
) -> None:
    vendor.unlisted = {"gpt-4.1-2025-04-14"}
    assert lines_of(asked(vendor, tmp_path, JUDGE).diagnostics) == []
    vendor.lacks = {"gpt-4.1-2025-04-14"}
    (found,) = asked(vendor, tmp_path, JUDGE).diagnostics
    assert (found.code, found.detail) == (
        UNKNOWN_MODEL.code,
        "provider openai has no gpt-4.1-2025-04-14, or none that this key may use",
    )


def unanswered(check: OnlineCheck) -> Diagnostic:
    """The finding that says why nothing more was asked; what files show is there all the same."""
    assert check.asked.graders == 0
    assert {found.code for found in check.diagnostics} >= {NOT_ASKED.code, "D226"}
    (found,) = (found for found in check.diagnostics if found.code == NOT_ASKED.code)
    return found


def test_a_service_that_does_not_answer_is_a_finding_beside_what_files_show(vendor: Vendor, tmp_path: Path) -> None:
    vendor.answers["/validate"] = refusal(403, "You cannot", "training_not_available")
    found = unanswered(asked(vendor, tmp_path, ANSWERED, train=rows(3) * 2))
    assert "You cannot" in found.detail and "can launch no job any more" in str(found.hint)
    vendor.answers["/validate"] = httpx2.Response(500, headers={"x-should-retry": "false"})
    assert "could not validate the grader" in unanswered(asked(vendor, tmp_path, ANSWERED, train=rows(3) * 2)).detail


def test_a_grader_alone_is_not_called_valid_where_nobody_was_asked(tmp_path: Path, vendor: Vendor) -> None:
    vendor.answers["/validate"] = refusal(403, "You cannot", "insufficient_permissions")
    (tmp_path / "grader.json").write_text(json.dumps(ANSWERED))
    (tmp_path / "t.jsonl").write_text(rows(5))
    files = RequestFiles(str(tmp_path / "grader.json"), DataNames(str(tmp_path / "t.jsonl")))
    found = asyncio.run(check_request(check_offline(files), vendor.world))
    assert [one.code for one in found.diagnostics] == [NOT_ASKED.code]


def test_python_is_not_run_on_this_machine_by_asking_the_service_in_this_process(small: Small) -> None:
    small.edit("specs/main.yaml", 'type: string_check\n    input: "{{sample.output_text}}"\n', "type: python\n")
    text = (small.root / "specs/main.yaml").read_text()
    start, end = text.index("    type: python"), text.index("jobs:")
    source = "    type: python\n    source: 'def grade(sample, item): return 1 / 0'\n"
    (small.root / "specs/main.yaml").write_text(text[:start] + source + text[end:])
    online = project(small)
    assert (online.asked.graders, online.asked.runs) == (1, 0)
    assert any("Python graders" in said for said in online.asked.unasked)


def test_without_a_key_nothing_is_asked(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vendor, "world", property(lambda self: World({}, lambda: SPRING, None, lambda: "", wrap=None)))
    assert "OPENAI_API_KEY" in unanswered(asked(vendor, tmp_path, ANSWERED, train=rows(3) * 2)).detail
    assert vendor.paths == []


def test_what_was_learnt_before_a_failure_is_kept(vendor: Vendor, tmp_path: Path) -> None:
    vendor.closes = {"o4-mini-2025-04-16": "2026-03-20"}
    vendor.answers["/validate"] = refusal(400, "Invalid grader: no")
    vendor.lacks = {"gpt-4.1-2025-04-14"}
    vendor.answers["/models/gpt-4.1-2025-04-14"] = refusal(403, "You may not look", "insufficient_permissions")
    found = asked(vendor, tmp_path, JUDGE)
    assert {d.code for d in found.diagnostics} == {BASE_CLOSING.code, NOT_ASKED.code}
    assert (found.requests, found.asked.models, found.asked.graders) == (2, 1, 0)
    del vendor.answers["/models/gpt-4.1-2025-04-14"]
    two = {**ANSWERED, "type": "multi", "graders": {"a": {**ANSWERED, "name": "a"}}, "calculate_output": "a"}
    vendor.lacks, vendor.answers = set(), {"/run": refusal(403, "You may not run graders")}
    found = asked(vendor, tmp_path, {key: two[key] for key in ("type", "name", "graders", "calculate_output")})
    assert {d.code for d in found.diagnostics} == {BASE_CLOSING.code, NOT_ASKED.code}
    assert (found.asked.models, found.asked.graders, found.asked.runs) == (1, 1, 0)
    assert found.requests == len([path for path in vendor.paths if "run" in path]) + 2


def test_a_refusal_that_came_before_a_failure_is_told(small: Small, vendor: Vendor) -> None:
    hosted(small, vendor)
    second = "  second: {type: string_check, input: a, operation: eq, reference: '{{item.answer}}'}\njobs:\n"
    small.edit("specs/main.yaml", "jobs:\n", second)
    refused = [refusal(400, "Invalid grader: no"), refusal(403, "You cannot", "insufficient_permissions")]
    vendor.turns["/validate"] = refused
    found = project(small)
    assert {d.code for d in found.diagnostics} >= {GRADER_REFUSED.code, NOT_ASKED.code}
    assert (found.asked.graders, found.requests) == (1, 3)


CALLED = {
    "type": "string_check",
    "name": "called",
    "operation": "eq",
    "input": "{{sample.output_tools[0].function.name}}",
    "reference": "{{item.answer}}",
}
WITH_TOOL = "".join(
    json.dumps({**json.loads(line), "tools": [{"type": "function", "function": {"name": "add"}}]}) + "\n"
    for line in rows(5).splitlines()
)


def test_a_grader_of_calls_is_said_not_to_be_tried(vendor: Vendor, tmp_path: Path) -> None:
    found = asked(vendor, tmp_path, CALLED, train=WITH_TOOL)
    assert (found.asked.graders, found.asked.runs) == (1, 0)
    (said,) = found.asked.unasked
    assert said.startswith("how job.") and "scores answers that call tools" in said


def test_beside_a_grader_of_calls_the_other_members_are_tried(vendor: Vendor, tmp_path: Path) -> None:
    members = {"called": CALLED, "match": ANSWERED}
    multi = {"type": "multi", "name": "both", "graders": members, "calculate_output": "called + match"}
    found = asked(vendor, tmp_path, multi, train=WITH_TOOL)
    assert found.asked.runs == 3 and len(found.asked.unasked) == 1
    assert not any(trial.right for trial in found.asked.told.trials)
    assert all("invalid_variable_error" in trial.errors for trial in found.asked.told.trials)
    assert GRADER_FAILS.code not in {d.code for d in found.diagnostics}


def test_the_local_service_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = Small(tmp_path, clock=Clock(SPRING))
    (tmp_path / "g.json").write_text(json.dumps(ANSWERED))
    (tmp_path / "t.jsonl").write_text(rows(2))
    found = check_offline(RequestFiles("g.json", DataNames("t.jsonl")), provider="local")
    online = asyncio.run(check_request(found, small.world))
    assert (online.diagnostics, online.asked.runs, online.asked.models) == ((), 2, 0)
    assert online.asked.unasked == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.json", "t.jsonl"]
    assert profile("local").can(Capability.GRADER_RUN)
    assert profile("local").can(Capability.SHUTDOWN_DATES) and profile("local").can(Capability.ANY_MODEL)


def test_the_local_service_names_the_days_of_its_models_and_misses_none(small: Small) -> None:
    small.environ[FAULTS] = "retired model=o4-mini*"
    assert "M101" in [one.code for one in project(small).diagnostics]
    small.edit("specs/main.yaml", "model: o4-mini-2025-04-16", "model: my-own-7b")
    assert [one.code for one in project(small).diagnostics if one.code.startswith("M")] == []
    small.edit("specs/main.yaml", "model: my-own-7b", "model: 'ft:o4-mini-2025-04-16:local::gone'")
    assert [one.code for one in project(small).diagnostics if one.code.startswith("M")] == ["M109"]


def project(small: Small) -> OnlineCheck:
    return asyncio.run(check_project(load(small.options), small.world))


def test_a_project_asks_its_own_service(small: Small) -> None:
    found = project(small)
    assert (lines_of(found.diagnostics), found.asked.graders, found.asked.runs) == ([], 1, 3)


def test_a_promoted_model_that_somebody_deleted_is_told(small: Small) -> None:
    small.train()
    assert lines_of(project(small).diagnostics) == []
    model = small.status()["deployment.reviewer"].id

    async def delete(port: Any) -> None:
        await port._client.models.delete(model)

    small.service(delete)
    (found,) = project(small).diagnostics
    assert (found.code, found.address) == (PROMOTED_GONE.code, "deployment.reviewer")
    assert f"{model} gets an error: provider local does not have it any more" in line_of(found)


def test_a_lock_of_another_account_asks_nothing(small: Small) -> None:
    small.train()
    small.edit("specs/main.yaml", "provider: local", "provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}")
    with pytest.raises(LockError):
        project(small)


def hosted(small: Small, vendor: Vendor) -> Small:
    """The project at the vendor's own host, which the local service answers for."""
    small.edit("specs/main.yaml", "provider: local", "provider: openai")
    small.environ["OPENAI_API_KEY"] = KEY
    small.wrap = lambda _: vendor
    small.clock.time = vendor.now
    return small


def test_a_plan_knows_the_days_that_the_service_names(small: Small, vendor: Vendor) -> None:
    hosted(small, vendor)
    assert small.plan().diagnostics == ()
    assert vendor.paths.count("GET /models") == 1
    vendor.closes = {"o4-mini-2025-04-16": "2026-03-20"}
    assert [d.code for d in small.plan().diagnostics] == [BASE_CLOSING.code]
    vendor.closes = {"o4-mini-2025-04-16": "2026-02-20"}
    with pytest.raises(SpecError) as caught:
        small.plan()
    assert [d.code for d in caught.value.diagnostics] == ["M101"]


def test_a_plan_goes_by_our_own_dates_where_the_service_tells_none(small: Small, vendor: Vendor) -> None:
    hosted(small, vendor)
    vendor.answers["/models"] = refusal(403, "You cannot list models", "insufficient_permissions")
    (found,) = small.plan().diagnostics
    assert (found.code, found.severity) == (DATES_UNKNOWN.code, "warning")


AUTUMN = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
"""The table says of o4-mini that it is gone."""


def test_a_later_day_that_the_service_names_takes_back_what_our_table_says(small: Small, vendor: Vendor) -> None:
    vendor.now, vendor.closes = AUTUMN, {"o4-mini-2025-04-16": "2027-03-01"}
    hosted(small, vendor)
    assert small.verbs()["job.review"] == "create launch"
    assert [d.code for d in small.plan().diagnostics] == ["M107"]
    assert small.status()["job.review"].state == "not launched"
    applied = small.apply(consent=lambda plan: not plan.hazards())
    assert applied is None, "it was planned, and asked about"


def test_without_a_day_of_the_service_our_table_stops_whatever_would_launch(small: Small, vendor: Vendor) -> None:
    vendor.now = AUTUMN
    hosted(small, vendor)
    for command in (small.plan, small.apply, small.status, lambda: released(small)):
        with pytest.raises(SpecError) as caught:
            command()
        assert [d.code for d in caught.value.diagnostics] == ["M101"]
    vendor.answers["/models"] = refusal(403, "You cannot list models", "insufficient_permissions")
    with pytest.raises(SpecError) as caught:
        small.plan()
    assert {d.code for d in caught.value.diagnostics} == {"M101", DATES_UNKNOWN.code}
    assert {"GET /models"} == set(vendor.paths)


def released(small: Small) -> None:
    asyncio.run(release(small.options, Address("job", "review"), world=small.world))


def test_a_release_goes_by_the_day_of_the_service_too(small: Small, vendor: Vendor) -> None:
    vendor.now, vendor.closes = AUTUMN, {"o4-mini-2025-04-16": "2027-03-01"}
    hosted(small, vendor)
    released(small)
    assert vendor.paths[0] == "GET /models"


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_service_that_refuses_hides_nothing_of_what_files_show(small: Small, vendor: Vendor, command: str) -> None:
    hosted(small, vendor)
    small.write("specs/data/train.jsonl", rows(3) * 4)
    vendor.answers[""] = refusal(401, "Incorrect API key provided", "invalid_api_key")
    with pytest.raises(ApiError) as refused:
        getattr(small, command)()
    assert [d.code for d in refused.value.diagnostics] == ["D226"]
    del small.environ["OPENAI_API_KEY"]
    with pytest.raises(CredentialError) as unknown:
        getattr(small, command)()
    assert [d.code for d in unknown.value.diagnostics] == ["D226"]


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_what_the_service_took_back_is_not_told_when_it_fails_later(small: Small, vendor: Vendor, command: str) -> None:
    vendor.now, vendor.closes = AUTUMN, {"o4-mini-2025-04-16": "2027-03-01"}
    hosted(small, vendor)
    vendor.answers["/files"] = refusal(403, "no files", "insufficient_permissions")
    with pytest.raises(ApiError) as refused:
        getattr(small, command)()
    assert [d.code for d in refused.value.diagnostics] == ["M107"]


def test_a_plan_is_of_the_worlds_day(small: Small, vendor: Vendor) -> None:
    vendor.now = datetime(2027, 2, 1, tzinfo=UTC).timestamp()
    with pytest.raises(SpecError) as caught:
        hosted(small, vendor).plan()
    assert {d.code for d in caught.value.diagnostics} == {"M101", "M105"}


def test_the_first_good_rows_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n[]\nnot json\n{"a": 2}\n{"a": 3}')
    assert first_rows(path, 2) == [(1, {"a": 1}), (5, {"a": 2})]
    assert first_rows(path, 9) == [(1, {"a": 1}), (5, {"a": 2}), (6, {"a": 3})]
    assert first_rows(tmp_path / "gone", 2) == []
    path.write_text(json.dumps({"a": "x" * 2_000_000}))
    assert first_rows(path, 2) == []
