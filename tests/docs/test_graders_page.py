"""The tables of docs/graders.md have what the models have: no field, word or range of them can go stale."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from rftplan.grading.expressions import FUNCTIONS
from rftplan.kinds.gates import KNOWN_METRICS
from rftplan.kinds.grader import Message, Metric, Multi, Python, Sampling, ScoreModel, StringCheck, TextSimilarity
from rftplan.kinds.job.hyperparameters import (
    DpoHyperparameters,
    ReinforcementHyperparameters,
    SupervisedHyperparameters,
)
from rftplan.kinds.job.spec import Method

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "graders.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")}
GRADERS: dict[str, type[BaseModel]] = {
    "string_check": StringCheck,
    "text_similarity": TextSimilarity,
    "score_model": ScoreModel,
    "python": Python,
    "multi": Multi,
}


def words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def table(section: str) -> list[list[str]]:
    """The rows below the head."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_field_of_every_grader_is_there_and_no_other() -> None:
    written: dict[str, set[str]] = {}
    last = ""
    for kind, names, _ in table("Graders"):
        last = words(kind)[0] if kind else last
        written.setdefault(last, set()).update(words(names))
    assert written == {kind: set(model.model_fields) - {"type", "name"} for kind, model in GRADERS.items()}


def literal(model: type[BaseModel], field: str) -> set[str]:
    return set(get_args(model.model_fields[field].annotation))


def test_the_words_that_a_field_takes() -> None:
    values = {tuple(words(names)): set(words(value)) for _, names, value in table("Graders")}
    assert values[("operation",)] == literal(StringCheck, "operation")
    assert values[("evaluation_metric",)] == set(get_args(Metric))
    assert values[("sampling_params",)] == set(Sampling.model_fields)
    assert literal(Message, "role") < values[("input",)]


def test_functions_metrics_and_methods() -> None:
    formula = SECTIONS["Graders"].rpartition("functions")[2]
    assert words(formula) == list(FUNCTIONS)
    assert tuple(words(SECTIONS["Metrics of a gate"].partition(" Which")[0])) == KNOWN_METRICS
    assert {words(row[0])[0] for row in table("Rows")} == literal(Method, "type")


METHODS: dict[str, type[BaseModel]] = {"supervised": SupervisedHyperparameters, "dpo": DpoHyperparameters,
           "reinforcement": ReinforcementHyperparameters}  # fmt: skip


def accepted(model: type[BaseModel], name: str, value: Any) -> bool:
    try:
        TypeAdapter(model).validate_python({name: value})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("row", table("Hyperparameters"), ids=lambda row: row[0])
def test_each_hyperparameter_has_its_range_and_methods(row: list[str]) -> None:
    (name,), limits, methods = words(row[0]), row[1], words(row[2]) or list(METHODS)
    assert [method for method, model in METHODS.items() if name in model.model_fields] == methods
    model = METHODS[methods[0]]
    if values := words(limits):
        assert set(values) == literal(model, name)
        return
    low, *most = (float(number) for number in re.findall(r"[\d.]+\d|\d", limits))
    whole = not limits.startswith("over")
    inside, below = (int(low), int(low) - 1) if whole else (low + 0.001, low)
    assert accepted(model, name, "auto") and accepted(model, name, inside) and not accepted(model, name, below)
    top = [int(each) if whole else each for each in most]
    assert all(accepted(model, name, each) and not accepted(model, name, each + 1) for each in top)
    assert top or accepted(model, name, 10**6)


def test_no_hyperparameter_is_missing() -> None:
    written = {words(row[0])[0] for row in table("Hyperparameters")}
    assert written == {name for model in METHODS.values() for name in model.model_fields}
