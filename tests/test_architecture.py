"""The house, proved: which way imports point, who may use what, how long things are. Mostly reads the source."""

from __future__ import annotations

import ast
import inspect
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import rftplan
from rftplan.address import Address
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, Reason
from rftplan.events import Outcome, Result
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, Kind, Ref, Resource, Situation, result
from rftplan.kinds.spec import SpecModel, Str
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry
from tests.world import Small

ROOT = Path(rftplan.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    # Each module imports only from the layers above its own line, and from its own line.
    ("errors", "address", "canonical", "typed_json", "days", "spelling", "judging"),
    (
        "codes",
        "api.endpoint",
        "api.question",
        "api.port",
        "api.wire",
        "api.paging",
        "api.upload",
        "api.faults",
        "api.limits",
        "api.pacing",
        "api.ways",
        "api.secrets",
        "api.sampled",
        "estimate",
        "changes",
    ),
    ("api.profiles", "reading"),
    ("diff", "events", "grading", "api.identity", "api.credentials"),
    ("source", "data"),
    ("evaluating",),
    ("lockfile",),
    ("journal", "lock_on_disk", "ledger", "ownership", "promoted"),
    ("kinds",),
    ("config",),
    ("graph",),
    ("checks", "moving", "observe", "blocking", "places", "selecting", "planner", "refresh", "safety"),
    ("data_files", "service_choice", "ignoring"),
    ("loading", "checking.request", "checking.asking", "checking.samples"),
    ("subject",),
    ("carrying",),
    ("queueing",),
    ("following",),
    ("execution", "monitor"),
    ("in_process", "file_lock", "patience"),
    ("wiring",),
    ("trial", "opening", "made_from", "evaluations"),
    ("planning",),
    ("applying",),
    ("refreshing",),
    ("project", "accepting", "importing", "trying", "checking", "grader_tests", "doctor"),
    ("intervening", "amending"),
    ("watching",),
    ("render",),
    ("cli",),
    ("__main__",),
)
"""DESIGN §10, with every module that came since. A package stands for all that is in it unless a part is named."""

ISLANDS = {"server": {"grading"}, "grading": set[str]()}
"""Packages that import nothing else of the project, so that they cannot share its misunderstandings."""

WIRED = {"api.openai": {"wiring"}, "server": {"wiring", "in_process", "cli.service", "cli.loopback"}}
"""Adapters, and the only modules that import them."""

OUTSIDE = {
    "openai": {"api.openai"},
    "yaml": {"source"},
    "deepdiff": {"diff"},
    "typer": {"cli"},
    "rich": {"cli", "render"},
    "starlette": {"server"},
    "python_multipart": {"server"},
    "sqlite3": {"server"},
    "uvicorn": {"cli.service", "cli.loopback"},
    "difflib": {"spelling", "data_files", "render.difference"},
    "filelock": {"file_lock", "cli.neighbours"},
    "httpx2": {"api.openai", "api.faults", "api.ways", "in_process", "grading.http_judge"},
    "pydantic": {"kinds", "config", "importing.wording"},
}
"""Libraries, and the only modules or packages that import them."""

PURE = (
    "planner",
    "blocking",
    "places",
    "selecting",
    "ignoring",
    "refresh",
    "diff",
    "graph",
    "safety",
    "kinds",
    "monitor",
    "render",
    "changes",
    "canonical",
    "address",
    "config.misfits",
    "checks",
)
IMPURE_MODULES = frozenset(
    {"os", "io", "time", "random", "uuid", "secrets", "tempfile", "subprocess", "socket", "shutil", "datetime", "sys"}
)

MODULE_LINES, FUNCTION_LINES, MEDIAN_LINES = 300, 50, 10
LONGER = {"kinds.base": 285}
"""Modules over the limit, and how far: to be divided, and until then not to grow."""


MIRROR_FROM = 60
"""Modules of more lines have a test file at their own place in the mirror."""

