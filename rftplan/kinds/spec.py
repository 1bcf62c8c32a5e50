"""Building blocks of the spec models: strict scalars, texts from files, references. Knows no kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Protocol, TypedDict, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    Strict,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rftplan.address import NAME
from rftplan.canonical import JsonObject


class NotLoadedError(ValueError):
    """What `{file: path}` names cannot be used. `reported`: findings in the file itself say why."""

    def __init__(self, message: str, *, hint: str | None = None, reported: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.reported = reported


class Loader(Protocol):
    """Reads what `{file: path}` names, relative to the YAML file that says so; NotLoadedError says why not."""

    def text(self, path: str) -> str: ...

    def structure(self, path: str) -> Any: ...


class Context(TypedDict):
    """What validation is handed, and what it tells on the way.

    `misread` gets every mapping that has unknown keys, with the model that did not know them: pydantic's own
    errors do not say which keys would have been right.
    """

    loader: Loader
    misread: list[tuple[Mapping[str, Any], type[SpecModel]]]


class SpecModel(BaseModel):
    """A mapping in a spec: frozen, no unknown keys, nothing coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    later: ClassVar[frozenset[str]] = frozenset()
    """Fields that the language has and this version does not carry out; refused rather than ignored."""

    key_variable: ClassVar[str] = "OPENAI_API_KEY"
    """Where the key belongs that somebody wrote into this mapping."""

    @model_validator(mode="before")
    @classmethod
    def _tell_misread(cls, value: Any, info: ValidationInfo) -> Any:
        if info.context and isinstance(value, Mapping) and not value.keys() <= cls.field_names().keys():
            info.context["misread"].append((value, cls))
        return value

    @classmethod
    def field_names(cls) -> Mapping[str, str]:
        """As a spec writes them, each with its name here."""
        return _field_names(cls)


@cache
def _field_names(model: type[SpecModel]) -> Mapping[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}


SECRET_NAMES: Final = frozenset(
    {"api_key", "apikey", "api-key", "key", "secret", "token", "password", "openai_api_key", "openai_admin_key"}
)
"""Keys of a mapping whose values are never shown."""


def _unsecret(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: "***" if str(k).lower() in SECRET_NAMES else _unsecret(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_unsecret(item) for item in value]
    return value


def shown(value: Any) -> str:
    """A value as it stands in a message: JSON, at most 60 characters, without what may be a key."""
    try:
        text = json.dumps(_unsecret(value), ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def file_of(value: Any) -> str | None:
    """The path of `{file: path}`; None for any other value."""
    if isinstance(value, Mapping) and set(value) == {"file"} and isinstance(value["file"], str):
        return str(value["file"])
    return None


def _load_text(value: Any, info: ValidationInfo) -> Any:
    path = file_of(value)
    return value if path is None else _loaded(_loader(info).text, path)


def load_structure(value: Any, info: ValidationInfo) -> Any:
    """What `{file: path}` names; any other value as it is."""
    path = file_of(value)
    return value if path is None else _loaded(_loader(info).structure, path)


def _loader(info: ValidationInfo) -> Loader:
    assert info.context is not None
    loader: Loader = info.context["loader"]
    return loader


def _loaded(read: Any, path: str) -> Any:
    try:
        return read(path)
    except NotLoadedError as error:
        about = {"problem": str(error), "hint": error.hint, "reported": error.reported}
        raise PydanticCustomError("file_not_loaded", "{problem}", about) from None


Text = Annotated[str, Strict(), BeforeValidator(_load_text)]
"""A text, or `{file: path}`."""

from_file = BeforeValidator(load_structure)
"""Marks a structure that may be written as `{file: path}`."""

Int = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Str = Annotated[str, Strict()]


NAME_HINT = "use lower-case letters, digits, - and _; start with a letter or digit; at most 63 characters"


def _name_hint(value: Any) -> str:
    """References are names: an address loses its kind, and a path gets a name first."""
    text = value if isinstance(value, str) else ""
    kind, _, name = text.partition(".")
    if kind in ("file", "grader", "job", "deployment") and NAME.match(name):
        return f"write {name}"
    if "/" in text or text.endswith(".jsonl"):
        return "declare it under files: and write its name here"
    return NAME_HINT


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        about = {"given": shown(value), "hint": _name_hint(value)}
        raise PydanticCustomError("bad_name", "must be a name, not {given}", about)
    return value


Name = Annotated[str, PlainValidator(_name)]


def auto_int(low: int, high: int | None = None) -> Any:
    """`auto`, or a whole number from `low` to `high`."""

    def check(value: Any) -> Any:
        if value == "auto":
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high and value > high):
            limits = f"from {low} to {high}" if high else f"of at least {low}"
            about = {"limits": limits, "given": shown(value)}
            raise PydanticCustomError("auto_int", "must be auto or a whole number {limits}, not {given}", about)
        return value

    return PlainValidator(check)


def auto_number(above: float, most: float | None = None) -> Any:
    """`auto`, or a number over `above` and at most `most`."""

    def check(value: Any) -> Any:
        if value == "auto":
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= above or (most and value > most):
            limits = f"over {_plain(above)}" + (f" and at most {_plain(most)}" if most else "")
            about = {"limits": limits, "given": shown(value)}
            raise PydanticCustomError("auto_number", "must be auto or a number {limits}, not {given}", about)
        return value

    return PlainValidator(check)


def _plain(number: float) -> str:
    """Without an exponent: 0.00001, 2."""
    return f"{number:.10f}".rstrip("0").rstrip(".")


class Lifecycle(SpecModel):
    """What must not happen to a resource."""

    prevent_destroy: Flag = False
    ignore_rules: tuple[Str, ...] = ()
    """Codes of findings that are not told of this resource."""


class ReplacedLifecycle(Lifecycle):
    """Of what is replaced when its spec changes: a job by another launch, a live model by another."""

    prevent_replace: Flag = False


class RetainedLifecycle(Lifecycle):
    """Of what something else is made from: `retain` keeps it at the service once that has happened."""

    retain: Flag = True


def written(spec: BaseModel) -> JsonObject:
    """The whole spec as JSON, defaults filled in: what is no part of its identity may be sent all the same."""
    # A default may stand for a member of its enum, which pydantic warns of and writes as it should.
    return cast(JsonObject, spec.model_dump(mode="json", warnings="none"))
