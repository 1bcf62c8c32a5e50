"""Who is let in, and what every reply carries."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest

from rftplan.server.trainer import TrainingRun, Trajectory

from .conftest import KEY, TrivialTrainer, World, rft_body

pytestmark = pytest.mark.anyio
ROUTES = [
    ("GET", "/files"),
    ("POST", "/files"),
    ("DELETE", "/files/file-1"),
    ("POST", "/fine_tuning/jobs"),
    ("GET", "/models"),
    ("GET", "/local/faults"),
    ("POST", "/local/faults"),
    ("DELETE", "/local/faults"),
    ("DELETE", "/local/faults/fault_1"),
    ("GET", "/local/clock"),
    ("POST", "/local/clock"),
    ("GET", "/nothing/here"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_asks_for_the_key(world: World, method: str, path: str) -> None:
    async with world.http(authorization="") as http:
        reply = await http.request(method, path)
    assert reply.status_code == 401
    assert reply.json()["error"]["type"] == "invalid_request_error"


async def test_a_wrong_key_is_refused_and_not_repeated(world: World) -> None:
    async with world.http(authorization="Bearer sk-wrong-one") as http:
        reply = await http.get("/models")
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"
    assert "sk-wrong" not in reply.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:80", "[::1]:9000", "LOCAL"])
async def test_loopback_hosts_are_served(world: World, host: str) -> None:
    async with world.http(host=host) as http:
        assert (await http.get("/files")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "[::2]", "", "127.0.0.1.nip.io:80"])
async def test_other_hosts_are_refused_even_with_the_key(world: World, host: str) -> None:
    async with world.http(host=host) as http:
        refused = await http.get("/files")
    assert refused.status_code == 403
    assert ": 127.0.0.1, [::1], local" in refused.json()["error"]["message"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000"])
async def test_foreign_origins_are_refused(world: World, origin: str) -> None:
    async with world.http(host="localhost:8080", origin=origin) as http:
        reply = await http.get("/files")
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers


async def test_the_own_origin_is_served(world: World) -> None:
    async with world.http(host="localhost:8080", origin="http://localhost:8080") as http:
        assert (await http.get("/files")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/files", 405),
        ("GET", "/files/", 404),
        ("GET", "/files/file-0", 404),
    ],
)
async def test_every_error_is_an_envelope_with_a_request_id(
    http: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    reply = await http.request(method, path)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    assert reply.headers["x-request-id"].startswith("req_")


async def test_a_bug_is_an_envelope_too(make_world: Callable[..., World]) -> None:
    class BrokenTrainer(TrivialTrainer):
        def train(self, run: TrainingRun) -> Trajectory:
            raise ZeroDivisionError

    world = make_world(trainer=BrokenTrainer())
    async with world.sdk() as sdk:
        body = await rft_body(sdk)
    transport = httpx2.ASGITransport(app=world.app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://local/v1", headers=headers) as http:
        reply = await http.post("/fine_tuning/jobs", json=body)
        jobs = await http.get("/fine_tuning/jobs")
    assert reply.status_code == 500
    assert reply.json()["error"]["type"] == "server_error"
    assert reply.headers["x-request-id"]
    assert jobs.json()["data"] == []