MIRROR_ELSEWHERE = {
    # Protocols and values: what they promise is tested with whoever keeps it.
    "api.openai.client": "api/openai/test_openai.py",
    "api.openai.line": "api/test_pacing.py",
    "api.openai.looking": "doctor/test_doctor.py",
    "api.port": "api/test_life.py",
    "api.profiles.base": "api/profiles/test_profiles.py",
    "api.profiles.local": "api/profiles/test_profiles.py",
    "api.profiles.openai": "checks/test_models.py",
    "checking.asking": "checking/test_online.py",
    "checking.samples": "checking/test_online.py",
    "checks.answers": "checking/test_online.py",
    "checks.pitfalls": "checks/test_explain.py",
    "checks.reads": "checks/test_preflight.py",
    "config.validating": "config/test_config.py",
    "data_files": "test_loading.py",
    "estimate": "kinds/job/test_cost.py",
    "events": "cli/test_board.py",
    "opening": "checking/test_online.py",
    # What cannot be told apart is a matter of a whole apply at such a service.
    "kinds.job.doubt": "scenarios/test_nameless.py",
    "kinds.job.kept": "kinds/job/test_observe.py",
    "kinds.job.recognising": "scenarios/test_nameless.py",
    "lock_on_disk": "scenarios/test_lock_changed.py",
    # A doctor is what somebody sees who has trouble: looked at whole, at a service that makes it.
    "doctor.asking": "doctor/test_doctor.py",
    "doctor.offers": "doctor/test_doctor.py",
    "doctor.signs": "render/test_doctor_text.py",
    "importing.checkpoints": "importing/test_importing.py",
    "importing.contents": "importing/test_importing.py",
    "importing.found": "importing/test_importing.py",
    "importing.here": "importing/test_generating.py",
    "importing.jobs": "importing/test_importing.py",
    "importing.wording": "importing/test_generating.py",
    "amending": "amending/test_holds.py",
    "render.amending_documents": "render/test_shapes.py",
    "render.amending_shapes": "render/test_shapes.py",
    "intervening.hand": "intervening/test_intervening.py",
    "intervening.meant": "intervening/test_intervening.py",
    "subject": "doctor/test_doctor.py",
    "judging.bootstrap": "judging/test_figures.py",
    # Asked, graded, kept, judged: seen whole, from the plan to the promotion.
    "evaluating.evaluator": "scenarios/test_evaluated.py",
    "kinds.deployment.concluding": "scenarios/test_evaluated.py",
    "kinds.deployment.weighing": "scenarios/test_evaluated.py",
    "kinds.job.launching": "kinds/job/test_perform.py",
    "kinds.job.steps": "kinds/job/test_perform.py",
    # Signals end processes, so it is tested from outside.
    "cli.interrupt": "cli/test_at_a_terminal.py",
    "server.fidelity_calls": "server/test_fidelity.py",
    "server.fidelity_course": "server/test_fidelity.py",
    "server.fidelity_own": "server/test_fidelity.py",
    "server.asking": "server/test_chat.py",
    "server.chat_messages": "server/test_closed_sets.py",
    "server.grader_request": "server/test_closed_sets.py",
    "server.response_input": "server/test_closed_sets.py",
    "server.response_request": "server/test_responses.py",
    "server.response_shape": "server/test_responses.py",
    "server.response_stream": "server/test_responses.py",
    "server.chat_request": "server/test_chat.py",
    # Halves of one thing, cut for their length; the other half, or the public face, has the tests of both.
    "source.document": "source/test_source.py",
    "source.syntax": "source/test_source.py",
    "source.yaml_text": "source/test_source.py",
    "grading": "grading/test_graders.py",
    "grading.answer_shape": "grading/test_candidates.py",
    "grading.definition": "grading/test_parse.py",
    "grading.expression_parser": "grading/test_expressions.py",
    "grading.multi": "grading/test_graders.py",
    "grading.parse_score_model": "grading/test_parse.py",
    "grading.score_model": "grading/test_graders.py",
    "checks.probes.endings": "checks/test_copied.py",
    "checks.probes.sizes": "checks/test_row_sets.py",
    "checks.probes.leaks": "checks/test_leaks.py",
    "checks.probes.messages": "checks/probes/test_shapes.py",
    # What keeps a grader in is worth what it keeps in: real graders attack it, all of it at once.
    "grading.sandbox.cell": "grading/test_python_worker.py",
    "grading.sandbox.kernel": "grading/test_python_worker.py",
    "grading.sandbox.worker": "grading/test_python_worker.py",
    "grading.worker_process": "grading/test_python_worker.py",
    "kinds.deployment": "kinds/deployment/test_decide.py",
    "kinds.deployment.spec": "kinds/deployment/test_decide.py",
    "kinds.file": "kinds/file/test_decide.py",
    "kinds.file.spec": "kinds/file/test_decide.py",
    "kinds.job.remedies": "kinds/job/test_decide.py",
    "kinds.job.spec": "config/test_config.py",
    # Which facts a document has is one with what they are; how they read, with the text that is made of them.
    "render.monitor_documents": "monitor/test_facts.py",
    "render.monitor_shapes": "render/test_shapes.py",
    "cli.screen": "cli/test_live.py",
    "cli.watch_view": "cli/test_watching.py",
    "render.import_documents": "render/test_import_text.py",
    "render.import_shapes": "render/test_shapes.py",
    "render.evidence": "render/test_documents.py",
    "carrying": "test_execution.py",
    "following": "test_execution.py",
    "planning": "test_project.py",
    "applying": "test_project.py",
    "render.next_steps": "scenarios/test_held.py",
    "render.progress_text": "cli/test_live.py",
    # What rules share: seen where the rules that need it fire.
    "checks.compared": "checks/test_row_sets.py",
    "checks.joins": "checks/test_guesses.py",
    "checks.python_keys": "checks/test_python_reads.py",
    "checks.python_parts": "checks/test_python_reads.py",
    "checks.python_runs": "checking/test_python_runs.py",
    "checks.prompt_formats": "checks/test_grader_sense.py",
    "checks.python_tree": "checks/test_python_source.py",
    "checks.schema_views": "checks/test_schemas.py",
    # Which grader, which rows, in which words: each is what somebody sees who tries one.
    "render.grade_documents": "render/test_grade_text.py",
    "render.grade_shapes": "render/test_shapes.py",
    "trial.subject": "test_trying.py",
    "trial.words": "test_trying.py",
    # A command is parse, call, render, exit code, so each is tested whole, on a project.
    "cli.acting": "cli/test_commands.py",
    "cli.state": "cli/test_amending.py",
    "cli.app": "cli/test_commands.py",
    "cli.checking": "cli/test_check_formats.py",
    "cli.reading": "cli/test_commands.py",
    "cli.serving": "cli/test_service.py",
    # The service is an island: its promise is what a client sees, so clients test it, each route with all behind it.
    "server.app": "server/test_guard.py",
    "server.clock": "server/test_local.py",
    "server.errors": "server/test_guard.py",
    "server.fields": "server/test_job_request.py",
    "server.file_store": "server/test_files.py",
    "server.history": "server/test_progress.py",
    "server.hyperparameters": "server/test_simulate.py",
    "server.model_store": "server/test_models.py",
    "server.outcome": "server/test_jobs.py",
    "server.permissions": "server/test_models.py",
    "server.reinforce": "server/test_simulate.py",
    "server.requests": "server/test_files.py",
    "server.schema": "server/test_database.py",
    "server.service": "server/test_remembered.py",
    "server.settings": "server/test_loopback.py",
    "server.survey": "server/test_simulate.py",
    "server.choices": "server/test_recorded.py",
    "checks.probes.recorded": "checks/test_recorded.py",
    "server.step_metrics": "server/test_simulate.py",
    "server.stored_job": "server/test_job_store.py",
}
"""Modules whose tests stand elsewhere, why, and where."""


