"""What a rule may look at, and the views of it that many rules share. Pure; finds nothing itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, cast

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.profiles import Profile
from rftplan.codes import Code, finding
from rftplan.config import Config, Declared
from rftplan.data import DataFacts
from rftplan.errors import Diagnostic, Place
from rftplan.kinds.file import path_from_root
from rftplan.kinds.grader import GraderSpec, Multi, Python, ScoreModel, StringCheck, TextSimilarity
from rftplan.kinds.job.spec import FileRef, JobSpec

if TYPE_CHECKING:
    from datetime import date

P = ParamSpec("P")
R = TypeVar("R")

Path: TypeAlias = "tuple[str | int, ...]"
Scorer: TypeAlias = "StringCheck | TextSimilarity | ScoreModel | Python"
"""A grader that scores by itself; a multi is made of them."""


def _missing_isolation() -> Sequence[str]:
    from rftplan.grading import missing_isolation  # here, for few specs have python graders

    return missing_isolation()


class GraderTrial(Struct, frozen=True):
    """One answer that the service graded for a row. `of` names the grader as messages do; `right`: the answer was
    made from the row's reference. `errors` are the flags that were raised, each with what is said of it."""

    of: str
    file: Address
    line: int
    right: bool
    errors: Mapping[str, str]


class Told(Struct, frozen=True):
    """What the service said: the first day without a model, which models it does not have of those that were asked
    for, why it refuses a grader (by `Written.of`), and how graders did on sample rows. `promoted` are the models that
    the lock's deployments point at, by their names; `shared` is what launched jobs say of their data."""

    shutdowns: Mapping[str, date] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    promoted: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    trials: tuple[GraderTrial, ...] = ()
    shared: Mapping[Address, bool] = field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Preflight:
    """Specs, profile and what was found in the data. `facts` has the data files that could be read; it is empty
    while probes are chosen. `today` is the date that models and platforms close by. `launched` are the jobs that the
    lock knows a launch of: of an unchanged one nothing is launched again. `missing_isolation` says what this system
    lacks to keep a python grader in; it starts a process of ours, so it is asked only where there is one. `told` is
    what the service was asked; None where nobody asked it."""

    config: Config
    profile: Profile
    today: date
    facts: Mapping[Address, DataFacts] = dataclasses.field(default_factory=dict)
    launched: frozenset[Address] = frozenset()
    missing_isolation: Callable[[], Sequence[str]] = _missing_isolation
    told: Told | None = None
    _views: dict[Hashable, Any] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)

    def of_kind(self, kind: str) -> Iterator[Declared]:
        return (declared for declared in self.config.declared.values() if declared.address.kind == kind)


