"""Graders over HTTP: validated and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2
import openai
import pytest

from rftplan.grading import Isolation, PythonFailure, PythonWorker

from .conftest import GRADER, World

pytestmark = pytest.mark.anyio
PYTHON = {
    "type": "python",
    "name": "same",
    "source": "def grade(sample, item):\n    return 1.0 if sample['output_text'] == item['answer'] else 0.0\n",
}
PATH = "/fine_tuning/alpha/graders"


async def test_a_grader_is_sent_back_with_its_names(http: httpx2.AsyncClient) -> None:
    nameless = {key: value for key, value in GRADER.items() if key != "name"}
    multi = {"type": "multi", "name": "m", "graders": {"a": nameless, "b": GRADER}, "calculate_output": "a+b"}
    reply = (await http.post(f"{PATH}/validate", json={"grader": multi})).json()["grader"]
    invented = reply["graders"]["a"].pop("name")
    assert invented.startswith("grader-")
    assert reply == {**multi, "graders": {"a": nameless, "b": GRADER}}


async def test_the_sdk_validates_and_runs(sdk: openai.AsyncOpenAI) -> None:
    graders = sdk.fine_tuning.alpha.graders
    assert (await graders.validate(grader=GRADER)).grader is not None  # type: ignore[arg-type]
    run = await graders.run(grader=GRADER, model_sample="yes", item={"answer": "yes"})  # type: ignore[arg-type]
    assert (run.reward, run.metadata.name, run.metadata.type) == (1.0, "answer", "string_check")
    assert run.metadata.execution_time >= 0


class Untouchable:
    """A runner that must not be asked anything."""

    @property
    def refusal(self) -> str | None:
        raise AssertionError("asked whether it runs")

    def score(self, source: str, sample: Mapping[str, Any], item: Mapping[str, Any]) -> float | PythonFailure:
        raise AssertionError("asked to run")

    def scores(self, source: str, rows: object) -> Iterator[float | PythonFailure]:
        raise AssertionError("asked to run")


async def test_validating_a_python_grader_runs_nothing(make_world: Callable[..., World]) -> None:
    async with make_world(runner=Untouchable).http() as http:
        reply = await http.post(f"{PATH}/validate", json={"grader": PYTHON})
    assert (reply.status_code, reply.json()) == (200, {"grader": PYTHON})


async def test_a_python_grader_is_run_by_the_runner_of_the_service(make_world: Callable[..., World]) -> None:
    with PythonWorker(Isolation.TRUSTED) as runner:
        async with make_world(runner=lambda: runner).http() as http:
            right = await http.post(
                f"{PATH}/run", json={"grader": PYTHON, "model_sample": "x", "item": {"answer": "x"}}
            )
            wrong = await http.post(f"{PATH}/run", json={"grader": PYTHON, "model_sample": "x", "item": {}})
    assert right.json()["reward"] == 1
    assert wrong.json()["metadata"]["errors"]["python_grader_runtime_error"] is True
    assert "KeyError" in wrong.json()["metadata"]["errors"]["python_grader_runtime_error_details"]


async def test_a_grader_that_fails_is_a_200_with_a_flag(http: httpx2.AsyncClient) -> None:
    body = {"grader": GRADER, "model_sample": "yes", "item": {}}
    reply = await http.post(f"{PATH}/run", json=body)
    assert (reply.status_code, reply.json()["reward"]) == (200, 0.0)
    assert reply.json()["metadata"]["errors"]["invalid_variable_error"] is True


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "grader"),
        ({"grader": 1}, "grader"),
        ({"grader": {"name": "x"}}, "grader.type"),
        ({"grader": {**GRADER, "operation": "neq"}, "model_sample": ""}, "grader.operation"),
        ({"grader": GRADER}, "model_sample"),
        ({"grader": GRADER, "model_sample": 1}, "model_sample"),
        ({"grader": GRADER, "model_sample": "", "item": []}, "item"),
        ({"grader": GRADER, "model_sample": "", "reference_answer": "yes"}, "reference_answer"),
        (
            {"grader": {"type": "python", "source": "def grade(sample, item): return 1"}, "model_sample": ""},
            "grader",
        ),
    ],
)
async def test_a_wrong_run_is_refused(http: httpx2.AsyncClient, body: dict[str, Any], param: str) -> None:
    reply = await http.post(f"{PATH}/run", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