@dataclass(frozen=True)
class Module:
    """One source file. `imports` are full names; those only for type checking are left out."""

    name: str
    path: Path
    tree: ast.Module
    imports: frozenset[str]

    @property
    def lines(self) -> int:
        return len(self.path.read_text().splitlines())

    def within(self, names: str | tuple[str, ...] | set[str]) -> bool:
        return any(
            self.name == n or self.name.startswith(f"{n}.") for n in ([names] if isinstance(names, str) else names)
        )

    def ours(self) -> set[str]:
        """The modules of the project that it imports, without the project's name."""
        return {_module_of(name) for name in self.imports if name.split(".")[0] == "rftplan"}


@cache
def modules() -> tuple[Module, ...]:
    return tuple(_read(path) for path in sorted(ROOT.rglob("*.py")))


def _read(path: Path) -> Module:
    relative = path.relative_to(ROOT).with_suffix("")
    name = ".".join(relative.parts).removesuffix("__init__").rstrip(".")
    tree = ast.parse(path.read_text(), str(path))
    return Module(name, path, tree, frozenset(_imports(tree)))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node)


def _module_of(imported: str) -> str:
    """`rftplan.kinds.base.Kind` → `kinds.base`."""
    parts = imported.split(".")
    while parts and not _exists(parts):
        parts.pop()
    return ".".join(parts[1:])


