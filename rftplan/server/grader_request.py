"""Read a grader in a request as far as its form and its names go. What it means is for `rftplan.grading`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rftplan.server.errors import missing_parameter, wrong_type, wrong_value

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
    return dict(body) if body.get("name") is not None else {**body, "name": new_id("grader-")}


def _with_parts(grader: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield grader
    parts = grader.get("graders")
    if isinstance(parts, dict):
        yield from (part for part in parts.values() if isinstance(part, dict))
