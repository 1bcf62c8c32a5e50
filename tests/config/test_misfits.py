"""What pydantic rejects, in our words; and that no words of pydantic's get through."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from rftplan.config.misfits import Misfit, closest, describe
from rftplan.config.project_spec import PolicySpec, ProjectSpec
from rftplan.kinds import KINDS
from rftplan.kinds.spec import Context, Flag, Int, Name, Number, SpecModel, Str
from tests.test_loading import FULL, GARBAGE, paths_in


class Wheel(SpecModel):
    later = frozenset({"spare"})

    spokes: Annotated[Int, Field(ge=3, le=36)]
    hub: Str = Field(default="plain", alias="axle")


class Bicycle(SpecModel):
    wheels: Annotated[tuple[Wheel, ...], Field(min_length=2, max_length=2)]
    bell: Flag = False
    weight: Number = 1.0
    owner: Name | None = None


def misfits(value: Any, model: Any = Bicycle, loaded: dict[str, Any] | None = None) -> list[Misfit]:
    context = Context(loader=None, misread=[])  # type: ignore[typeddict-item]
    try:
        TypeAdapter(model).validate_python(value, context=context)
    except ValidationError as error:
        return describe(error, value, context, loaded or {})
    return []


GOOD = {"spokes": 3}


def test_a_good_value_has_no_misfit() -> None:
    assert misfits({"wheels": [GOOD, GOOD]}) == []


def test_the_path_leads_to_the_fault() -> None:
    (found,) = misfits({"wheels": [GOOD, {"spokes": 37}]})
    assert (found.path, found.detail) == (("wheels", 1, "spokes"), "must be at most 36, not 37")


def test_a_missing_key_points_at_what_lacks_it() -> None:
    (found,) = misfits({"wheels": [GOOD, {}]})
    assert (found.path, found.key, found.at_key) == (("wheels", 1), "spokes", True)


def test_a_close_key_is_suggested_from_the_fields_that_are_right_here() -> None:
    (found,) = misfits({"wheels": [GOOD, {"spokes": 3, "weight": 1}]})
    assert (found.code.code, found.hint) == ("S202", "fields here are spokes, axle")
    (found,) = misfits({"wheels": [GOOD, GOOD], "belll": True})
    assert found.hint == 'did you mean "bell"?'


def test_a_key_of_a_later_version_is_not_unknown() -> None:
    found = misfits({"wheels": [GOOD, {"spokes": 3, "spare": 1}]})
    assert [one.code.code for one in found] == ["S209"]


def test_a_key_is_not_asked_for_where_a_later_one_stands_for_it() -> None:
    found = misfits({"wheels": [GOOD, {"spare": 1}]})
    assert [one.code.code for one in found] == ["S209"]


def test_a_list_is_not_too_short_for_the_faults_of_its_items() -> None:
    (found,) = misfits({"wheels": [GOOD, 3]})
    assert found.path == ("wheels", 1)
    (found,) = misfits({"wheels": [GOOD]})
    assert found.detail == "must have at least 2 items, not 1"


def test_all_of_several_faults_are_found() -> None:
    found = misfits({"wheels": [{"spokes": True}, {"spokes": 2}], "bell": "on", "weight": "1", "owner": "Ana"})
    assert [(one.detail, one.hint) for one in found] == [
        ("must be a whole number, not true", "write a number"),
        ("must be at least 3, not 2", None),
        ('must be true or false, not "on"', "write true, without quotes"),
        ('must be a number, not "1"', "take the quotes away"),
        (
            'must be a name, not "Ana"',
            "use lower-case letters, digits, - and _; start with a letter or digit; at most 63 characters",
        ),
    ]


def test_a_fault_inside_a_loaded_file_is_told_from_its_top() -> None:
    value = {"wheels": [GOOD, {"file": "wheel.json"}]}
    context = Context(loader=None, misread=[])  # type: ignore[typeddict-item]
    loaded = {"spokes": 99}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Bicycle).validate_python({"wheels": [GOOD, loaded]}, context=context)
    (found,) = describe(caught.value, value, context, {"wheel.json": loaded})
    assert (found.inside, found.path) == ("wheel.json", ("spokes",))


def test_long_values_are_cut() -> None:
    (found,) = misfits({"wheels": "x" * 500})
    assert len(found.detail) < 100


def test_closest_says_nothing_where_nothing_is_close() -> None:
    assert closest("zzz", ["abc"]) is None


FOREIGN = re.compile(
    r"(?:Input|Value|String|List|Dictionary|Tuple|Set) should|pydantic|\{\{[^a]|Extra inputs|Field required|"
    r"valid (?:string|integer|number|dict|list|tuple)"
)


@pytest.mark.parametrize("section", ["project", "policy", "files", "graders", "jobs", "deployments"])
def test_no_words_of_the_validator_reach_a_person(section: str) -> None:
    adapters: dict[str, TypeAdapter[Any]] = {kind.section: kind.adapter for kind in KINDS.values()}
    adapters |= {"project": TypeAdapter(ProjectSpec), "policy": TypeAdapter(PolicySpec)}
    single = section in ("project", "policy")
    for body in [FULL[section]] if single else FULL[section].values():
        for path in paths_in(body):
            for garbage in GARBAGE:
                for found in _told(adapters[section], _with(body, path, garbage)):
                    assert not FOREIGN.search(found.detail), found


def _with(body: Any, path: tuple[Any, ...], garbage: Any) -> Any:
    if not path:
        return garbage
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = _with(copy[path[0]], path[1:], garbage)
    return copy


class _NoFiles:
    """Files that all hold the same."""

    def text(self, path: str) -> str:
        return path

    def structure(self, path: str) -> Any:
        return {"type": "object"}


def _told(adapter: TypeAdapter[Any], value: Any) -> list[Misfit]:
    context = Context(loader=_NoFiles(), misread=[])
    try:
        adapter.validate_python(value, context=context)
    except ValidationError as error:
        return describe(error, value, context, {})
    return []
