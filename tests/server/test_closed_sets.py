"""Every object that a request may have knows its fields: one that nobody knows is named, wherever it stands."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from rftplan.server.chat_request import read_chat_request
from rftplan.server.errors import ApiError
from rftplan.server.job_request import read_job_request
from rftplan.server.response_request import read_response_request

from .conftest import GRADER

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
NESTED = {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": True}}
FLAT = {"type": "json_schema", "name": "n", "description": "d", "schema": SCHEMA, "strict": True}
FUNCTION = {"name": "look", "description": "d", "parameters": SCHEMA, "strict": True}
BREAKPOINT = {"mode": "explicit", "ttl": "30m"}
CHAT: dict[str, Any] = {
    "model": "o4-mini",
    "messages": [
        {"role": "developer", "content": "c", "name": "n"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "t", "prompt_cache_breakpoint": BREAKPOINT},
                {"type": "image_url", "image_url": {"url": "u", "detail": "auto"}},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "refusal", "refusal": "r"}],
            "refusal": None,
            "annotations": [],
            "parsed": {"a": "b"},
            "audio": None,
            "function_call": {"name": "look", "arguments": "{}"},
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look", "arguments": "{}", "parsed_arguments": {}},
                }
            ],
        },
        {"role": "tool", "content": "c", "tool_call_id": "call_1"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "response_format": NESTED,
    "stream": True,
    "stream_options": {"include_usage": True},
}
RESPONSE: dict[str, Any] = {
    "model": "o4-mini",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "t", "prompt_cache_breakpoint": BREAKPOINT}]},
        {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u", "detail": "low"}]},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "phase": "final_answer",
            "content": [
                {"type": "output_text", "text": "t", "annotations": [], "logprobs": [], "parsed": {"a": 1}},
                {"type": "refusal", "refusal": "r"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "look",
            "arguments": "{}",
            "parsed_arguments": {},
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "o"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "o"}]},
    ],
    "tools": [{"type": "function", **FUNCTION}],
    "text": {"format": FLAT, "verbosity": "medium"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "stream_options": {"include_obfuscation": False},
}
SCORE_MODEL = {
    "type": "score_model",
    "name": "s",
    "model": "m",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "t"},
                {"type": "output_text", "text": "t"},
                {"type": "input_image", "image_url": "u", "detail": "low"},
                {"type": "input_audio", "input_audio": {"data": "a", "format": "wav"}},
            ],
        }
    ],
    "sampling_params": {"seed": 1, "temperature": 0},
}
MULTI = {"type": "multi", "name": "m", "graders": {"a": GRADER, "s": SCORE_MODEL}, "calculate_output": "a + s"}


def job(response_format: dict[str, Any]) -> dict[str, Any]:
    settings = {"grader": MULTI, "response_format": response_format, "hyperparameters": {"n_epochs": 1}}
    return {
        "model": "o4-mini",
        "training_file": "file-1",
        "validation_file": "file-2",
        "method": {"type": "reinforcement", "reinforcement": settings},
        "integrations": [{"type": "wandb", "wandb": {"project": "p", "tags": []}}],
        "simulate": {"candidates": "file-3"},
    }


Read = Callable[[object], object]
READ: dict[str, tuple[Read, dict[str, Any]]] = {
    "chat": (read_chat_request, CHAT),
    "response": (read_response_request, RESPONSE),
    "job": (lambda body: read_job_request(body, str), job(NESTED)),
    "job, flat": (lambda body: read_job_request(body, str), job(FLAT)),
}
FREE = ("schema", "parameters", "graders", "parsed", "parsed_arguments")  # whose fields are the user's


def objects(value: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with its path, as `param` has it."""
    if isinstance(value, dict):
        if not path.endswith(FREE):
            yield path, value
        for key, inner in value.items():
            if key not in ("schema", "parameters"):
                yield from objects(inner, f"{path}.{key}" if path else key)
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from objects(inner, f"{path}[{place}]")


CASES = [(kind, path) for kind, (_, body) in READ.items() for path, _ in objects(body)]


