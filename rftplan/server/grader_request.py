"""Read a grader in a request as far as its form and its names go. What it means is for `rftplan.grading`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rftplan.server.errors import ApiError, missing_parameter, wrong_type, wrong_value

if TYPE_CHECKING:
    from rftplan.grading import GraderError

_MAY_BE_LEFT_OUT = ("image_tag", "pass_threshold", "range", "sampling_params")
TOP_LEVEL_TYPES = ("string_check", "text_similarity", "score_model", "python", "multi")


def named_grader(body: object, new_id: Callable[[str], str], *, path: str = "grader") -> dict[str, Any]:
    """The grader, with a name made up wherever one is missing as the vendor does; raises ApiError."""
    if not isinstance(body, dict):
        raise wrong_type(path, expected="an object", got=body)
    if "type" not in body:
        raise missing_parameter(f"{path}.type")
    if body["type"] not in TOP_LEVEL_TYPES:
        raise wrong_value(f"{path}.type", got=str(body["type"]), supported=TOP_LEVEL_TYPES)
    named = _with_name(body, new_id)
    if body["type"] == "multi" and "graders" in body:
        named["graders"] = _named_parts(body["graders"], new_id, path=f"{path}.graders")
    return named


def check_form(grader: Mapping[str, Any], *, path: str) -> None:
    """Raises ApiError for what the vendor's schema of a grader would not let pass.

    What the schema cannot see, a formula or a template that means nothing, is found when the job starts.
    """
    from rftplan.grading import GraderError, parse_grader

    try:
        parse_grader(grader, param=path)
    except GraderError as error:
        if error.code is not None:
            raise refused_grader(error) from error


def refused_grader(error: GraderError) -> ApiError:
    return ApiError(error.message, param=error.param, code=error.code)


def uses_judge(grader: Mapping[str, Any]) -> bool:
    """Whether a model has to be asked for any of its scores."""
    return any(part.get("type") in ("score_model", "label_model") for part in _with_parts(grader))


def _named_parts(parts: object, new_id: Callable[[str], str], *, path: str) -> dict[str, Any]:
    """A multi grader's parts are a dictionary, whatever the vendor's schema and SDK types say."""
    if not isinstance(parts, dict):
        raise wrong_type(path, expected="an object", got=parts)
    for key, part in parts.items():
        if not isinstance(part, dict):
            raise wrong_type(f"{path}.{key}", expected="an object", got=part)
    return {key: _with_name(part, new_id) for key, part in parts.items()}


def _with_name(body: Mapping[str, Any], new_id: Callable[[str], str]) -> dict[str, Any]:
    """Without the nulls that count as left out, so that none is sent back where the vendor's schema has none."""
    named = {key: value for key, value in body.items() if value is not None or key not in _MAY_BE_LEFT_OUT}
    if isinstance(params := named.get("sampling_params"), dict):
        named["sampling_params"] = {key: value for key, value in params.items() if value is not None}
    return named if named.get("name") is not None else {**named, "name": new_id("grader-")}


def _with_parts(grader: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield grader
    parts = grader.get("graders")
    if isinstance(parts, dict):
        yield from (part for part in parts.values() if isinstance(part, dict))
