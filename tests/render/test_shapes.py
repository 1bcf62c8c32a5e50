"""The documents: docs/json.md says every field of every one, and what the commands print is what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, is_typeddict

import pytest
import typer

import rftplan
from rftplan import grader_tests
from rftplan.address import Address
from rftplan.amending.recovering import Fate, Recovered, Recovery
from rftplan.changes import Action, Hazard, Mode, Reason
from rftplan.cli.app import make_app
from rftplan.cli.boundary import main
from rftplan.cli.exit_codes import ExitCode
from rftplan.doctor import About, State
from rftplan.errors import RejectedError, RftplanError, Severity, SpecError
from rftplan.events import Outcome
from rftplan.file_lock import Holder, Standing
from rftplan.importing import Ground
from rftplan.monitor import News
from rftplan.monitor.ending import End
from rftplan.monitor.money import Basis
from rftplan.render import (
    amending_shapes,
    doctor_shapes,
    error_shapes,
    grade_shapes,
    import_shapes,
    intervention_shapes,
    monitor_shapes,
    saved_shapes,
    shapes,
    testing_shapes,
)
from rftplan.render.amending_documents import recover_document, unlock_document
from rftplan.render.error_document import OTHER_CODES, declined_document, error_document
from rftplan.render.import_text import GROUNDS
from rftplan.render.reasons import PHRASES
from rftplan.trial import SAMPLE, Answer, Verdict, Why
from tests.test_errors import tree
from tests.world import Small

PAGE = Path(rftplan.__file__).parents[1] / "docs" / "json.md"
SHAPES = {
    name: shape
    for module in (
        shapes,
        saved_shapes,
        grade_shapes,
        testing_shapes,
        doctor_shapes,
        error_shapes,
        intervention_shapes,
        import_shapes,
        monitor_shapes,
        amending_shapes,
    )
    for name, shape in vars(module).items()
}
SCALARS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    NoneType: "null",
}


def documents() -> dict[str, Any]:
    """Every shape by the word that the page calls it: `ServiceFaultDocument` → `service fault`."""
    named = {name: value for name, value in SHAPES.items() if is_typeddict(value)}
    return {_word(name): shape for name, shape in named.items()}


def _word(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Document")).lower()


def _hints(shape: Any) -> dict[str, Any]:
    known = {**SHAPES, "Json": Any, "JsonObject": dict[str, Any]}
    return {name: eval(written.__forward_arg__, known) for name, written in shape.__annotations__.items()}


def said(kind: Any) -> str:
    """A type in the page's words."""
    if get_origin(kind) is NotRequired:
        return f"{said(get_args(kind)[0])}, may be missing"
    if kind in SCALARS:
        return SCALARS[kind]
    if is_typeddict(kind):
        return _word(kind.__name__)
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(said(part) for part in get_args(kind))
    if get_origin(kind) is list:
        return f"list of {said(get_args(kind)[0])}"
    if get_origin(kind) is dict and get_args(kind)[1] is not Any:
        return f"{said(get_args(kind)[1])} by name"
    return "JSON object" if get_origin(kind) is dict else "any JSON"


