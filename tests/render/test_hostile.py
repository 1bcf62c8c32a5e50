"""Whatever text specs, models, services and saved plans carry through a renderer, nobody obeys or misreads it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import types
import typing
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final, ForwardRef, NotRequired, Union, get_args, get_origin, is_typeddict
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct

import rftplan.render
from rftplan import changes, errors, events, grader_tests
from rftplan.address import Address
from rftplan.amending.recovering import Fate
from rftplan.changes import Action, Hazard
from rftplan.config.request import Subject
from rftplan.doctor import About, State
from rftplan.errors import Severity
from rftplan.events import Outcome
from rftplan.grading import Flag, GraderType
from rftplan.monitor.ending import End
from rftplan.monitor.money import Basis
from rftplan.render import grade_shapes, look
from rftplan.render.documents import Command
from rftplan.render.escape import visible
from rftplan.render.look import Look, Tone
from rftplan.source.writing import written
from rftplan.trial import SAMPLE, Answer, Verdict, Why
from tests.render.test_shapes import SHAPES

PIECES: Final = [
    *("\x1b[2J", "\x9b31m", "\x1b]0;x\x07", "\x00", "\x08", "\x7f", "\r", "\t", "\n", "\x85", "\u2028"),
    *("\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\ud800", "\ufffe", "\U0010ffff"),
    *("::error::x", "\n::error::x", "::set-output name=a::b", "##[error]x", "##vso[task.x]", "%0A", ":", ","),
    *("]]>", "<b>&", '"', "`", "|", "**", "{{item.x}}", "../", "word", " ", "🙂", "ключ"),
]
HOSTILE: Final = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
ANYTHING: Final = HOSTILE | st.none() | st.lists(HOSTILE, max_size=2) | st.dictionaries(HOSTILE, HOSTILE, max_size=2)

WRITTEN_BY_US: Final[Mapping[str, Sequence[str]]] = {
    "action": list(Action),
    "outcome": list(Outcome),
    "severity": [one.value for one in Severity],
    "command": list(Command),
    "PlanDocument.mode": list(changes.Mode),
    "HazardDocument.code": list(Hazard),
    "RecoveredDocument.fate": list(Fate),
    "CheckDocument.subject": list(Subject),
    "SignDocument.about": list(About),
    "SignDocument.state": list(State),
    "TestResultDocument.verdict": list(grader_tests.Verdict),
    "EndingDocument.end": list(End),
    "MoneyDocument.basis": list(Basis),
    "GradeDocument.verdict": list(Verdict),
    "GradeDocument.why": list(Why),
    "GradeDocument.type": list(GraderType),
    "AnswersDocument.answer": [*Answer, SAMPLE],
    "GraderErrorDocument.flag": list(Flag),
    "RaisedErrorDocument.flag": list(Flag),
}
"""Fields that hold one word of an enum: of a document made in this process, or of one that `read_saved_plan` takes.
The reason of a change is none: a saved plan may have one of a newer rftplan."""

FED: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    # What the service says of a grader comes here from `remarks`, which has escaped it.
    "remark_line.text": HOSTILE.map(visible),
    "GeneratedDocument.specs": st.dictionaries(HOSTILE, ANYTHING, max_size=3).map(written),
    "DoctorDocument.provider": st.fixed_dictionaries({"type": HOSTILE, "base_url": HOSTILE}),
    "DoctorDocument.summary": st.fixed_dictionaries(dict.fromkeys(State, st.integers(0, 3))),
    "TestDocument.summary": st.fixed_dictionaries(dict.fromkeys(grader_tests.Verdict, st.integers(0, 3))),
    "program": st.just("rftplan"),
    "indent": st.sampled_from([0, 2]),
}
"""What cannot be made from a type alone."""
ONE_KIND: Final[Mapping[Any, st.SearchStrategy[Any]]] = {
    str: HOSTILE,
    Any: ANYTHING,
    int: st.integers(0, 50),
    float: st.floats(0, 1),
    bool: st.booleans(),
    types.NoneType: st.none(),
    Look: st.sampled_from([Look(), Look(width=40), Look(width=100)]),
    Address: st.just(Address("job", "review")),
}
NOT_WHOLE: Final = {"field_lines"}
"""Its path comes to it escaped; it is seen through all that show fields."""


def _renderers() -> dict[str, Callable[..., Any]]:
    """Every public function of the package that makes text for a person, a terminal or a CI."""
    modules = [
        importlib.import_module(m.name) for m in pkgutil.iter_modules(rftplan.render.__path__, "rftplan.render.")
    ]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and name.endswith(("_text", "_line", "_lines", "_question", "_xml", "_annotations"))
        and not name.startswith("_")
        and name not in NOT_WHOLE
    }


RENDERERS: Final = _renderers()


def _hints(of: Any) -> dict[str, Any]:
    """Types by name, those too that a module imports for its types alone."""
    generic = {"Sequence": Sequence, "Iterable": Iterable, "Mapping": Mapping}
    known = {**vars(typing), **SHAPES, **generic, "Json": Any, "JsonObject": dict[str, Any], "Address": Address}
    for module in (changes, errors, events, look, grade_shapes, importlib.import_module(of.__module__)):
        known = {**vars(module), **known}
    if is_typeddict(of):
        raw = of.__annotations__.items()
        return {n: eval(k.__forward_arg__, known) if isinstance(k, ForwardRef) else k for n, k in raw}
    return typing.get_type_hints(of, known)


@cache
def made(kind: Any, field: str, inside: str) -> st.SearchStrategy[Any]:
    """Values of a type, in which every text that others may have written is hostile."""
    at = f"{inside}.{field}"
    if at in FED or field in FED:
        return FED[at] if at in FED else FED[field]
    if kind is str and (words := WRITTEN_BY_US.get(at) or WRITTEN_BY_US.get(field)):
        return st.sampled_from(words).map(str)
    if kind in ONE_KIND:
        return ONE_KIND[kind]
    if is_typeddict(kind):
        return _document(kind)
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if inspect.isclass(kind) and issubclass(kind, Struct):
        return st.builds(kind, **{n: made(k, n, kind.__name__) for n, k in _hints(kind).items()})  # type: ignore[arg-type]
    return _several(kind, field, inside)


def _several(kind: Any, field: str, inside: str) -> st.SearchStrategy[Any]:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.one_of([made(part, field, inside) for part in args])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (dict, Mapping):
        return st.dictionaries(HOSTILE, made(args[1], field, inside), max_size=2)
    assert origin in (list, tuple, Sequence, Iterable), f"nobody knows how to make {kind} for {inside}.{field}"
    items = st.lists(made(args[0], field, inside), max_size=2)
    return items.map(tuple) if origin is tuple else items


def _document(kind: Any) -> st.SearchStrategy[Any]:
    needed, others = {}, {}
    for name, hint in _hints(kind).items():
        if get_origin(hint) is NotRequired:
            others[name] = made(get_args(hint)[0], name, kind.__name__)
        else:
            needed[name] = made(hint, name, kind.__name__)
    return st.fixed_dictionaries(needed, optional=others)


@cache
def arguments(name: str) -> st.SearchStrategy[dict[str, Any]]:
    hints = _hints(RENDERERS[name])
    return st.fixed_dictionaries({n: made(k, n, name) for n, k in hints.items() if n != "return"})


def obeyed(line: str) -> Iterator[str]:
    """What in a line moves a cursor, hides, turns text round, ends the line, or is a command to a CI."""
    yield from (f"U+{ord(c):04X}" for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    if line.lstrip().startswith("::") or "##[" in line or "##vso[" in line:
        yield line


def _lines(name: str, text: Any) -> list[str]:
    """The lines that a reader gets to see."""
    if name.endswith("_xml"):
        root = ElementTree.fromstring(text)  # one character that XML has not, and there is no root
        shown = [part for one in root.iter() for part in (*one.attrib.values(), *(one.text or "").split("\n"))]
        return [part.replace("::", "") for part in shown]  # no log
    if name.endswith("_annotations"):
        commands = [line.split("::") for line in text.splitlines()]
        assert all(first == "" and command.split(" ")[0] in KNOWN_COMMANDS for first, command, *_ in commands)
        return ["".join(parts) for parts in commands]
    if name in PARTS:
        return [line.replace("::", "") for line in ([text] if isinstance(text, str) else text)]
    return text.split("\n") if isinstance(text, str) else list(text)


KNOWN_COMMANDS: Final = {"error", "warning", "notice"}
PARTS: Final = {"reason_text", "evidence_lines", "estimate_lines", "output_lines", "fault_text"}
"""Of a text that `joined` makes: there alone a leading `::` is seen."""
FEW: Final = settings(
    max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)


def test_every_renderer_is_looked_at() -> None:
    assert len(RENDERERS) >= 45 and set(RENDERERS) >= {"plan_text", "apply_text", "junit_xml", "github_annotations"}


@pytest.mark.parametrize("name", RENDERERS)
@FEW
@given(data=st.data())
def test_nothing_hostile_comes_out_of_a_renderer(name: str, data: st.DataObject) -> None:
    text = RENDERERS[name](**data.draw(arguments(name)))
    assert [found for line in _lines(name, text) for found in obeyed(line)] == []


@FEW
@given(HOSTILE)
def test_colours_do_not_carry_hostile_text_either(text: str) -> None:
    said = look.ansi(Tone.BAD, visible(text))
    assert list(obeyed(said.removeprefix("\x1b[31m").removesuffix("\x1b[0m").replace("::", ""))) == []
