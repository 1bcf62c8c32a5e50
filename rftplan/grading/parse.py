"""A grader's definition → a grader, strictly. Says what is wrong in the vendor's words; grades nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rftplan.grading.definition import (
    Fields,
    GraderError,
    check_threshold,
    listed,
    object_of,
    unsupported,
    wrong_type,
)
from rftplan.grading.expression_parser import parse_formula
from rftplan.grading.expressions import FormulaError
from rftplan.grading.graders import Grader, GraderType, Python, StringCheck, TextSimilarity
from rftplan.grading.metrics import Metric, Operation
from rftplan.grading.multi import Multi
from rftplan.grading.parse_score_model import parse_score_model
from rftplan.grading.runners import PythonRunner

MAX_SOURCE_BYTES = 256 * 1024


def parse_grader(
    body: Mapping[str, Any],
    *,
    param: str = "grader",
    default_name: str = "grader",
    runner: PythonRunner | None = None,
) -> Grader:
    """Read a definition; raises GraderError for the first thing that is wrong.

    `param` is the path of `body` for messages. A definition without `name` gets `default_name`, a member of a
    `multi` its key: the service fills missing names in too, though with invented ones. `runner` is who runs
    `python` graders, members included; without one they refuse. Reading runs nothing.
    """
    return _parse(object_of(body, param), default_name, runner)


def _parse(fields: Fields, default_name: str, runner: PythonRunner | None) -> Grader:
    kind = fields.choice("type", GraderType)
    if "name" in fields.body:
        name = fields.filled_text("name")
    else:
        name = default_name
    if kind is GraderType.PYTHON:
        return _python(fields, name, runner)
    if kind is GraderType.MULTI:
        return _multi(fields, name, runner)
    return _PARSERS[kind](fields, name)


def _string_check(fields: Fields, name: str) -> Grader:
    fields.only("type", "name", "input", "reference", "operation")
    return StringCheck(
        name=name,
        input=fields.template("input"),
        reference=fields.template("reference"),
        operation=fields.choice("operation", Operation),
        definition={**fields.body, "name": name},
    )


def _text_similarity(fields: Fields, name: str) -> Grader:
    fields.only("type", "name", "input", "reference", "evaluation_metric", "pass_threshold")
    check_threshold(fields)
    if fields.body.get("evaluation_metric") == "cosine":
        where = fields.at("evaluation_metric")
        raise GraderError("The metric 'cosine' is for evals only; training does not support it.", param=where)
    return TextSimilarity(
        name=name,
        input=fields.template("input"),
        reference=fields.template("reference"),
        metric=fields.choice("evaluation_metric", Metric),
        definition={**fields.body, "name": name},
    )


def _python(fields: Fields, name: str, runner: PythonRunner | None) -> Grader:
    fields.only("type", "name", "source", "image_tag")
    source = fields.filled_text("source")
    if len(source.encode("utf-8", "surrogatepass")) >= MAX_SOURCE_BYTES:
        message = f"Invalid '{fields.at('source')}': it must be smaller than 256 kB."
        raise GraderError(message, param=fields.at("source"))
    tag = fields.text("image_tag") if fields.body.get("image_tag") is not None else None
    return Python(name, source, tag, {**fields.body, "name": name}, runner)


def _multi(fields: Fields, name: str, runner: PythonRunner | None) -> Grader:
    fields.only("type", "name", "graders", "calculate_output")
    members = _members(fields, runner)
    where = fields.at("calculate_output")
    try:
        formula = parse_formula(fields.text("calculate_output"))
    except FormulaError as error:
        raise GraderError(f"Invalid '{where}': {error.message}", param=where) from error
    for used in formula.names:
        if used not in members:
            message = f"Invalid '{where}': unknown grader '{used}'. Graders here are: {listed(members)}."
            raise GraderError(message, param=where)
    definitions = {key: member.definition for key, member in members.items()}
    definition = {**fields.body, "name": name, "graders": definitions}
    return Multi(name=name, members=members, formula=formula, definition=definition)


def _members(fields: Fields, runner: PythonRunner | None) -> dict[str, Grader]:
    graders = object_of(fields.needed("graders"), fields.at("graders"))
    if not graders.body:
        raise GraderError(f"Invalid '{graders.param}': it must name at least one grader.", param=graders.param)
    return {key: _member(value, key, graders.at(key), runner) for key, value in graders.body.items()}


def _member(value: Any, key: str, param: str, runner: PythonRunner | None) -> Grader:
    fields = object_of(value, param)
    kind, where = fields.text("type"), fields.at("type")
    if kind == GraderType.MULTI.value:
        message = "A multi grader cannot contain another multi grader."
        raise GraderError(message, param=where, code="invalid_value")
    if kind == _LABEL_MODEL:
        raise _label_model(fields)
    if kind not in _MEMBER_TYPES:
        raise unsupported(kind, _MEMBER_TYPES, where)
    return _parse(fields, key, runner)


def _label_model(fields: Fields) -> GraderError:
    """A member that the vendor's schema knows, so that its form is right; raises what is wrong with its form."""
    fields.only("type", "name", "model", "input", "labels", "passing_labels")
    fields.text("model")
    for key in ("input", "labels", "passing_labels"):
        if not isinstance(value := fields.needed(key), list):
            raise wrong_type(fields.at(key), "an array", value)
    for key in ("labels", "passing_labels"):
        for place, label in enumerate(fields.body[key]):
            if not isinstance(label, str):
                raise wrong_type(f"{fields.at(key)}[{place}]", "a string", label)
    where = fields.at("type")
    message = f"Unsupported '{where}': '{_LABEL_MODEL}' is in the API's schema, but rftplan cannot run it."
    return GraderError(f"{message} Use a 'score_model' grader.", param=where)


_LABEL_MODEL = "label_model"
_MEMBER_TYPES = (*(kind.value for kind in GraderType if kind is not GraderType.MULTI), _LABEL_MODEL)
_PARSERS: Mapping[GraderType, Callable[[Fields, str], Grader]] = {
    GraderType.STRING_CHECK: _string_check,
    GraderType.TEXT_SIMILARITY: _text_similarity,
    GraderType.SCORE_MODEL: parse_score_model,
}
