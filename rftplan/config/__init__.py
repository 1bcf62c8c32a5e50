"""Documents → Config: sections merged, every resource typed, all findings at once. Opens only what specs name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field
from pydantic import TypeAdapter

from rftplan.address import NAME, Address
from rftplan.canonical import Json
from rftplan.codes import (
    BAD_NAME,
    DECLARED_TWICE,
    MOVED_NOWHERE,
    NO_PROJECT,
    NOT_BUILT,
    TOP_LEVEL,
    UNKNOWN_KEY,
    WRONG_VALUE,
    finding,
)
from rftplan.config import grader_tests
from rftplan.config.misfits import section_hint
from rftplan.config.named_files import NamedFiles, innermost
from rftplan.config.project_spec import MoveSpec, PolicySpec, ProjectSpec, RemovedSpec
from rftplan.config.validating import key_place, validated, value_at
from rftplan.errors import Diagnostic, Place, has_errors
from rftplan.kinds import KINDS
from rftplan.kinds.spec import NAME_HINT, shown
from rftplan.source import Document, PathKey, Root, read_documents

LATER: Final = ("variables", "environments")
"""Sections that the language has and this version does not carry out; refused rather than ignored."""


class Declared(Struct, frozen=True):
    """One resource as written: its spec, and where each part of it stands."""

    address: Address
    spec: Any
    place: Place
    document: Document
    prefix: PathKey
    loaded: Mapping[str, Document] = field(default_factory=dict)
    """What stands in files of its own, by the path as `{file: …}` says it."""

    def where(self, path: Sequence[str | int]) -> Place:
        """The place of the value at `path` inside the spec, or of the nearest value around it; of a text that is read
        from a file, that file as a whole."""
        if self.loaded and (inside := innermost(value_at(self.document, self.prefix), path, self.loaded)):
            document, rest = inside
            return document.place(rest)
        return self.document.place((*self.prefix, *path))


class Config(Struct, frozen=True):
    """All specs of a project.

    `broken` are addresses that are declared but could not be read, `unread` kinds whose whole section could not.
    `tests` are no resources: nothing is planned of them.
    """

    project: ProjectSpec | None
    policy: PolicySpec
    declared: Mapping[Address, Declared]
    broken: frozenset[Address] = frozenset()
    unread: frozenset[str] = frozenset()
    provider_place: Place | None = None
    moved: tuple[MoveSpec, ...] = ()
    removed: tuple[tuple[RemovedSpec, Place], ...] = ()
    tests: Mapping[str, Declared] = field(default_factory=dict)


class _Reading(Struct, eq=False):
    """What has been gathered so far."""

    root: Root
    project: ProjectSpec | None = None
    policy: PolicySpec = field(default_factory=PolicySpec)
    single: dict[str, Place] = field(default_factory=dict)
    declared: dict[Address, Declared] = field(default_factory=dict)
    tests: dict[Address, Declared] = field(default_factory=dict)
    broken: dict[Address, Place] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    provider_place: Place | None = None
    moved: list[tuple[MoveSpec, Place]] = field(default_factory=list)
    removed: list[tuple[RemovedSpec, Place]] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)


def read_config(root: Root, specs_dir: str) -> tuple[Config, list[Diagnostic]]:
    """Everything under the spec directory. Never raises for what a spec can get wrong."""
    documents, findings = read_documents(root, specs_dir)
    reading = _Reading(root, findings=list(findings))
    for document in documents:
        _read_document(reading, document)
    if "project" not in reading.single and not has_errors(findings) and not _any_unusable(reading.findings):
        reading.findings.append(
            finding(
                NO_PROJECT,
                "its name is part of every launch's identity",
                place=Place(specs_dir),
                hint="add project: {name: my-project, provider: local}, or start with rftplan init",
            )
        )
    config = Config(
        project=reading.project,
        policy=reading.policy,
        declared=reading.declared,
        broken=frozenset(reading.broken),
        unread=frozenset(reading.unread),
        provider_place=reading.provider_place,
        moved=tuple(move for move, _ in reading.moved),
        removed=tuple(reading.removed),
        tests={address.name: declared for address, declared in reading.tests.items()},
    )
    reading.findings.extend(_check_moves(reading))
    return config, reading.findings


def _any_unusable(findings: Sequence[Diagnostic]) -> bool:
    return any(f.code == TOP_LEVEL.code for f in findings)


def _read_document(reading: _Reading, document: Document) -> None:
    if document.data is None:
        return
    if not isinstance(document.data, dict):
        detail = f"it holds {shown(document.data)}, and nothing is declared by that"
        hint = "write sections such as files:, graders:, jobs:"
        reading.findings.append(finding(TOP_LEVEL, detail, place=document.place(()), hint=hint))
        return
    reading.findings.extend(_variables(document))
    sections = {kind.section: kind.name for kind in KINDS.values()} | {"tests": grader_tests.KIND}
    for key, value in document.data.items():
        if key in sections:
            _read_section(reading, document, key, sections[key], value)
        elif key == "project":
            reading.project = _read_single(reading, document, key, ProjectSpec) or reading.project
            reading.provider_place = reading.provider_place or document.place((key, "provider"))
        elif key == "policy":
            reading.policy = _read_single(reading, document, key, PolicySpec) or reading.policy
        elif key == "moved":
            reading.moved.extend(_read_list(reading, document, key, TypeAdapter(tuple[MoveSpec, ...])))
        elif key == "removed":
            reading.removed.extend(_read_list(reading, document, key, TypeAdapter(tuple[RemovedSpec, ...])))
        else:
            reading.findings.append(_no_section(document, key, [*sections, "project", "policy", "moved", "removed"]))


def _no_section(document: Document, key: str, known: Sequence[str]) -> Diagnostic:
    place = key_place(document, (key,))
    if key in LATER:
        detail = f"{key}: is part of the language, but this version does not carry it out"
        return finding(NOT_BUILT, detail, place=place, hint="take it out, or use a newer rftplan")
    hint = section_hint(key, [*known, *LATER])
    return finding(UNKNOWN_KEY, f'"{key}" is not a section', place=place, hint=hint)


_VARIABLE: Final = re.compile(r"(?<!\$)\$\{var\.[^}]*\}")


def _variables(document: Document) -> Iterator[Diagnostic]:
    """Every `${var.…}` in a scalar: sent as it stands, it would train something else than what is meant."""
    for path, text in _texts(document.data, ()):
        if match := _VARIABLE.search(text):
            detail = f"{match[0]} is a variable, and this version does not carry variables out"
            hint = "write the value itself, or use a newer rftplan"
            yield finding(NOT_BUILT, detail, place=document.place(path), hint=hint)


def _texts(value: Json, path: PathKey) -> Iterator[tuple[PathKey, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list | dict):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, key))


def _read_single(reading: _Reading, document: Document, key: str, model: type[Any]) -> Any:
    place = key_place(document, (key,))
    if key in reading.single:
        reading.findings.append(_twice(key, place, reading.single[key]))
        return None
    reading.single[key] = place
    return _validated(reading, document, (key,), TypeAdapter(model), None)


def _read_list(reading: _Reading, document: Document, key: str, adapter: TypeAdapter[Any]) -> list[tuple[Any, Place]]:
    """The items of a section that is a list; lists of several files are concatenated."""
    written = value_at(document, (key,))
    if written is None:
        return []
    items = _validated(reading, document, (key,), adapter, None)
    return [(item, document.place((key, index))) for index, item in enumerate(items or ())]


def _check_moves(reading: _Reading) -> Iterator[Diagnostic]:
    """What was moved must be declared where it went, and what is gone must not be declared."""
    known = {*reading.declared, *reading.broken}
    went: dict[Address, Address] = {}
    for move, place in reading.moved:
        if went.setdefault(move.origin, move.to) != move.to:
            detail = f"{move.origin} has moved to {went[move.origin]} already"
            yield finding(MOVED_NOWHERE, detail, place=place, address=str(move.origin), hint="take one of the two out")
        if move.to not in known:
            hint = "declare it, say where it is now, or take the move out"
            yield finding(MOVED_NOWHERE, f"{move.to} is not declared", place=place, address=str(move.to), hint=hint)
        if move.origin in known:
            detail = f"{move.origin} is declared, so it cannot have moved"
            yield finding(MOVED_NOWHERE, detail, place=place, address=str(move.origin), hint="take the move out")
    for removed, place in reading.removed:
        if removed.address in known:
            detail = f"{removed.address} is declared and said to be removed"
            hint = "take one of the two out"
            yield finding(MOVED_NOWHERE, detail, place=place, address=str(removed.address), hint=hint)


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
                WRONG_VALUE,
                f"{section}: must be a mapping of names, not {shown(value)}",
                place=document.place((section,)),
                hint=f"write each {kind} as NAME: {{…}}",
            )
        )
        reading.unread.add(kind)
        return
    for name in value:
        place = key_place(document, (section, name))
        if not NAME.match(name):
            reading.findings.append(finding(BAD_NAME, f'"{name}" cannot name a {kind}', place=place, hint=NAME_HINT))
            continue
        _read_resource(reading, document, (section, name), Address(kind, name), place)


def _read_resource(reading: _Reading, document: Document, path: PathKey, address: Address, place: Place) -> None:
    is_test = address.kind == grader_tests.KIND
    known = reading.tests if is_test else reading.declared
    first = known[address].place if address in known else reading.broken.get(address)
    if first is not None:
        reading.findings.append(_twice(str(address), place, first))
        return
    adapter = grader_tests.ADAPTER if is_test else KINDS[address.kind].adapter
    files = NamedFiles(reading.root, document.path)
    spec, findings = validated(document, path, adapter, files, address=str(address))
    reading.findings.extend(findings)
    if spec is None:
        reading.broken[address] = place
    else:
        known[address] = Declared(address, spec, place, document, path, files.loaded)


def _validated(
    reading: _Reading, document: Document, path: PathKey, adapter: TypeAdapter[Any], address: str | None
) -> Any:
    value, findings = validated(document, path, adapter, NamedFiles(reading.root, document.path), address=address)
    reading.findings.extend(findings)
    return value
