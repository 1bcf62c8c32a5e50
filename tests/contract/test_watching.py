"""Nothing escapes: whatever a service says outside the contract is seen, and said so that it can be mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.contract import Contract
from tests.contract.document import own_document
from tests.contract.exchange import Exchange
from tests.contract.watching import Watch

_OF = ("requests", "tokens", "project-tokens")
HEADERS = {
    "content-type": "application/json",
    "x-request-id": "req_1",
    "openai-organization": "org-local",
    "openai-version": "2020-10-01",
    "openai-processing-ms": "3",
    **{f"x-ratelimit-{what}-{of}": "10" for what in ("limit", "remaining") for of in _OF},
    **{f"x-ratelimit-reset-{of}": "6m0s" for of in _OF},
}
MODEL = {"id": "o1", "object": "model", "created": 0, "owned_by": "system", "shutdown_date": None}
REFUSED = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}


def exchange(body: Any = MODEL, **changes: Any) -> Exchange:
    """A good one, with changes."""
    good = Exchange("GET", "/v1/models/o1", (), "", b"", 200, HEADERS, json.dumps(body).encode())
    return replace(good, **changes)


def problems(one: Exchange) -> list[str]:
    watch = Watch(Contract(own_document()))
    watch.see(one)
    return watch.take()


def test_a_good_exchange_is_counted_and_nothing_else() -> None:
    watch = Watch(Contract(own_document()))
    watch.see(exchange())
    assert (watch.take(), dict(watch.counts)) == ([], {("getModel", 200): 1})


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (exchange({**MODEL, "created": "today"}), "$.created: 'today' is not of type 'integer'"),
        (exchange({**MODEL, "permission": []}), "'permission' was unexpected"),
        (exchange(REFUSED, status=418), "the document has no reply of this status: add it to GET /v1/models/{model}"),
        (exchange({"error": "No."}, status=404), "$.error: 'No.' is not of type 'object'"),
        (exchange(headers={**HEADERS, "content-type": "text/html"}), "a reply of type 'text/html'"),
        (exchange(headers={**HEADERS, "x-request-id": ""}), "header x-request-id"),
        (exchange(headers={"content-type": "application/json"}), "no header openai-version"),
        (exchange(query=[("verbose", "1")]), "accepted a query parameter that is not its own: verbose"),
        (exchange(path="/v1/moderations"), "no operation for it: add it to a file in contract/operations/"),
        (exchange({"error": "?"}, path="/v1/moderations", status=404), "$.error: '?' is not of type 'object'"),
    ],
)
def test_what_is_outside_the_contract_is_named(bad: Exchange, said: str) -> None:
    assert any(said in problem for problem in problems(bad)), problems(bad)


def test_a_request_outside_its_schema_may_be_refused_and_not_accepted() -> None:
    body = json.dumps({"project_ids": []}).encode()
    path = "/v1/fine_tuning/checkpoints/ft:a:b:c:d/permissions"
    sent = exchange(REFUSED, method="POST", path=path, request_body=body, status=400)
    assert problems(sent) == []
    page = {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
    (problem,) = problems(replace(sent, status=200, body=json.dumps(page).encode()))
    assert "accepted a body: $.project_ids: [] should be non-empty" in problem


def test_the_fields_of_a_form_are_checked() -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\npoetry\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{}\r\n--b--\r\n'
    )
    file: dict[str, Any] = {"object": "file", "id": "file-1", "purpose": "evals", "filename": "a", "bytes": 2}
    file |= {"created_at": 0, "expires_at": None, "status": "processed", "status_details": None}
    sent = exchange(file, method="POST", path="/v1/files", request_type="multipart/form-data; boundary=b")
    (problem,) = problems(replace(sent, request_body=form))
    assert "accepted a form: $.purpose: 'poetry' is not one of" in problem


async def _talk(app: Callable[..., Any]) -> list[str]:
    watch = Watch(Contract(own_document()))
    transport = httpx2.ASGITransport(app=watch.watched(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://local") as client:
        await client.get("/v1/models/o1?x=1")
    return watch.take()


@pytest.mark.anyio
async def test_an_application_is_seen_from_outside_of_all_its_layers() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"id":', "more_body": True})
        await send({"type": "http.response.body", "body": b'"o1"}'})

    found = await _talk(app)
    assert [problem.partition(": ")[2] for problem in found] == [
        "$: 'object' is a required property",
        "accepted a query parameter that is not its own: x",
    ]


def test_every_exchange_of_a_test_run_is_under_the_contract(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a project of its own: a service with a route that no contract knows."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest('pytest_plugins = ("tests.contract.plugin",)')
    pytester.makepyfile(
        """
        import pytest
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse
        from starlette.routing import Route
        from starlette.testclient import TestClient

        def test_a_new_route():
            app = Starlette(routes=[Route("/v1/moderations", lambda request: JSONResponse({}))])
            TestClient(app).get("/v1/moderations")

        def test_no_service():
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GET /v1/moderations (200): no operation for it*"])
