"""What a spec model rejected, in words a person can act on. Knows pydantic's error types, no kind and no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from pydantic import ValidationError

from rftplan.codes import BAD_NAME, FILE_NOT_LOADED, MISSING_KEY, NOT_BUILT, UNKNOWN_KEY, WRONG_VALUE, Code
from rftplan.kinds.spec import SECRET_NAMES, Context, SpecModel, shown
from rftplan.source.scalars import plain_value
from rftplan.spelling import close_names

_WANTED: Final[Mapping[str, str]] = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_BOUNDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than_equal": lambda bound: f"at least {bound['ge']}",
    "greater_than": lambda bound: f"above {bound['gt']:g}",
    "less_than_equal": lambda bound: f"at most {bound['le']}",
}
_CODES: Final[Mapping[str, Code]] = {"bad_name": BAD_NAME, "not_built": NOT_BUILT, "file_not_loaded": FILE_NOT_LOADED}
_NOT_BUILT_HINT: Final = "take it out, or use a newer rftplan"

_NAMED: Final = 2
"""Of the path to a value, so many parts are named: the place has the rest."""

Path = tuple[str | int, ...]


class Misfit(Struct, frozen=True):
    """One thing wrong. `path` leads to it inside the value, or inside what `{file: inside}` loaded.

    `key` is set if the fault is a key that is missing there; `at_key` if the last key of the path is what to
    point at, not its value.
    """

    code: Code
    path: Path
    detail: str
    hint: str | None = None
    inside: str | None = None
    key: str | None = None
    at_key: bool = False

    @property
    def said(self) -> str:
        """The detail, with the key that a value belongs to before it: `hyperparameters.n_epochs: must be …`."""
        if self.code is not WRONG_VALUE or self.at_key or not self.path:
            return self.detail
        parts = self.path[-_NAMED:]
        named = parts[1:] if isinstance(parts[0], int) else parts
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in named).removeprefix(".")
        return f"{key}: {self.detail}" if key and not self.detail.startswith(f"{parts[-1]} ") else self.detail


class _Spot(Struct, frozen=True):
    """Where an error of pydantic's is: its path without the parts that only name a member of a union."""

    path: Path
    inside: str | None
    around: Any
    """The list or mapping that holds the last part of the path."""


def describe(error: ValidationError, value: Any, context: Context, loaded: Mapping[str, Any]) -> list[Misfit]:
    """Every misfit once; of several at one place the first. `loaded`: what each `{file: path}` gave."""
    found: dict[tuple[str | None, Path, str | None], Misfit] = {}
    for item in error.errors(include_url=False):
        if item.get("ctx", {}).get("reported") or _counts_only_good_items(item):
            continue
        misfit = _misfit(item, _spot(item["loc"], value, loaded), context)
        found.setdefault((misfit.inside, misfit.path, misfit.key), misfit)
    return _without_shadows(list(found.values()))