@pytest.mark.parametrize("kind", READ)
def test_all_that_the_vendor_knows_and_this_service_carries_out_is_read(kind: str) -> None:
    read, body = READ[kind]
    assert read(body)


@pytest.mark.parametrize(("kind", "path"), CASES, ids=[f"{kind}: {path or 'body'}" for kind, path in CASES])
def test_a_field_that_nobody_knows_is_refused_by_name(kind: str, path: str) -> None:
    read, body = READ[kind]
    changed = copy.deepcopy(body)
    next(found for where, found in objects(changed) if where == path)["foo"] = 1
    with pytest.raises(ApiError) as refused:
        read(changed)
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", f"{path}.foo" if path else "foo")


UNSUPPORTED = [
    ("chat", "", "audio", {"voice": "alloy", "format": "wav"}),
    ("chat", "", "functions", [FUNCTION]),
    ("chat", "", "prediction", {"type": "content", "content": "c"}),
    ("chat", "", "web_search_options", {}),
    ("chat", "messages[2]", "audio", {"id": "audio_1"}),
    ("response", "", "context_management", []),
    ("response", "", "moderation", {}),
    ("response", "reasoning", "mode", "pro"),
    ("response", "tools[0]", "defer_loading", True),
    ("response", "input[1].content[0]", "file_id", "file-1"),
    ("response", "input[4]", "namespace", "n"),
]


@pytest.mark.parametrize(("kind", "path", "field", "value"), UNSUPPORTED, ids=[f"{c[0]}: {c[2]}" for c in UNSUPPORTED])
def test_a_field_of_the_vendors_that_is_not_carried_out_is_refused_as_that(
    kind: str, path: str, field: str, value: object
) -> None:
    read, body = READ[kind]
    changed = copy.deepcopy(body)
    next(found for where, found in objects(changed) if where == path)[field] = value
    with pytest.raises(ApiError) as refused:
        read(changed)
    name = f"{path}.{field}" if path else field
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", name)
    assert refused.value.message == f"Unsupported parameter: '{name}' is not supported by the local service."


@pytest.mark.parametrize("part", [{"type": "input_image", "image_url": "u"}, {"type": "input_file", "file_id": "f"}])
def test_the_output_of_a_function_may_have_parts_of_text_alone(part: dict[str, Any]) -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": [part]}
    with pytest.raises(ApiError) as refused:
        read_response_request({**RESPONSE, "input": [output]})
    assert refused.value.param == "input[0].output[0].type"


def test_what_an_sdk_parsed_is_known_of_answers_alone() -> None:
    for message in ({"role": "user", "content": "c", "parsed": {}}, {"role": "tool", "content": "c", "parsed": {}}):
        with pytest.raises(ApiError) as refused:
            read_chat_request({**CHAT, "messages": [message]})
        assert refused.value.param == "messages[0].parsed"
    with pytest.raises(ApiError) as refused:
        read_response_request(
            {**RESPONSE, "input": [{"role": "user", "content": [{"type": "input_text", "text": "t", "parsed": 1}]}]}
        )
    assert refused.value.param == "input[0].content[0].parsed"


def test_a_value_that_is_not_carried_out_is_this_services_limit_and_not_the_models() -> None:
    read, body = READ["chat"]
    with pytest.raises(ApiError) as refused:
        read({**body, "top_p": 0.5})
    assert (refused.value.code, refused.value.param) == ("unsupported_value", "top_p")
    assert refused.value.message.startswith("Unsupported value: 'top_p' cannot be 0.5 with the local service.")


def test_a_field_of_another_role_is_refused_and_a_null_says_nothing() -> None:
    tool = {**CHAT, "messages": [{"role": "user", "content": "c", "tool_call_id": None, "annotations": None}]}
    assert read_chat_request(tool)
    with pytest.raises(ApiError) as refused:
        read_chat_request({**CHAT, "messages": [{"role": "user", "content": "c", "tool_call_id": "call_1"}]})
    assert refused.value.param == "messages[0].tool_call_id"


