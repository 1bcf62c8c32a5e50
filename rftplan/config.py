"""Documents → Config: sections merged, every resource typed, all findings at once. Opens only what specs name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from rftplan.address import NAME, Address
from rftplan.codes import (
    BAD_NAME,
    DECLARED_TWICE,
    NO_PROJECT,
    NOT_BUILT,
    TOP_LEVEL,
    UNKNOWN_KEY,
    WRONG_VALUE,
    finding,
)
from rftplan.errors import Diagnostic, Place
from rftplan.kinds import KINDS
from rftplan.kinds.spec import Name, SpecModel, Str
from rftplan.misfits import closest, describe
from rftplan.plan import Hazard
from rftplan.source import Document, PathError, PathKey, Root, parse, read_documents

LATER: Final = ("variables", "environments", "tests", "moved", "removed")
"""Sections that the language has and this version does not carry out; refused rather than ignored."""


class JudgeSpec(SpecModel):
    """Who answers for `score_model` graders on the local service: any OpenAI-compatible endpoint."""

    base_url: Str
    model: Str


class ProviderSpec(SpecModel):
    """`project.provider`: where the fine-tuning API is."""

    type: Literal["local", "openai", "azure", "bedrock"]
    base_url: Str | None = None
    organization: Str | None = None
    project: Str | None = None
    judge: JudgeSpec | None = None


def _provider(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class ProjectSpec(SpecModel):
    """`project`: the name is part of every launch's identity."""

    name: Name
    provider: Annotated[ProviderSpec, BeforeValidator(_provider)]


