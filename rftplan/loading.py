"""Specs and data files → a graph with every finding. Asks no service and reads no key."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity, ProviderSettings, identify
from rftplan.api.profiles import PROFILES, SERVED, Profile, elsewhere, profile
from rftplan.changes import Hazard
from rftplan.checks import Preflight, choose_probes, run_rules
from rftplan.codes import DATA_ABSENT, DATA_MISSING, UNSUPPORTED, WRONG_VALUE, finding
from rftplan.config import Config, Declared, read_config
from rftplan.config.project_spec import MoveSpec, ProviderSpec
from rftplan.data import DataError, DataFacts
from rftplan.data.cache import FactsCache, read_facts_cached
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic, LockError, Place, UserError, has_errors, sort_diagnostics
from rftplan.events import Hashed, OnEvent, ignore
from rftplan.graph import Graph, KnownRows, build_graph, read_references
from rftplan.journal import Paths, State, read_state
from rftplan.kinds import KINDS
from rftplan.kinds.file import lies_at, path_from_root
from rftplan.lockfile import Entry, Lock
from rftplan.promoted import require_directory, require_environment, state_paths
from rftplan.source import PathError, Root

_MOST_NAMES: Final = 10_000
"""Of a folder, so many are compared with a misspelt one."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which project, which environment, and what the command line overrides."""

    directory: Path
    env: str | None = None
    specs: str = "specs"
    lock: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project read from disk. With an error among the findings the graph is empty.

    `state` is what lock and journal said when they were read, once for everything that is planned on them; a
    state that is new has no lineage yet. Whoever writes reads them again under the file lock.
    """

    root: Path
    env: str
    project: str
    allowed: frozenset[Hazard]
    provider: ProviderSpec
    profile: Profile
    identity: ProviderIdentity
    paths: Paths
    state: State
    lock: Lock | None
    graph: Graph
    data_paths: Mapping[Address, Path]
    diagnostics: tuple[Diagnostic, ...]
    moves: tuple[tuple[Address, Address], ...] = ()


def load(options: Options, on_event: OnEvent = ignore, *, today: Callable[[], date] = date.today) -> Loaded:
    """Read everything and find everything; `today` counts for what closes by a date. UserError only for what is
    outside the specs."""
    directory = _directory(options)
    root = Root(directory)
    config, findings = read_config(root, options.specs)
    if config.policy.data_roots:
        root = Root(directory, [Path(written) for written in config.policy.data_roots])
    references = read_references(config)
    findings.extend(references.findings)
    service, problems = _service(options, config)
    findings.extend(problems)
    paths = state_paths(directory, options.lock)
    state, lock = _known(paths)
    preflight = Preflight(config, service.profile, today(), launched=_launched(state))
    data = _Data(root, _with_moves(state.entries, config.moved), FactsCache(directory / ".rftplan" / "cache"), on_event)
    facts = data.read(preflight)
    findings.extend(data.findings)
    known = {address: found for address, found in facts.items() if isinstance(found, DataFacts)}
    findings.extend(run_rules(replace(preflight, facts=known)))
    diagnostics = sort_diagnostics(findings)
    return Loaded(
        root=directory,
        env="default",
        project=config.project.name if config.project else "",
        allowed=frozenset(config.policy.allow),
        provider=service.provider,
        profile=service.profile,
        identity=service.identity,
        paths=paths,
        state=state,
        lock=lock,
        graph=Graph({}, ()) if has_errors(diagnostics) else build_graph(config, references, facts),
        data_paths=data.paths,
        diagnostics=diagnostics,
        moves=tuple((move.origin, move.to) for move in config.moved),
    )


def _directory(options: Options) -> Path:
    require_environment(options.env)
    require_directory(options.directory)
    return options.directory


@dataclass(frozen=True, slots=True)
class _Service:
    """Who is asked, what it can do, and under which account."""

    provider: ProviderSpec
    profile: Profile
    identity: ProviderIdentity


def _service(options: Options, config: Config) -> tuple[_Service, list[Diagnostic]]:
    """The service that the specs or the command line name. What the specs say wrong is a finding, and then the
    local service stands in, so that everything else can be found in the same run."""
    provider = _provider(options, config)
    try:
        return _identified(provider), []
    except UserError as error:
        if config.project is None or provider is not config.project.provider:
            raise
        code = WRONG_VALUE if provider.type in PROFILES else UNSUPPORTED
        problem = finding(code, error.message, place=config.provider_place, hint=error.hint)
        return _identified(ProviderSpec(type="local")), [problem]


def _identified(provider: ProviderSpec) -> _Service:
    of = profile(provider.type)
    settings = ProviderSettings(of.type, provider.base_url, provider.organization, provider.project)
    identity = identify(settings, of)
    if of.type == "local":
        return _Service(provider, of if identity.in_process else SERVED, identity)
    return _Service(provider, of if identity.base_url == of.base_url else elsewhere(of), identity)


def _provider(options: Options, config: Config) -> ProviderSpec:
    written = config.project.provider if config.project else ProviderSpec(type="local")
    if options.provider is None or options.provider == written.type:
        return written
    known = ("local", "openai", "azure", "bedrock")
    if options.provider not in known:
        raise UserError(f'there is no provider "{options.provider}"', hint=f"known are {', '.join(known)}")
    return ProviderSpec.model_validate({"type": options.provider})


def _with_moves(entries: Mapping[Address, Entry], moves: Sequence[MoveSpec]) -> Mapping[Address, Entry]:
    """What the lock knows, under the addresses that the specs use now too."""
    known = dict(entries)
    for move in moves:
        if move.to not in known and move.origin in known:
            known[move.to] = known[move.origin]
    return known


def _known(paths: Paths) -> tuple[State, Lock | None]:
    """What lock and journal know. A lock that must not be used is an error already now."""
    state, lock = read_state(paths, new_lineage=str)
    strange = sorted(str(address) for address in state.entries if address.kind not in KINDS)
    if strange:
        raise LockError(
            f"{paths.lock.name} knows {', '.join(strange)}, a kind that this rftplan lacks",
            hint="upgrade rftplan: pip install --upgrade rftplan",
        )
    return state, lock


def _launched(state: State) -> frozenset[Address]:
    return frozenset(a for a, entry in state.entries.items() if a.kind == "job" and entry.id is not None)


class _Data:
    """One pass over each data file, with the lock's word where a file is absent."""

    def __init__(self, root: Root, entries: Mapping[Address, Entry], cache: FactsCache, on_event: OnEvent) -> None:
        self._root = root
        self._entries = entries
        self._cache = cache
        self._on_event = on_event
        self.findings: list[Diagnostic] = []
        self.paths: dict[Address, Path] = {}

    def read(self, preflight: Preflight) -> dict[Address, DataFacts | KnownRows]:
        """The facts of every declared file, with what the rules look for in its rows; a file of which nothing is
        known has a finding instead."""
        probes = choose_probes(preflight)
        files = {d.address: self._facts(d, probes.get(d.address, ())) for d in preflight.of_kind("file")}
        self._cache.save()
        return {address: facts for address, facts in files.items() if facts is not None}

    def _facts(self, declared: Declared, probes: Sequence[Probe]) -> DataFacts | KnownRows | None:
        spec = declared.spec
        place = declared.where(("path",))
        try:
            path = self._root.resolve(spec.path, beside=Path(declared.document.path))
            self.paths[declared.address] = path
            facts = read_facts_cached(
                path, self._cache, probes, on_progress=lambda d, t: self._on_event(Hashed(spec.path, d, t))
            )
        except (PathError, DataError) as error:
            return self._absent(declared, place, error)
        for problem in facts.problems:
            at = Place(self._root.relative(path), problem.line, problem.column)
            found = finding(problem.code, problem.detail, place=at, address=str(declared.address), hint=problem.hint)
            self.findings.append(found)
        return facts

    def _absent(self, declared: Declared, place: Place, error: PathError | DataError) -> KnownRows | None:
        entry = self._entries.get(declared.address)
        address = str(declared.address)
        missing = declared.address in self.paths and _is_missing(self.paths[declared.address])
        here = path_from_root(declared.spec.path, declared.document.path)
        if entry is None or not missing or "sha256" not in entry.inputs or not lies_at(entry, here):
            meant = _meant(self._root.directory, declared, self.paths[declared.address]) if missing else None
            self.findings.append(
                finding(
                    DATA_MISSING,
                    str(error) if isinstance(error, PathError) else f'"{declared.spec.path}" {error}',
                    place=place,
                    address=address,
                    hint=f'did you mean "{meant}"?' if meant else error.hint,
                )
            )
            return None
        detail = f'"{declared.spec.path}" is not here; its digest is taken from the lock'
        hint = "fetch it before the next launch, which has to upload it"
        self.findings.append(finding(DATA_ABSENT, detail, place=place, address=address, hint=hint))
        rows_digest = entry.resolved.get("rows_digest")
        return KnownRows(str(entry.inputs["sha256"]), rows_digest if isinstance(rows_digest, str) else None)


def _meant(root: Path, declared: Declared, path: Path) -> str | None:
    """What the missing `path` was probably to be: seen from the root, or the closest name in its folder."""
    written = declared.spec.path
    if (root / written).is_file():
        beside = root / Path(declared.document.path).parent
        return Path(os.path.relpath(root / written, beside)).as_posix()
    try:
        names = [item.name for item in islice(path.parent.iterdir(), _MOST_NAMES) if not item.name.startswith(".")]
    except OSError:
        return None
    close = get_close_matches(path.name, names, n=1)
    return posixpath.join(posixpath.dirname(written), close[0]) if close else None


def _is_missing(path: Path) -> bool:
    """Certainly not there; what cannot be looked at may be."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False