def test_a_misspelt_field_of_our_own_is_named_and_not_the_one_that_it_should_be() -> None:
    with pytest.raises(ApiError) as refused:
        read_job_request({**job(NESTED), "simulate": {"candidate": "file-3"}}, str)
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", "simulate.candidate")


LABEL_MODEL = {
    "type": "label_model",
    "name": "l",
    "model": "m",
    "input": [{"role": "user", "content": "{{sample.output_text}}"}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}


def with_member(**member: object) -> dict[str, Any]:
    return {**MULTI, "graders": {"a": member}, "calculate_output": "a"}


GRADERS = [
    ({**GRADER, "foo": 1}, "grader.foo", "unknown_parameter"),
    ({**MULTI, "graders": {"a": {**GRADER, "foo": 1}}}, "grader.graders.a.foo", "unknown_parameter"),
    ({**GRADER, "reference": 7}, "grader.reference", "invalid_type"),
    ({**GRADER, "operation": "neq"}, "grader.operation", "invalid_value"),
    ({"type": "string_check", "name": "n"}, "grader.input", "missing_required_parameter"),
    ({**MULTI, "graders": {"a": MULTI}}, "grader.graders.a.type", "invalid_value"),
    (with_member(**LABEL_MODEL), "grader.graders.a.type", None),
    (with_member(**{**LABEL_MODEL, "labels": "good"}), "grader.graders.a.labels", "invalid_type"),
    (with_member(**{**LABEL_MODEL, "passing_labels": [1]}), "grader.graders.a.passing_labels[0]", "invalid_type"),
    (with_member(**LABEL_MODEL, foo=1), "grader.graders.a.foo", "unknown_parameter"),
    (with_member(type="label_model", name="l"), "grader.graders.a.model", "missing_required_parameter"),
    (with_member(type="labels", name="l"), "grader.graders.a.type", "invalid_value"),
    ({**MULTI, "calculate_output": "a +"}, "grader.calculate_output", None),
    ({**GRADER, "input": "{{ sample. }}"}, "grader.input", None),
    ({**SCORE_MODEL, "range": [1, 0]}, "grader.range", None),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("grader", "param", "code"), GRADERS, ids=[f"{case[1]}: {case[2]}" for case in GRADERS])
async def test_a_fault_of_a_graders_form_has_the_vendors_code_and_is_refused_by_the_create_call(
    http: httpx2.AsyncClient, grader: dict[str, Any], param: str, code: str | None
) -> None:
    error = (await http.post("/fine_tuning/alpha/graders/validate", json={"grader": grader})).json()["error"]
    assert (error["param"], error["code"]) == (param, code)
    body = job(NESTED)
    body["method"]["reinforcement"]["grader"] = grader
    if code is None:  # found when the job starts
        assert read_job_request(body, str).grader == grader
    else:
        with pytest.raises(ApiError) as refused:
            read_job_request(body, str)
        assert (refused.value.param, refused.value.code) == (f"method.reinforcement.{param}", code)


def test_a_member_of_no_known_type_is_told_the_types_of_members() -> None:
    body = job(NESTED)
    body["method"]["reinforcement"]["grader"] = with_member(type="labels", name="l")
    with pytest.raises(ApiError) as refused:
        read_job_request(body, str)
    assert refused.value.message == (
        "Invalid value: 'labels'. Supported values are: 'string_check', 'text_similarity', 'score_model', 'python' and"
        " 'label_model'."
    )


def test_a_null_in_a_grader_counts_as_left_out_and_is_not_sent_back() -> None:
    body = job(NESTED)
    null = {**SCORE_MODEL, "range": None, "pass_threshold": None, "sampling_params": {"seed": None, "top_p": 1}}
    python = {"type": "python", "name": "p", "source": "s", "image_tag": None}
    body["method"]["reinforcement"]["grader"] = {**MULTI, "graders": {"a": null, "s": python}}
    grader = read_job_request(body, str).grader
    assert grader is not None
    assert grader["graders"]["a"] == {**SCORE_MODEL, "sampling_params": {"top_p": 1}}
    assert grader["graders"]["s"] == {"type": "python", "name": "p", "source": "s"}
