"""What a create request may not say, in the vendor's words."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.server.errors import ApiError
from rftplan.server.job_request import Method, read_job_request

from .conftest import GRADER, rft_body

pytestmark = pytest.mark.anyio


def reinforcement(**changes: Any) -> dict[str, Any]:
    return {"method": {"type": "reinforcement", "reinforcement": {"grader": GRADER, **changes}}}


def hyperparameters(**values: Any) -> dict[str, Any]:
    return reinforcement(hyperparameters=values)


_RFT = "method.reinforcement"
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"etest_samples": 3}, "etest_samples", "Unknown parameter: 'etest_samples'."),
    ({"model": None}, "model", "Invalid type for 'model': expected a string, but got null instead."),
    ({"model": ""}, "model", "Model  is not available for fine-tuning or does not exist."),
    ({"model": "ft:o4-mini:x::y"}, "model", "Model ft:o4-mini:x::y is not available"),
    ({"training_file": "file-nope"}, "training_file", "no such File object: file-nope"),
    ({"validation_file": "file-nope"}, "validation_file", "no such File object: file-nope"),
    ({"validation_file": None}, "validation_file", "Missing required parameter: 'validation_file'."),
    ({"suffix": ""}, "suffix", "string too short"),
    ({"suffix": "x" * 65}, "suffix", "maximum length 64, but got a string with length 65"),
    ({"suffix": 7}, "suffix", "Invalid type for 'suffix': expected a string, but got an integer instead."),
    ({"seed": -1}, "seed", "Expected a value >= 0, but got -1"),
    ({"seed": 2_147_483_648}, "seed", "Expected a value <= 2147483647"),
    ({"seed": True}, "seed", "expected an integer, but got a boolean"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "at most 16 properties"),
    ({"metadata": {"k" * 65: "x"}}, "metadata", "maximum length 64"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", "maximum length 512"),
    ({"metadata": {"k": 1}}, "metadata.k", "expected a string, but got an integer"),
    ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", "Expected a value >= 1, but got 0"),
    (hyperparameters(eval_samples=10**4200), f"{_RFT}.hyperparameters.eval_samples", "Expected a value <= 1000000"),
    (hyperparameters(eval_interval=10**9), f"{_RFT}.hyperparameters.eval_interval", "Expected a value <= 1000000"),
    (
        hyperparameters(learning_rate_multiplier=10**400),
        f"{_RFT}.hyperparameters.learning_rate_multiplier",
        "Expected a value <= 1000",
    ),
    (hyperparameters(learning_rate_multiplier=1e308), f"{_RFT}.hyperparameters.learning_rate_multiplier", "<= 1000"),
    ({"metadata": []}, "metadata", "expected an object, but got an array"),
    ({"method": {"type": "rl"}}, "method.type", "'supervised', 'dpo', 'reinforcement'"),
    ({"method": {"type": "reinforcement"}}, _RFT, "Missing required parameter"),
    ({"method": {"type": "supervised", "dpo": {}}}, "method.dpo", "Unknown parameter"),
    ({"method": {"type": "supervised", "extra": 1}}, "method.extra", "Unknown parameter"),
    (reinforcement(tools=[]), f"{_RFT}.tools", "Unknown parameter"),
    (hyperparameters(batch_size=257), f"{_RFT}.hyperparameters.batch_size", "<= 256"),
    (hyperparameters(batch_size=1.5), f"{_RFT}.hyperparameters.batch_size", "an integer or 'auto'"),
    (hyperparameters(n_epochs=51), f"{_RFT}.hyperparameters.n_epochs", "<= 50"),
    (hyperparameters(learning_rate_multiplier=0), f"{_RFT}.hyperparameters.learning_rate_multiplier", "> 0"),
    (
        hyperparameters(compute_multiplier=10**400),
        f"{_RFT}.hyperparameters.compute_multiplier",
        "Expected a value <= 10",
    ),
    (hyperparameters(beta=0.1), f"{_RFT}.hyperparameters.beta", "Unknown parameter"),
    (hyperparameters(reasoning_effort="none"), f"{_RFT}.hyperparameters.reasoning_effort", "'default'"),
    (reinforcement(grader=None), f"{_RFT}.grader", "expected an object, but got null"),
    (reinforcement(grader={"type": "label_model"}), f"{_RFT}.grader.type", "Invalid value: 'label_model'"),
    (
        reinforcement(grader={"type": "multi", "graders": [GRADER], "calculate_output": "a"}),
        f"{_RFT}.grader.graders",
        "expected an object, but got an array",
    ),
    (
        reinforcement(grader={"type": "multi", "graders": GRADER, "calculate_output": "a"}),
        f"{_RFT}.grader.graders.type",
        "expected an object, but got a string",
    ),
    (
        reinforcement(response_format={"type": "yaml"}),
        f"{_RFT}.response_format.type",
        "Invalid value: 'yaml'",
    ),
    (
        reinforcement(response_format={"type": "json_schema", "json_schema": {}}),
        f"{_RFT}.response_format.json_schema.schema",
        "Missing required parameter",
    ),
    ({"integrations": [{"type": "mlflow"}]}, "integrations[0].type", "Supported values are: 'wandb'."),
    ({"integrations": [{"type": "wandb", "wandb": {}}]}, "integrations[0].wandb.project", "Missing"),
]


@pytest.mark.parametrize(("changes", "param", "message"), REFUSED, ids=[case[1] for case in REFUSED])
async def test_a_wrong_request_is_refused_with_its_param(
    sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, changes: dict[str, Any], param: str, message: str
) -> None:
    reply = await http.post("/fine_tuning/jobs", json=await rft_body(sdk, **changes))
    error = reply.json()["error"]
    assert (reply.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert message in error["message"]
    assert (await http.get("/fine_tuning/jobs")).json()["data"] == []


@pytest.mark.parametrize("field", ["model", "training_file"])
async def test_a_missing_field_is_named(sdk: openai.AsyncOpenAI, http: httpx2.AsyncClient, field: str) -> None:
    body = await rft_body(sdk)
    del body[field]
    error = (await http.post("/fine_tuning/jobs", json=body)).json()["error"]
    assert error["message"] == f"Missing required parameter: '{field}'."
    assert error["code"] == "missing_required_parameter"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"model": NaN}',
        b'{"seed": 1e999}',
        b'{"suffix": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"seed": ' + b"9" * 5_000 + b"}",
    ],
    ids=range(10),
)
async def test_a_body_that_is_no_json_object_is_a_400(http: httpx2.AsyncClient, body: bytes) -> None:
    for path in ("/fine_tuning/jobs", "/fine_tuning/alpha/graders/run"):
        assert (await http.post(path, content=body)).status_code == 400


async def test_a_body_without_end_is_a_413(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/fine_tuning/jobs", content=b" " * (2**24 + 1))).status_code == 413


async def test_integrations_come_back_with_a_run_id(sdk: openai.AsyncOpenAI) -> None:
    body = await rft_body(sdk, integrations=[{"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}])
    job = await sdk.fine_tuning.jobs.create(**body)
    assert job.integrations is not None
    wandb = job.integrations[0].wandb.model_dump()
    assert wandb == {"project": "p", "name": None, "entity": None, "tags": ["a"], "run_id": job.id}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value inside is, the whole included."""
    inside = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    return [path, *(found for key, inner in inside for found in paths(inner, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


FULL: dict[str, Any] = {
    "model": "o4-mini",
    "training_file": "file-nope",
    "validation_file": "file-nope",
    "suffix": "s",
    "seed": 1,
    "metadata": {"a": "b"},
    "integrations": [{"type": "wandb", "wandb": {"project": "p", "tags": ["t"]}}],
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": {"type": "multi", "name": "m", "graders": {"a": dict(GRADER)}, "calculate_output": "a"},
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
            "hyperparameters": {"n_epochs": 1, "learning_rate_multiplier": 0.5, "reasoning_effort": "low"},
        },
    },
}


@given(st.sampled_from(paths(FULL)), json_values)
def test_no_value_anywhere_in_a_request_breaks_the_reader(path: tuple[Any, ...], value: Any) -> None:
    try:
        request = read_job_request(replaced(FULL, path, value), lambda prefix: prefix)
    except ApiError as refused:
        assert refused.status == HTTPStatus.BAD_REQUEST
        assert refused.message
    else:
        assert request.method in Method