class PolicySpec(SpecModel):
    """`policy`: what may be done without being asked, and where data may lie."""

    allow: tuple[Hazard, ...] = ()
    data_roots: tuple[Str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource as written: its spec, and where each part of it stands."""

    address: Address
    spec: Any
    place: Place
    document: Document
    prefix: PathKey

    def where(self, path: Sequence[str | int]) -> Place:
        return place_of(self.document, (*self.prefix, *path))


@dataclass(frozen=True, slots=True)
class Config:
    """All specs of a project. `broken` are addresses that are declared but could not be read."""

    project: ProjectSpec | None
    policy: PolicySpec
    declared: Mapping[Address, Declared]
    broken: frozenset[Address] = frozenset()


@dataclass
class _Reading:
    """What has been gathered so far."""

    root: Root
    project: ProjectSpec | None = None
    policy: PolicySpec = field(default_factory=PolicySpec)
    single: dict[str, Place] = field(default_factory=dict)
    declared: dict[Address, Declared] = field(default_factory=dict)
    broken: dict[Address, Place] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)


def place_of(document: Document, path: PathKey) -> Place:
    """The key's place where the path ends in a key, otherwise the nearest value around it."""
    if path in document.key_places:
        return document.key_places[path]
    while path and path not in document.places:
        path = path[:-1]
    return document.places.get(path, Place(document.path, 1, 1))


def value_place(document: Document, path: PathKey) -> Place:
    """The place of the value itself, or of the nearest value around it."""
    while path and path not in document.places:
        path = path[:-1]
    return document.places.get(path, Place(document.path, 1, 1))


def read_config(root: Root, specs_dir: str) -> tuple[Config, list[Diagnostic]]:
    """Everything under the spec directory. Never raises for what a spec can get wrong."""
    documents, findings = read_documents(root, specs_dir)
    reading = _Reading(root, findings=list(findings))
    for document in documents:
        _read_document(reading, document)
    if reading.project is None and "project" not in reading.single and not _any_error(findings):
        reading.findings.append(
            finding(
                NO_PROJECT,
                "its name is part of every launch's identity",
                place=Place(specs_dir),
                hint="add project: {name: my-project, provider: local}, or start with rftplan init",
            )
        )
    config = Config(reading.project, reading.policy, reading.declared, frozenset(reading.broken))
    return config, reading.findings


def _any_error(findings: Sequence[Diagnostic]) -> bool:
    return any(f.severity == "error" for f in findings)


def _read_document(reading: _Reading, document: Document) -> None:
    if document.data is None:
        return
    if not isinstance(document.data, dict):
        reading.findings.append(
            finding(TOP_LEVEL, "it must hold keys like jobs:", place=value_place(document, ()))
        )
        return
    sections = {kind.section: kind.name for kind in KINDS.values()}
    for key, value in document.data.items():
        if key in sections:
            _read_section(reading, document, key, sections[key], value)
        elif key == "project":
            reading.project = _read_single(reading, document, key, ProjectSpec)
        elif key == "policy":
            reading.policy = _read_single(reading, document, key, PolicySpec) or reading.policy
        elif key in LATER:
            reading.findings.append(
                finding(NOT_BUILT, f"{key}: is part of the language, but this version does not carry it out",
                        place=place_of(document, (key,)), hint="take it out, or use a newer rftplan")
            )  # fmt: skip
        else:
            known = [*sections, "project", "policy", *LATER]
            reading.findings.append(
                finding(UNKNOWN_KEY, f'"{key}" is not a section', place=place_of(document, (key,)),
                        hint=closest(key, known) or f"sections are {', '.join(known)}")
            )  # fmt: skip


def _read_single(reading: _Reading, document: Document, key: str, model: type[Any]) -> Any:
    place = place_of(document, (key,))
    if key in reading.single:
        reading.findings.append(_twice(key, place, reading.single[key]))
        return None
    reading.single[key] = place
    return _validated(reading, document, (key,), TypeAdapter(model), None)


def _twice(what: str, place: Place, first: Place) -> Diagnostic:
    return finding(
        DECLARED_TWICE,
        f"{what} is declared at {first} already",
        place=place,
        hint="remove or rename one of them",
    )


def _read_section(reading: _Reading, document: Document, section: str, kind: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        reading.findings.append(
            finding(
                WRONG_VALUE, f"{section}: must be a mapping of names", place=value_place(document, (section,))
            )
        )
        return
    for name in value:
        place = place_of(document, (section, name))
        if not NAME.match(name):
            reading.findings.append(
                finding(BAD_NAME, f'"{name}" cannot name a {kind}', place=place,
                        hint="use lower-case letters, digits, - and _; start with a letter or digit; at most 63")
            )  # fmt: skip
            continue
        _read_resource(reading, document, (section, name), Address(kind, name), place)


def _read_resource(
    reading: _Reading, document: Document, path: PathKey, address: Address, place: Place
) -> None:
    first = reading.declared[address].place if address in reading.declared else reading.broken.get(address)
    if first is not None:
        reading.findings.append(_twice(str(address), place, first))
        return
    spec = _validated(reading, document, path, KINDS[address.kind].adapter, str(address))
    if spec is None:
        reading.broken[address] = place
    else:
        reading.declared[address] = Declared(address, spec, place, document, path)


def _validated(
    reading: _Reading, document: Document, path: PathKey, adapter: TypeAdapter[Any], address: str | None
) -> Any:
    value: Any = document.data
    for part in path:
        value = value[part]
    loader = _Files(reading.root, document.path)
    try:
        return adapter.validate_python(value, context={"loader": loader})
    except ValidationError as error:
        for problem in describe(error, value):
            found = (*path, *problem.path)
            place = place_of(document, found) if problem.at_key else value_place(document, found)
            reading.findings.append(
                finding(problem.code, problem.detail, place=place, address=address, hint=problem.hint)
            )
        return None


class _Files:
    """Reads `{file: path}` beside one YAML file; ValueError in plain words where it cannot."""

    def __init__(self, root: Root, document: str) -> None:
        self._root = root
        self._beside = Path(document)

    def text(self, path: str) -> str:
        try:
            return self._root.read_text(self._root.resolve(path, beside=self._beside))
        except PathError as error:
            raise ValueError(f"{path} {error}") from None

    def structure(self, path: str) -> Any:
        document, findings = parse(self.text(path).encode(), path)
        if document is None or _any_error(findings):
            first = next(f for f in findings if f.severity == "error")
            raise ValueError(f"{first.place}: {first.summary}: {first.detail}")
        return document.data


__all__ = [
    "Config",
    "Declared",
    "Field",
    "JudgeSpec",
    "PolicySpec",
    "ProjectSpec",
    "ProviderSpec",
    "read_config",
]