def view(look: Callable[Concatenate[Preflight, P], R]) -> Callable[Concatenate[Preflight, P], R]:
    """A view that many rules ask for: of one preflight and one declaration it is worked out once."""

    @wraps(look)
    def seen(preflight: Preflight, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (look, *(cast("Declared", about).address for about in args))
        views = preflight._views
        if key not in views:
            views[key] = look(preflight, *args, **kwargs)
        return cast("R", views[key])

    return cast("Callable[Concatenate[Preflight, P], R]", seen)


class Method(StrEnum):
    """How a job trains."""

    SUPERVISED = "supervised"
    DPO = "dpo"
    REINFORCEMENT = "reinforcement"


class Role(StrEnum):
    """What a job uses a data file for; the key of its reference in the spec."""

    TRAINING = "training_file"
    VALIDATION = "validation_file"


class Use(Struct, frozen=True):
    """A data file of this project, as one job uses it."""

    job: Declared
    method: Method
    role: Role
    file: Declared


def method_of(job: Declared) -> Method:
    spec: JobSpec = job.spec
    return Method(spec.method.type) if spec.method is not None else Method.SUPERVISED


@view
def uses(preflight: Preflight) -> tuple[Use, ...]:
    """Every use of a declared file, job by job; a raw id is a file that nobody here can read."""
    return tuple(_uses(preflight))


@view
def used_by(preflight: Preflight) -> Mapping[Address, tuple[Use, ...]]:
    """The uses of each data file."""
    found: dict[Address, list[Use]] = {}
    for use in uses(preflight):
        found.setdefault(use.file.address, []).append(use)
    return {address: tuple(of_file) for address, of_file in found.items()}


def _uses(preflight: Preflight) -> Iterator[Use]:
    for job in preflight.of_kind("job"):
        for role in Role:
            ref: FileRef | None = getattr(job.spec, role.value)
            file = preflight.config.declared.get(Address("file", ref.name)) if ref and ref.name else None
            if file is not None:
                yield Use(job, method_of(job), role, file)


def recorded_files(preflight: Preflight) -> Iterator[tuple[Declared, Declared]]:
    """Each job that is to be simulated with recorded samples, and the declared file that has them."""
    for job in preflight.of_kind("job"):
        ref: FileRef | None = job.spec.simulate.candidates if job.spec.simulate else None
        file = preflight.config.declared.get(Address("file", ref.name)) if ref and ref.name else None
        if file is not None:
            yield job, file


def row_place(file: Declared, line: int) -> Place:
    """A line of a data file, by the name that its spec gives the file; line 0 is the file as a whole."""
    path = path_from_root(file.spec.path, file.document.path)
    return Place(path, line, 1) if line else Place(path)


class Written(Struct, frozen=True):
    """A grader as it is written: in a section of its own, or in place inside a job. `path` leads to it from the
    declaration, `of` names it in messages: `grader.answer`, `grader.answer/compliant`, `job.review`."""

    declared: Declared
    path: Path
    of: str

    def place(self, *path: str | int) -> Place:
        return self.declared.where((*self.path, *path))

    def finding(self, code: Code, detail: str, *path: str | int, hint: str | None = None) -> Diagnostic:
        """A finding about the value at `path` inside this grader."""
        return finding(code, detail, place=self.place(*path), address=self.of, hint=hint)

    def source_place(self, line: int) -> Place:
        """A line of a Python grader's source, where it has a file of its own; else, and for line 0, the whole."""
        place = self.place("source")
        return replace(place, line=line, column=1) if line and not place.line else place

    def source_finding(
        self, code: Code, line: int, detail: str, *, hint: str | None = None, more: int = 0
    ) -> Diagnostic:
        """A finding about a line of a Python grader's source, 0 for the whole, and about `more` places after it."""
        place = self.source_place(line)
        others = f" (and {more:,} more)" if more else ""
        if not line:
            said = detail
        elif self.place("source").line:
            said = f"line {line} of the source{others}: {detail}"
        else:
            said = f"here{others}: {detail}" if more else detail
        return finding(code, said, place=place, address=self.of, hint=hint)


@view
def written_graders(preflight: Preflight) -> tuple[tuple[Written, GraderSpec], ...]:
    """Every grader, each once, wherever it is written."""
    return tuple(_written(preflight))


def _written(preflight: Preflight) -> Iterator[tuple[Written, GraderSpec]]:
    for declared in preflight.of_kind("grader"):
        yield Written(declared, (), str(declared.address)), declared.spec
    for job in preflight.of_kind("job"):
        reinforcement = job.spec.reinforcement
        if reinforcement is not None and isinstance(reinforcement.grader, GraderSpec):
            yield Written(job, ("method", "reinforcement", "grader"), str(job.address)), reinforcement.grader


def scorers(where: Written, spec: GraderSpec) -> Iterator[tuple[Written, Scorer]]:
    """The grader itself, or the members of a multi."""
    if not isinstance(spec.root, Multi):
        yield where, spec.root
        return
    for name, member in spec.root.graders.items():
        yield Written(where.declared, (*where.path, "graders", name), f"{where.of}/{name}"), member


@view
def grader_of(preflight: Preflight, job: Declared) -> tuple[Written, GraderSpec] | None:
    """The grader that a reinforcement job trains with; None if it has none, or names one that is not declared."""
    reinforcement = job.spec.reinforcement
    if reinforcement is None:
        return None
    if isinstance(reinforcement.grader, GraderSpec):
        return Written(job, ("method", "reinforcement", "grader"), str(job.address)), reinforcement.grader
    declared = preflight.config.declared.get(Address("grader", reinforcement.grader))
    return None if declared is None else (Written(declared, (), str(declared.address)), declared.spec)
