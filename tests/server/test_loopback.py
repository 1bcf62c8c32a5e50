"""The service as another process's client meets it: over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import openai
import pytest
import uvicorn

from .conftest import KEY, World, create_job, rft_rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def port(world: World) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(world.app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


async def test_the_sdk_speaks_to_it_over_loopback(world: World, port: int) -> None:
    client = openai.AsyncOpenAI(api_key=KEY, base_url=f"http://localhost:{port}/v1", max_retries=0)
    async with client as sdk:
        job = await create_job(sdk, metadata={"over": "loopback"})
        world.clock.forward(10)
        (found,) = [one async for one in sdk.fine_tuning.jobs.list(metadata={"over": "loopback"})]
        assert (found.id, found.status) == (job["id"], "succeeded")
        assert (await sdk.files.content(job["training_file"])).content == rft_rows(12)
