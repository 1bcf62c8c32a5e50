"""Whether the service holds the job that the spec declares. Both sides come into one space first; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rftplan.canonical import Json, JsonObject, normal_numbers
from rftplan.changes import FieldChange
from rftplan.diff import diff
from rftplan.kinds.grader import unnamed

_NOT_COMPARABLE = frozenset({"training", "validation", "extra_body", "model"})
"""Rows are not echoed, the model has aliases (`same_model` looks at it), and extra fields are not ours to know."""


def differences(inputs: JsonObject, body: JsonObject) -> tuple[FieldChange, ...]:
    """What the service recorded otherwise than declared: `before` is declared, `after` the service's value.

    `inputs` are a job's identity, `body` the raw reply. Only what the spec declares counts: numbers in place of
    `auto`, a seed filled in, invented names, empty and null fields are no differences.
    """
    if not body:
        return ()
    declared: JsonObject = {key: value for key, value in inputs.items() if key not in _NOT_COMPARABLE}
    if not isinstance(body.get("method"), dict):
        declared.pop("method", None)  # older jobs are echoed without one
    held = _declared_part(declared, _identity_space(body))
    found = list(diff(declared, held))
    model = body.get("model")
    if isinstance(model, str) and not same_model(str(inputs.get("model")), model):
        found.append(FieldChange("model", inputs.get("model"), model))
    return tuple(sorted(found, key=lambda change: change.path))


def same_model(declared: str, held: str) -> bool:
    """The same name, or a snapshot of it: the alias, a dash and a date (2025-04-16, or 0125 as older ones have it)."""
    dated = re.fullmatch(r"-\d{4}(-\d{2}-\d{2})?", held.removeprefix(declared), re.ASCII)
    return held == declared or (held.startswith(declared) and dated is not None)


def _identity_space(body: JsonObject) -> JsonObject:
    """The reply as an identity would write it."""
    space: JsonObject = {"seed": body.get("seed"), "suffix": body.get("user_provided_suffix", body.get("suffix"))}
    integrations = body.get("integrations")
    space["integrations"] = [_integration(i) for i in integrations] if isinstance(integrations, list) else []
    method = body.get("method")
    space["method"] = _method(method) if isinstance(method, dict) else None
    normal = normal_numbers(space)
    assert isinstance(normal, dict)
    return normal


def _integration(value: Json) -> Json:
    """Without the run id that the service adds."""
    if not isinstance(value, dict) or not isinstance(value.get("wandb"), dict):
        return value
    settings = value["wandb"]
    assert isinstance(settings, dict)
    return {**value, "wandb": {key: item for key, item in settings.items() if key != "run_id" and item is not None}}


def _method(method: JsonObject) -> Json:
    settings = method.get("reinforcement")
    if not isinstance(settings, dict):
        return method
    grader, shape = settings.get("grader"), settings.get("response_format")
    return {
        **method,
        "reinforcement": {
            **settings,
            "grader": unnamed(grader) if isinstance(grader, dict) else grader,
            "response_format": _nested(shape) if isinstance(shape, dict) else shape,
        },
    }


def _nested(shape: Mapping[str, Json]) -> Json:
    if shape.get("type") != "json_schema" or "json_schema" in shape:
        return dict(shape)
    return {"type": "json_schema", "json_schema": {key: value for key, value in shape.items() if key != "type"}}


def _declared_part(declared: Json, held: Json) -> Json:
    """`held` cut down to the keys that `declared` has, at every level; lists are whole values."""
    if not isinstance(declared, dict) or not isinstance(held, dict):
        return held
    return {key: _declared_part(value, held[key]) for key, value in declared.items() if key in held}
