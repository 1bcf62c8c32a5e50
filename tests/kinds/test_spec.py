"""The building blocks of the spec models: nothing is coerced, files stand for texts and structures."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rftplan.address import NAME
from rftplan.kinds.spec import Context, Int, Name, NotLoadedError, Text, auto_int, auto_number, from_file, shown


class Files:
    """What `{file: path}` finds."""

    def __init__(self, **there: Any) -> None:
        self._there = there

    def text(self, path: str) -> str:
        found: str = self.structure(path)
        return found

    def structure(self, path: str) -> Any:
        if path not in self._there:
            raise NotLoadedError(f'"{path}" is not there', hint="write it", reported=path == "torn")
        return self._there[path]


def read(kind: Any, value: Any, **there: Any) -> Any:
    context: Context = {"loader": Files(**there), "misread": []}
    return TypeAdapter(kind).validate_python(value, context=context)


def problem(kind: Any, value: Any, **there: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        read(kind, value, **there)
    (only,) = caught.value.errors()
    return only


def test_a_text_is_itself_or_what_a_file_says() -> None:
    assert read(Text, "hello") == "hello"
    assert read(Text, {"file": "prompt"}, prompt="from the file") == "from the file"


@pytest.mark.parametrize("value", [3, None, ["a"], {"file": 3}, {"file": "prompt", "more": 1}])
def test_nothing_else_is_a_text(value: Any) -> None:
    assert problem(Text, value, prompt="x")["type"] == "string_type"


@pytest.mark.parametrize(("path", "reported"), [("gone", False), ("torn", True)])
def test_a_file_that_is_not_loaded_is_a_finding_with_its_hint(path: str, reported: bool) -> None:
    """NotLoadedError becomes pydantic's own kind of error, so that all findings come at once."""
    found = problem(Text, {"file": path})
    assert (found["type"], found["msg"]) == ("file_not_loaded", f'"{path}" is not there')
    assert (found["ctx"]["hint"], found["ctx"]["reported"]) == ("write it", reported)


def test_not_loaded_error_says_what_is_missing_and_no_more_by_itself() -> None:
    error = NotLoadedError("x is not there")
    assert (str(error), error.hint, error.reported) == ("x is not there", None, False)


def test_a_structure_may_come_from_a_file_too() -> None:
    kind = Annotated[dict[str, Any], from_file]
    assert read(kind, {"file": "schema"}, schema={"type": "object"}) == {"type": "object"}
    assert read(kind, {"file": "schema", "more": 1}) == {"file": "schema", "more": 1}
    assert problem(kind, {"file": "gone"})["type"] == "file_not_loaded"


@pytest.mark.parametrize("value", [True, "3", 3.0])
def test_a_number_is_not_guessed_from_something_like_it(value: Any) -> None:
    assert problem(Int, value)["type"] == "int_type"


@given(st.one_of(st.text(), st.integers(), st.none()))
def test_a_name_is_exactly_what_addresses_take(value: Any) -> None:
    if isinstance(value, str) and NAME.match(value):
        assert read(Name, value) == value
    else:
        assert problem(Name, value)["type"] == "bad_name"


@given(st.one_of(st.integers(-5, 40), st.booleans(), st.sampled_from(["auto", "5", 5.5, None])))
def test_auto_or_a_whole_number_in_its_limits(value: Any) -> None:
    fits = value == "auto" or (type(value) is int and 1 <= value <= 30)
    validated: TypeAdapter[Any] = TypeAdapter(Annotated[Any, auto_int(1, 30)])
    if fits:
        assert validated.validate_python(value) == value
    else:
        with pytest.raises(ValidationError, match="must be auto or a whole number from 1 to 30"):
            validated.validate_python(value)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "1", None])
def test_numbers_out_of_their_limits_say_the_limits_in_plain_digits(value: Any) -> None:
    kind: TypeAdapter[Any] = TypeAdapter(Annotated[Any, auto_number(0, 2)])
    with pytest.raises(ValidationError, match="must be auto or a number over 0 and at most 2"):
        kind.validate_python(value)
    assert TypeAdapter(Annotated[Any, auto_number(0.00001)]).validate_python(0.5) == 0.5


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_a_value_in_a_message_is_short(value: Any) -> None:
    assert len(shown(value)) <= 60


def test_a_value_that_json_cannot_carry_is_shown_all_the_same() -> None:
    assert shown({1}) == "{1}"