def _counts_only_good_items(item: Any) -> bool:
    """A list is "too short" for pydantic where an item has a fault, which is reported by itself."""
    return bool(item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"])


def _without_shadows(misfits: list[Misfit]) -> list[Misfit]:
    """A key that is missing only because one that is not built, or a misspelt one, stands for it is asked for once."""
    unbuilt = {(m.inside, m.path[:-1]) for m in misfits if m.code is NOT_BUILT}
    misspelt = {(m.inside, m.path[:-1], m.hint) for m in misfits if m.code is UNKNOWN_KEY}
    return [
        m
        for m in misfits
        if m.code is not MISSING_KEY
        or ((m.inside, m.path) not in unbuilt and (m.inside, m.path, _meant(str(m.key))) not in misspelt)
    ]


def _spot(loc: Sequence[str | int], value: Any, loaded: Mapping[str, Any]) -> _Spot:
    path: Path = ()
    inside: str | None = None
    around: Any = None
    for part in loc:
        file = value.get("file") if isinstance(value, Mapping) and len(value) == 1 else None
        if part != "file" and isinstance(file, str) and file in loaded:
            value, inside, path = loaded[file], file, ()
        if _holds(value, part):
            around, value, path = value, value[part], (*path, part)
    return _Spot(path, inside, around)


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def _misfit(item: Any, spot: _Spot, context: Context) -> Misfit:
    kind: str = item["type"]
    match kind:
        case "extra_forbidden":
            return _unknown_key(str(item["loc"][-1]), spot, context)
        case "missing":
            return _missing(str(item["loc"][-1]), spot)
        case "union_tag_not_found":
            return _missing("type", spot)
        case "union_tag_invalid":
            known = str(item["ctx"]["expected_tags"]).replace("'", "").split(", ")
            tag = str(item["ctx"]["tag"])
            path = (*spot.path, "type")
            return Misfit(
                WRONG_VALUE,
                path,
                f'type "{tag}" is not one of {_or(known)}',
                closest(tag, known) or "choose one of them",
                spot.inside,
            )
        case _:
            detail, hint = _wanted(item)
            code = _CODES.get(kind, WRONG_VALUE)
            at_key = item["loc"][-1:] == ("[key]",)
            return Misfit(code, spot.path, detail, hint, spot.inside, at_key=at_key)


def _missing(key: str, spot: _Spot) -> Misfit:
    return Misfit(MISSING_KEY, spot.path, f'"{key}" is required here', f"add {key}:", spot.inside, key, at_key=True)


def _unknown_key(key: str, spot: _Spot, context: Context) -> Misfit:
    model = next((m for mapping, m in context["misread"] if mapping is spot.around), SpecModel)
    if key in model.later:
        detail = f"{key}: is part of the language, but this version does not carry it out"
        return Misfit(NOT_BUILT, spot.path, detail, _NOT_BUILT_HINT, spot.inside, at_key=True)
    fields = list(model.field_names())
    hint = closest(key, fields) or (f"fields here are {', '.join(fields)}" if fields else None)
    if key.lower() in SECRET_NAMES:
        hint = _secret_hint(model.key_variable)
    return Misfit(UNKNOWN_KEY, spot.path, f'"{key}" is not a field here', hint, spot.inside, at_key=True)


def section_hint(key: str, known: Sequence[str]) -> str:
    """What to write in place of a section that there is not."""
    if key.lower() in SECRET_NAMES:
        return _secret_hint()
    return closest(key, known) or f"sections are {', '.join(known)}"


def _secret_hint(variable: str = SpecModel.key_variable) -> str:
    """What to do about a key that somebody wrote where everybody can read it."""
    return f"keys never go into specs: set {variable}"


def _wanted(item: Any) -> tuple[str, str | None]:
    """What was wanted and what was given; and what to do, where that is more than to write the one for the other."""
    kind, given, about = item["type"], item["input"], item.get("ctx", {})
    if kind in ("literal_error", "enum"):
        known = str(about["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        hint = closest(given, known) if isinstance(given, str) else None
        choose = "choose one of them" if len(known) > 1 else f"write {known[0]}, or take it out"
        return f"must be {_or(known)}, not {shown(given)}", hint or choose
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {shown(given)}", _hint_for(kind, given)
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind](about)}, not {shown(given)}", None
    if kind in ("too_short", "string_too_short"):
        return _too_short(int(about["min_length"]), given), None
    if kind in ("too_long", "string_too_long"):
        return f"must have at most {_counted(int(about['max_length']), given)}, not {len(given)}", None
    if kind in ("auto_int", "auto_number") and _is_quoted(given):
        return str(item["msg"]), "take the quotes away"
    return str(item["msg"]), about.get("hint")


def _hint_for(kind: str, given: Any) -> str:
    """What to write in place of a value of the wrong type."""
    if given is None:
        return "write a value after the colon"
    match _WANTED.get(kind):
        case "a text":
            scalar = isinstance(given, bool | int | float)
            return f'put quotes around it: "{shown(given)}"' if scalar else "write one text here"
        case "a mapping":
            return "give each item a name: `NAME: {…}`" if kind == "dict_type" else "write `key: value` pairs here"
        case "a list":
            return f"write a list: [{shown(given)}]"
        case "true or false":
            return _hint_for_flag(given)
        case "a whole number" if isinstance(given, float) and given.is_integer():
            return f"write {given:.0f}"
        case _:
            return "take the quotes away" if _is_quoted(given) else "write a number"


def _hint_for_flag(given: Any) -> str:
    """`yes` was true in YAML 1.1, and many people still write it."""
    for meant, words in (("true", ("yes", "on", 1, "true")), ("false", ("no", "off", 0, "false"))):
        if given in words:
            return f"write {meant}, without quotes"
    return "write true or false, without quotes"


def _is_quoted(given: Any) -> bool:
    """A number that is a text only for its quotes."""
    try:
        return isinstance(given, str) and given.strip() != "" and isinstance(plain_value(given), int | float)
    except ValueError:
        return False


def _too_short(least: int, given: Any) -> str:
    if least == 1:
        return "must not be empty"
    return f"must have at least {_counted(least, given)}, not {len(given)}"


def _counted(count: int, given: Any) -> str:
    noun = "character" if isinstance(given, str) else "item"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def closest(word: str, known: Sequence[str]) -> str | None:
    """`did you mean "…"?` if anything known is close."""
    close = close_names(word, known)
    return _meant(close[0]) if close else None


def _meant(word: str) -> str:
    return f'did you mean "{word}"?'