@cache
def sections() -> dict[str, str]:
    """The page's text under each heading of the third level, by the heading's first words."""
    parts = re.split(r"^### (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {heading.split(" – ")[0]: text for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.mark.parametrize("word", documents())
def test_every_field_of_a_document_is_on_the_page_with_its_type_and_meaning(word: str) -> None:
    assert word in sections(), f"docs/json.md has no section on {word}"
    written = rows(sections()[word])
    expected = [[f"`{name}`", said(kind)] for name, kind in _hints(documents()[word]).items()]
    assert [row[:2] for row in written] == expected
    assert all(len(row) == 3 and row[2] for row in written)


def _listed(heading: str) -> dict[str, str]:
    return {row[0].strip("`"): row[1] for row in rows(sections()[heading])}


def test_every_word_that_a_field_may_have_is_on_the_page() -> None:
    assert list(_listed("actions")) == [action.value for action in Action]
    assert list(_listed("verdicts")) == [verdict.value for verdict in Verdict]
    assert list(_listed("why")) == [why.value for why in Why]
    assert list(_listed("fates")) == [fate.value for fate in Fate]
    assert list(_listed("kinds of answers")) == [*Answer, SAMPLE]
    assert list(_listed("verdicts of tests")) == [*grader_tests.Verdict]
    assert list(_listed("outcomes")) == [outcome.value for outcome in Outcome]
    assert list(_listed("hazards")) == [hazard.value for hazard in Hazard]
    assert list(_listed("modes")) == [mode.value for mode in Mode]
    assert list(_listed("severities")) == [severity.value for severity in Severity]
    assert list(_listed("what a doctor looks at")) == [about.value for about in About]
    assert list(_listed("states")) == [state.value for state in State]
    assert _listed("grounds") == {ground.value: GROUNDS[ground.value] for ground in Ground}
    assert list(_listed("news")) == [news.value for news in News]
    assert list(_listed("ends")) == [end.value for end in End]
    assert list(_listed("bases of money")) == [basis.value for basis in Basis]
    assert _listed("reasons") == {reason.value: PHRASES[reason] for reason in Reason}
    assert list(_listed("exit codes")) == [str(code.value) for code in ExitCode]


def test_every_code_of_an_error_is_on_the_page() -> None:
    assert set(tree()) | {"RftplanError"} == {error.__name__ for error in _errors()}
    assert set(_listed("error codes")) == {error.error_code for error in _errors()} | set(OTHER_CODES)


def _errors() -> Iterator[type[RftplanError]]:
    waiting: list[type[RftplanError]] = [RftplanError]
    for error in waiting:
        yield error
        waiting += [below for below in error.__subclasses__() if below.__module__.startswith("rftplan.")]


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, sub in getattr(command, "commands", {}).items():
        yield from _commands(sub, (*path, name))
    if any("--json" in parameter.opts for parameter in command.params):
        yield " ".join(path)


def test_every_command_with_json_is_on_the_page() -> None:
    named = re.findall(r"^\| `rftplan ([a-z ]+?)(?: [A-Z]+)* --json` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted(_commands(typer.main.get_command(make_app())))


def fits(value: Any, kind: Any, where: str = "") -> list[str]:
    """Where a value is not what its type says, or has what its type does not know."""
    if get_origin(kind) is NotRequired:
        return fits(value, get_args(kind)[0], where)
    if is_typeddict(kind):
        if not isinstance(value, dict):
            return [where]
        hints = _hints(kind)
        missing = [
            f"{where}.{n} is missing" for n, k in hints.items() if n not in value and get_origin(k) is not NotRequired
        ]
        unknown = [f"{where}.{name} is not on the page" for name in value.keys() - hints.keys()]
        deeper = [found for n, v in value.items() if n in hints for found in fits(v, hints[n], f"{where}.{n}")]
        return missing + unknown + deeper
    if get_origin(kind) in (Union, UnionType):
        tried = [fits(value, part, where) for part in get_args(kind)]
        return [] if [] in tried else tried[0]
    if get_origin(kind) is list:
        items = enumerate(value) if isinstance(value, list) else [(0, None)]
        return [found for n, item in items for found in fits(item, get_args(kind)[0], f"{where}[{n}]")]
    if get_origin(kind) is dict:
        items = value.items() if isinstance(value, dict) else [(None, None)]
        return [found for n, item in items for found in fits(item, get_args(kind)[1], f"{where}.{n}")]
    if kind is Any or (kind is float and type(value) is int) or type(value) is kind:
        return []
    return [f"{where} is {value!r}, not {said(kind)}"]


FORMATS = {
    "rftplan.check/1": shapes.CheckDocument,
    "rftplan.plan/1": shapes.PlanDocument,
    "rftplan.saved-plan/1": saved_shapes.SavedPlanDocument,
    "rftplan.apply/1": shapes.ApplyDocument,
    "rftplan.status/1": shapes.StatusDocument,
    "rftplan.state/1": shapes.StateDocument,
    "rftplan.entry/1": shapes.EntryDocument,
    "rftplan.hold/1": amending_shapes.HoldDocument,
    "rftplan.release/1": amending_shapes.ReleaseDocument,
    "rftplan.recover/1": amending_shapes.RecoverDocument,
    "rftplan.unlock/1": amending_shapes.UnlockDocument,
    "rftplan.move/1": amending_shapes.MoveDocument,
    "rftplan.forget/1": amending_shapes.ForgetDocument,
    "rftplan.intervention/1": intervention_shapes.InterventionDocument,
    "rftplan.watch/1": monitor_shapes.WatchDocument,
    "rftplan.events/1": monitor_shapes.EventsDocument,
    "rftplan.metrics/1": monitor_shapes.MetricsDocument,
    "rftplan.checkpoints/1": monitor_shapes.CheckpointsDocument,
    "rftplan.samples/1": monitor_shapes.SamplesDocument,
    "rftplan.import/1": import_shapes.ImportDocument,
    "rftplan.generated/1": import_shapes.GeneratedDocument,
    "rftplan.accept/1": import_shapes.AcceptDocument,
    "rftplan.explain/1": shapes.ExplainDocument,
    "rftplan.codes/1": shapes.CodesDocument,
    "rftplan.grade/1": grade_shapes.GradeDocument,
    "rftplan.test/1": testing_shapes.TestDocument,
    "rftplan.doctor/1": doctor_shapes.DoctorDocument,
    "rftplan.version/1": shapes.VersionDocument,
    "rftplan.error/1": error_shapes.ErrorDocument,
}


def test_the_page_names_every_format() -> None:
    assert set(re.findall(r"rftplan\.[a-z-]+/1", PAGE.read_text())) == {*FORMATS, "rftplan.lock/1"}


def printed(small: Small, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    main(["-C", str(small.root), *words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_what_the_commands_print_is_what_the_page_says(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    samples = str(small.root / "samples.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RFTPLAN_LOCAL_SPEED", "100000")
        seen = [printed(small, capsys, *words) for words in (["check"], ["plan"], ["status"], ["doctor"])]
        seen += [printed(small, capsys, "state", "list")]
        seen += [printed(small, capsys, "apply", "--yes", "--wait"), printed(small, capsys, "plan")]
        looked = [printed(small, capsys, word, "job.review") for word in ("watch", "events", "metrics", "checkpoints")]
        step = str(looked[-1]["checkpoints"][0]["step"])
        looked += [printed(small, capsys, "samples", "job.review", "--step", step, "--against", step)]
        outputs = printed(small, capsys, "output")
        seen += [printed(small, capsys, "import", "--generate", "--all")]
        job_id = seen[-2]["changes"][-2]["detail"].split()[0]
        seen += [printed(small, capsys, "import", "job.review", job_id)]
        small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
        seen += [printed(small, capsys, "accept", "job.review", "--reason", "as good")]
        saved = str(small.root / "plan.json")
        seen += [printed(small, capsys, "plan", "--out", saved), json.loads(Path(saved).read_text())]
        seen += [printed(small, capsys, "show", saved)]
        small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 1.5")
        seen += [printed(small, capsys, "plan"), printed(small, capsys, "release", "job.review")]
        seen += [printed(small, capsys, *words) for words in (["state", "list"], ["state", "show", "job.review"])]
        seen += [printed(small, capsys, "hold", "job.review", "--reason", "wait")]
        seen += [printed(small, capsys, *words) for words in (["release", "job.review"], ["recover"], ["unlock"])]
        seen += [printed(small, capsys, "state", "mv", "grader.match", "grader.other")]
        seen += [printed(small, capsys, "state", "rm", "grader.other", "--yes")]
        seen += [printed(small, capsys, "cancel", "job.review", "--yes")]
        seen += [printed(small, capsys, "destroy", "--yes"), printed(small, capsys, "version")]
        small.write("samples.jsonl", '{"sample": "3", "item": {"answer": "3"}}\n{"sample": "", "item": {}}\n')
        seen += [printed(small, capsys, "test")]
        test = '{"grader": "match", "item": {"answer": "3"}, "sample": "3", "expect": {"min": 2}}'
        small.write("specs/tests.yaml", f'{{"tests": {{"one": {test}}}}}')
        seen += [printed(small, capsys, "test")]
        seen += [printed(small, capsys, "grade"), printed(small, capsys, "grade", "--samples", samples)]
        seen += [printed(small, capsys, "explain"), printed(small, capsys, "explain", "s101")]
        small.edit("specs/main.yaml", "jobs:", "jbos:")
        seen += [printed(small, capsys, "check"), printed(small, capsys, "plan")]
    assert outputs and all(fits(one, shapes.OutputDocument) == [] for one in outputs.values())
    for document in (seen := [*seen, *looked]):
        assert fits(document, FORMATS[document["format"]], document["format"]) == []
    assert {document["format"] for document in seen} == FORMATS.keys()


SETTLED = Recovered(Address("job", "review"), "launch", 0, Fate.RECORDED, "ftjob-1", "running")
LEFT = Recovered(Address("job", "other"), "launch", 0, Fate.OPEN, detail="may appear", settles_in=120, next_verb="x")
HOLDER = Holder("apply", "sven", "build-7", 4711, "2026-11-23 06:51:47")


def test_the_rarer_documents_are_what_the_page_says_too() -> None:
    fault = RejectedError("no", status=400, code="bad", param="model", request_id="req_1")
    errors = (fault, ExceptionGroup("tasks", [fault, KeyError("x")]), KeyboardInterrupt())
    rare = [
        (recover_document(Recovery((SETTLED, LEFT), 3, SpecError(()))), amending_shapes.RecoverDocument),
        (unlock_document(Standing(True, HOLDER, Path("folder")), broken=True), amending_shapes.UnlockDocument),
        (declined_document(exit_code=1), error_shapes.ErrorDocument),
        *((error_document(error, exit_code=1), error_shapes.ErrorDocument) for error in errors),
    ]
    assert [found for document, shape in rare for found in fits(document, shape)] == []
