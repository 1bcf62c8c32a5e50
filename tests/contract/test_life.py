"""The scripted life of a job, at the local service or at any other: `pytest tests/contract --base-url URL`.

Another service gets its key from RFTPLAN_CONTRACT_KEY, permissions theirs from RFTPLAN_CONTRACT_ADMIN_KEY. Steps
that start paid work run only with --allow-spend. `--results FILE` keeps what each step showed, with the date.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import uvicorn

from rftplan.server.app import create_app
from rftplan.server.settings import default_settings
from tests.contract.contract import Contract
from tests.contract.document import own_document
from tests.contract.exchange import Exchange
from tests.contract.life import STEPS, Life, SkipStep, Step
from tests.contract.results import Outcome, Result, Results
from tests.contract.watching import Watch

KEY, ADMIN_KEY = "RFTPLAN_CONTRACT_KEY", "RFTPLAN_CONTRACT_ADMIN_KEY"
LOCAL_KEY = "sk-local-test"
KNOBS = "/local/"  # routes that turn the service itself: no part of a job's life


@contextmanager
def served(tmp_path: Path, now: list[float], wrap: Callable[[Any], Any] = lambda app: app) -> Iterator[str]:
    """A local service on a socket, at a time that only the life moves, or what `wrap` puts around it."""
    app = wrap(create_app(default_settings(tmp_path / "service.sqlite", LOCAL_KEY, now=lambda: now[0])))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


def test_a_job_lives_its_life_at_the_local_service_and_every_operation_is_exercised(
    tmp_path: Path, contract_watch: Watch, subtests: pytest.Subtests
) -> None:
    before, now = Counter(contract_watch.counts), [1_790_000_000.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    with served(tmp_path, now) as url:
        results = _live(_life(url, LOCAL_KEY, LOCAL_KEY, wait, 0.25), subtests, url, spend=True)
    assert [result for result in results.results if result.outcome is not Outcome.AS_EXPECTED] == []
    exercised = {name for name, status in contract_watch.counts - before if status == 200}
    missing = {one.name for one in contract_watch.own.operations if not one.template.startswith(KNOBS)} - exercised
    assert missing == set(), "the life never uses these: add a step to tests/contract/life.py"


def test_a_job_lives_its_life_at_another_service(request: pytest.FixtureRequest, subtests: pytest.Subtests) -> None:
    url = request.config.getoption("--base-url")
    if url is None:
        pytest.skip("no --base-url")
    key = os.environ.get(KEY)
    assert key, f"another service's key comes from {KEY}"
    spend = request.config.getoption("--allow-spend")
    life = _life(url, key, os.environ.get(ADMIN_KEY, key), time.sleep, request.config.getoption("--look-every"))
    results = _live(life, subtests, url, spend=spend)
    if (path := request.config.getoption("--results")) is not None:
        results.write(Path(path))
    assert [result.behaviour for result in results.results if result.outcome is Outcome.OTHERWISE] == []


def test_results_overwrite_nothing_but_results(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results = Results("http://127.0.0.1/v1", "3", [Result("it answers", Outcome.NOT_TRIED, "", "2026-11-23")])
    results.write(path)
    results.write(path)
    assert '"outcome": "not tried"' in path.read_text()
    path.write_text("my thesis")
    with pytest.raises(FileExistsError):
        results.write(path)


def _life(url: str, key: str, admin_key: str, wait: object, between: float) -> Life:
    def client(its_key: str) -> openai.OpenAI:
        return openai.OpenAI(api_key=its_key, base_url=url, max_retries=0)

    mark = f"life {time.time_ns()}"
    return Life(client(key), client(admin_key), wait, client(f"not-{key[:4]}"), between, mark)  # type: ignore[arg-type]


def _live(life: Life, subtests: pytest.Subtests, url: str, *, spend: bool) -> Results:
    results, own = Results(url, openai.__version__), Contract(own_document())
    life.client._client.event_hooks = {"response": [lambda reply: results.outside.extend(_outside(own, reply))]}
    for step in STEPS:
        with subtests.test(msg=step.what):
            if step.spends and not spend:
                results.results.append(_result(step, Outcome.NOT_TRIED, "it is paid: --allow-spend"))
                continue
            try:
                step.take(life)
            except SkipStep as reason:
                results.results.append(_result(step, Outcome.NOT_TRIED, str(reason)))
            except (AssertionError, openai.OpenAIError) as error:
                results.results.append(_result(step, Outcome.OTHERWISE, str(error)[:500]))
                raise
            else:
                results.results.append(_result(step, Outcome.AS_EXPECTED, ""))
    for one in (life.client, life.admin, life.wrong_key):
        one.close()
    return results


def _outside(own: Contract, reply: httpx2.Response) -> list[str]:
    """What of a reply our own schemas do not take; streams and contents are left to the steps."""
    kind = reply.headers.get("content-type", "")
    if not kind.startswith("application/json"):
        return []
    body, path = reply.read(), reply.request.url.path
    exchange = Exchange("GET", path, (), "", None, reply.status_code, {"content-type": kind}, body)
    operation = own.operation(Exchange(reply.request.method, path, (), "", None, 0))
    if operation is None:
        return [f"{reply.request.method} {path}: no operation"]
    return own.problems(operation, exchange)


def _result(step: Step, outcome: Outcome, detail: str) -> Result:
    return Result(step.what, outcome, detail, datetime.now(UTC).isoformat(timespec="seconds"))
