"""Building blocks of the spec models: strict scalars, texts from files, references. Knows no kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, Strict, ValidationInfo
from pydantic_core import PydanticCustomError

from rftplan.address import NAME


class Loader(Protocol):
    """Reads what `{file: path}` names, relative to the YAML file that says so; ValueError says why not."""

    def text(self, path: str) -> str: ...

    def structure(self, path: str) -> Any: ...


class SpecModel(BaseModel):
    """A mapping in a spec: frozen, no unknown keys, nothing coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _file_of(value: Any) -> str | None:
    if isinstance(value, Mapping) and set(value) == {"file"} and isinstance(value["file"], str):
        return str(value["file"])
    return None


def _load_text(value: Any, info: ValidationInfo) -> Any:
    path = _file_of(value)
    return value if path is None else _loaded(_loader(info).text, path)


def _load_structure(value: Any, info: ValidationInfo) -> Any:
    path = _file_of(value)
    return value if path is None else _loaded(_loader(info).structure, path)


def _loader(info: ValidationInfo) -> Loader:
    assert info.context is not None
    loader: Loader = info.context["loader"]
    return loader


def _loaded(read: Any, path: str) -> Any:
    try:
        return read(path)
    except ValueError as error:
        raise PydanticCustomError("file_not_loaded", "{problem}", {"problem": str(error)}) from None


Text = Annotated[str, Strict(), BeforeValidator(_load_text)]
"""A text, or `{file: path}`."""

from_file = BeforeValidator(_load_structure)
"""Marks a structure that may be written as `{file: path}`."""

Int = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Str = Annotated[str, Strict()]


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        raise PydanticCustomError(
            "bad_name", "must be a name: lower-case letters, digits, - and _, at most 63 characters"
        )
    return value


Name = Annotated[str, PlainValidator(_name)]


def auto_int(low: int, high: int | None = None) -> Any:
    """`auto`, or a whole number from `low` to `high`."""

    def check(value: Any) -> Any:
        if value == "auto":
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high and value > high):
            limits = f"from {low} to {high}" if high else f"of at least {low}"
            raise PydanticCustomError("auto_int", f"must be auto or a whole number {limits}")
        return value

    return PlainValidator(check)


def auto_number(above: float, most: float | None = None) -> Any:
    """`auto`, or a number over `above` and at most `most`."""

    def check(value: Any) -> Any:
        if value == "auto":
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= above or (most and value > most):
            limits = f"over {above:g}" + (f" and at most {most:g}" if most else "")
            raise PydanticCustomError("auto_number", f"must be auto or a number {limits}")
        return value

    return PlainValidator(check)


class Lifecycle(SpecModel):
    """What must not happen to a resource. `retain` keeps a file at the service once a job trained from it."""

    prevent_replace: Flag = False
    prevent_destroy: Flag = False
    retain: Flag = True


LifecycleField = Annotated[Lifecycle, Field(default_factory=Lifecycle)]
