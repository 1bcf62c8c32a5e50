"""What the service says in other words is no difference; what it holds otherwise is one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rftplan.kinds.job.compare import differences, same_model
from rftplan.kinds.job.launch import identity
from tests.kinds.builders import job_spec
from tests.world import Small

GRADER = {"type": "string_check", "input": "{{sample.output_text}}", "operation": "eq", "reference": "{{item.a}}"}
SHAPE = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}}}
SPEC = {
    "model": "o4-mini",
    "suffix": "demo",
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": GRADER,
            "response_format": SHAPE,
            "hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 1, "batch_size": "auto"},
        },
    },
}
ECHO: dict[str, Any] = {
    "model": "o4-mini-2025-04-16",
    "seed": 950189191,
    "user_provided_suffix": "demo",
    "error": {},
    "metadata": {"rftplan_address": "x"},
    "integrations": [],
    "hyperparameters": None,
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": {**GRADER, "name": "grader-R5FhpA6BFQlo"},
            "response_format": SHAPE,
            "hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 1.0, "batch_size": 8, "eval_samples": 5},
        },
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The echo with one value otherwise."""
    body = copy.deepcopy(ECHO)
    *parents, last = path.split(".")
    inner = body
    for part in parents:
        inner = inner[part]
    inner[last] = value
    return body


INPUTS = identity(job_spec(**SPEC), {})
SETTINGS = "method.reinforcement"


def test_an_echo_in_the_words_of_the_service_is_no_difference() -> None:
    assert differences(INPUTS, ECHO) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("integrations", None),
        ("seed", None),
        ("error", None),
        ("metadata", None),
        ("model", "o4-mini"),
        (f"{SETTINGS}.response_format", {"type": "json_schema", **SHAPE["json_schema"]}),
        (f"{SETTINGS}.grader.name", "another"),
    ],
)
def test_other_words_for_the_same_are_no_difference(path: str, value: Any) -> None:
    assert differences(INPUTS, changed(path, value)) == ()


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("model", "gpt-4o", "model"),
        ("user_provided_suffix", "other", "suffix"),
        (f"{SETTINGS}.response_format", None, f"{SETTINGS}.response_format"),
        (f"{SETTINGS}.hyperparameters.n_epochs", 3, f"{SETTINGS}.hyperparameters.n_epochs"),
        (f"{SETTINGS}.grader.operation", "ne", f"{SETTINGS}.grader.operation"),
    ],
)
def test_other_values_are_a_difference(path: str, value: Any, found: str) -> None:
    assert [change.path for change in differences(INPUTS, changed(path, value))] == [found]


def test_a_snapshot_of_an_alias_is_the_same_model_and_a_sibling_is_not() -> None:
    assert same_model("gpt-4o", "gpt-4o-2024-08-06")
    assert not same_model("gpt-4o", "gpt-4o-mini-2024-07-18")


def test_the_local_service_echoes_what_was_launched(small: Small) -> None:
    small.launch_until_step()
    assert small.plan().drift == ()
    small.clock.time += 600
    assert small.plan().drift == ()
