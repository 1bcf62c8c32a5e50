"""Check the form that an answer must have, as chat completions, responses and jobs say it. Looks into no schema."""

from __future__ import annotations

from rftplan.server.errors import missing_parameter, wrong_value
from rftplan.server.fields import Fields

_TYPES = ("text", "json_object", "json_schema")


def check_nested_format(wanted: Fields) -> None:
    """`response_format` of chat completions: a schema in an object of its own, with a name."""
    if _kind(wanted) == "json_schema":
        if (inner := wanted.inner("json_schema")) is None:
            raise missing_parameter(wanted.name("json_schema"))
        inner.needed_text("name")
        _check_schema(inner, missing=inner.name("schema"))
        inner.close()
    wanted.close()


def check_flat_format(wanted: Fields) -> None:
    """`text.format` of responses: what describes the schema stands beside the type."""
    if _kind(wanted) == "json_schema":
        wanted.needed_text("name")
        _check_schema(wanted, missing=wanted.name("schema"))
    wanted.close()


def check_either_format(wanted: Fields) -> None:
    """`response_format` of a job, nested or flat: guides show both. The schema's name may be left out."""
    if _kind(wanted) == "json_schema":
        inner = wanted.inner("json_schema")
        _check_schema(inner or wanted, missing=f"{wanted.name('json_schema')}.schema")
        if inner is not None:
            inner.close()
    wanted.close()


def _kind(wanted: Fields) -> str:
    kind = wanted.needed_text("type")
    if kind not in _TYPES:
        raise wrong_value(wanted.name("type"), got=kind, supported=_TYPES)
    return kind


def _check_schema(inner: Fields, *, missing: str) -> None:
    """All that describes a schema; `missing` is the param where there is none."""
    schema = inner.take("schema")
    if schema is None:
        raise missing_parameter(missing)
    Fields(schema, inner.name("schema"))  # only that it is an object: its fields are the user's
    inner.text("name")
    inner.text("description")
    inner.truth("strict")