def _exists(parts: list[str]) -> bool:
    path = ROOT.parent.joinpath(*parts)
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _rank(name: str) -> int | None:
    """The line of the table that a module stands in: its own entry, or that of the nearest package around it."""
    table = {entry: rank for rank, layer in enumerate(LAYERS) for entry in layer}
    while name:
        if name in table:
            return table[name]
        name = name.rpartition(".")[0]
    return None


def _functions(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{module.name}.{node.name}", node.end_lineno - node.lineno + 1


def test_every_module_has_its_layer() -> None:
    homeless = [
        m.name
        for m in modules()
        if m.name and not m.within(set(ISLANDS) | set(WIRED) | {"api"}) and _rank(m.name) is None
    ]
    homeless += [m.name for m in modules() if m.within("api") and m.name != "api" and _rank(m.name) is None]
    assert set(homeless) <= {
        "api.openai",
        "api.openai.answering",
        "api.openai.client",
        "api.openai.content",
        "api.openai.line",
        "api.openai.looking",
        "api.openai.parts",
    }, "name it in LAYERS"


def test_the_table_names_nothing_that_does_not_exist() -> None:
    known = {m.name for m in modules()}
    assert {entry for layer in LAYERS for entry in layer} <= known


def test_imports_point_one_way() -> None:
    wrong = []
    for module in modules():
        rank = _rank(module.name)
        for imported in sorted(module.ours()):
            below = _rank(imported)
            if rank is not None and below is not None and below > rank:
                wrong.append(f"{module.name} imports {imported}")
    assert wrong == []


def test_no_imports_go_round_in_a_circle() -> None:
    TopologicalSorter({m.name: m.ours() - {m.name} for m in modules()}).prepare()


def test_apply_knows_plans_and_not_the_planner() -> None:
    for apply in (m for m in modules() if m.name in ("carrying", "following", "execution")):
        assert not {"planner", "graph", "config", "checks", "safety"} & apply.ours()
        read = {node.attr for node in ast.walk(apply.tree) if isinstance(node, ast.Attribute)}
        assert "reason" not in read


@pytest.mark.parametrize("island", sorted(ISLANDS))
def test_islands_import_nothing_else_of_the_project(island: str) -> None:
    for module in modules():
        if module.within(island):
            strangers = {i for i in module.ours() if not _is_in(i, {island, *ISLANDS[island]})}
            assert not strangers, f"{module.name} imports {sorted(strangers)}"


def _is_in(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("adapter", sorted(WIRED))
def test_adapters_are_imported_only_where_things_are_wired(adapter: str) -> None:
    users = {m.name for m in modules() if not m.within(adapter) and any(_is_in(i, {adapter}) for i in m.ours())}
    assert users <= WIRED[adapter]


@pytest.mark.parametrize("library", sorted(OUTSIDE))
def test_a_library_has_its_few_importers(library: str) -> None:
    users = {m for m in modules() if any(i.split(".")[0] == library for i in m.imports)}
    assert users, f"nobody imports {library} any more"
    assert [m.name for m in users if not m.within(OUTSIDE[library])] == []


def test_what_is_pure_knows_no_clock_no_files_and_no_chance() -> None:
    for module in modules():
        if module.within(PURE):
            imported = {i.split(".")[0] for i in module.imports}
            assert not imported & IMPURE_MODULES, f"{module.name} imports {sorted(imported & IMPURE_MODULES)}"
            calls = {ast.unparse(n.func) for n in ast.walk(module.tree) if isinstance(n, ast.Call)}
            assert not calls & {"print", "open", "input", "exec", "eval"}, module.name


def test_only_the_command_line_prints() -> None:
    for module in modules():
        calls = {ast.unparse(n.func) for n in ast.walk(module.tree) if isinstance(n, ast.Call)}
        if not module.within("cli"):
            assert not calls & {"print", "sys.stdout.write", "sys.stderr.write"}, module.name


def test_every_module_says_what_it_is_for() -> None:
    assert [m.name for m in modules() if not ast.get_docstring(m.tree)] == []


def test_whoever_catches_everything_says_why() -> None:
    """On the line itself: a broad `except` is a decision, and the next reader has to know whether it still holds."""
    silent = []
    for module in modules():
        lines = module.path.read_text().splitlines()
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type else "BaseException"
            if caught in ("Exception", "BaseException") and "  # " not in lines[node.lineno - 1]:
                silent.append(f"{module.name}:{node.lineno}")
    assert silent == []


def test_modules_and_functions_are_short() -> None:
    assert [(m.name, m.lines) for m in modules() if m.lines > LONGER.get(m.name, MODULE_LINES)] == []
    lengths = dict(f for m in modules() for f in _functions(m))
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_LINES


def _mirror(module: Module) -> str:
    """`kinds/job/decide.py` → `kinds/job/test_decide.py`; a package's own lines → `test_` and its name, inside it."""
    folder, name = module.path.parent.relative_to(ROOT), module.path.stem
    name = (folder.name or "package") if name == "__init__" else name
    return (folder / f"test_{name}.py").as_posix()


def test_tests_mirror_the_tree() -> None:
    tests = Path(__file__).parent
    large = {m.name: _mirror(m) for m in modules() if m.lines > MIRROR_FROM}
    missing = {name: where for name, where in large.items() if not (tests / where).exists()}
    assert sorted(set(missing) - set(MIRROR_ELSEWHERE)) == [], "write its test file, or say why it is elsewhere"
    assert sorted(set(MIRROR_ELSEWHERE) - set(missing)) == [], "has its own test file now, or is gone or small"
    assert [where for where in MIRROR_ELSEWHERE.values() if not (tests / where).exists()] == []


def test_the_package_shows_exactly_its_names() -> None:
    shown = {name for name in dir(rftplan) if not name.startswith("_")}
    submodules = {m.name.split(".")[0] for m in modules()}
    imported = {"annotations", "import_module", "TYPE_CHECKING", "Any"}
    assert shown - submodules - imported | set(rftplan.__all__) & submodules == set(rftplan.__all__)
    for name in rftplan.__all__:
        assert inspect.getdoc(getattr(rftplan, name)), name


class NoteSpec(SpecModel):
    text: Str


class Note(Kind[NoteSpec]):
    """A toy: a text that is "posted" by being written into the lock."""

    name = "note"
    section = "notes"

    def __init__(self) -> None:
        super().__init__(NoteSpec)

    def refs(self, spec: NoteSpec) -> Sequence[Ref]:
        return ()

    def identity(self, spec: NoteSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        return {"text": spec.text}

    def decide(self, situation: Situation) -> Change:
        want, entry = situation.want, situation.entry
        if want is None:
            return situation.change(Action.FORGET, "tear down", Reason.REMOVED_FROM_SPEC)
        if entry is not None and entry.fingerprint == want.fingerprint:
            return situation.change(Action.NOOP, "keep", Reason.MATCHES)
        return situation.change(Action.CREATE, "post", Reason.NOT_THERE)

    def standing(self, situation: Situation) -> Standing:
        return Standing("posted" if situation.entry else "not posted")

    async def perform(self, change: Change, act: Act) -> Result:
        want = act.resources.get(change.address)
        entry = Entry(want.fingerprint, want.inputs) if want and change.action is Action.CREATE else None
        act.ledger.record(change.address, entry)
        return result(change, Outcome.DONE)


@pytest.fixture
def toy() -> Iterator[None]:
    KINDS["note"] = Note()
    yield
    del KINDS["note"]


@pytest.mark.usefixtures("toy")
def test_a_new_kind_is_one_module_and_one_line_in_the_registry(small: Small) -> None:
    small.write("specs/notes.yaml", "notes: {hello: {text: Hello}, broken: {txt: 3}}\n")
    assert [found.code for found in small.check()] == ["S202"]
    small.write("specs/notes.yaml", "notes: {hello: {text: Hello}}\n")
    assert small.verbs()["note.hello"] == "create post"
    assert small.results()["note.hello"].outcome is Outcome.DONE
    assert small.changes()["note.hello"].action is Action.NOOP
    assert small.status()["note.hello"].state == "posted"
    small.write("specs/notes.yaml", "")
    assert small.verbs()["note.hello"] == "forget tear down"
    assert small.results()["note.hello"].outcome is Outcome.DONE
    assert "note.hello" not in small.changes()
