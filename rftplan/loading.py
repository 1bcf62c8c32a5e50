"""Specs and data files → a graph with every finding. Asks no service and reads no key."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.api.profiles import Profile
from rftplan.changes import Hazard
from rftplan.checks import Preflight, run_rules, without_dated
from rftplan.checks.cost import over_budget
from rftplan.checks.policy import too_many_launches
from rftplan.config import read_config
from rftplan.config.project_spec import MoveSpec, ProviderSpec
from rftplan.data import DataFacts, OnProgress
from rftplan.data.cache import FactsCache, read_facts_cached
from rftplan.data.probes import Probe
from rftplan.data_files import DataFiles, Read
from rftplan.days import today
from rftplan.errors import Diagnostic, LockError, has_errors, sort_diagnostics
from rftplan.events import OnEvent, ignore
from rftplan.graph import Graph, build_graph, read_references
from rftplan.ignoring import ignoring, wrong_rules
from rftplan.journal import Paths, State, read_state
from rftplan.kinds import KINDS
from rftplan.kinds.budget import Budget
from rftplan.lockfile import Entry, Lock
from rftplan.promoted import require_directory, require_environment, state_paths
from rftplan.service_choice import choose_service
from rftplan.source import Root


class Options(Struct, frozen=True):
    """Which project, which environment, and what the command line overrides."""

    directory: Path
    env: str | None = None
    specs: str = "specs"
    lock: str | None = None
    provider: str | None = None


Known = Callable[[Paths], tuple[State, Lock | None]]


class Loaded(Struct, frozen=True):
    """A project read from disk. With an error among the findings the graph is empty, unless it goes by dates that a
    service may know better; `preflight` has what could be read all the same.

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
    preflight: Preflight
    diagnostics: tuple[Diagnostic, ...]
    moves: tuple[tuple[Address, Address], ...] = ()
    budget: Budget | None = None
    most_running: int | None = None
    delete_models: frozenset[Address] = frozenset()
    allow_selection_only: bool = False


def load(
    options: Options, on_event: OnEvent = ignore, *, today: Callable[[], date] = today, locked: Known | None = None
) -> Loaded:
    """Read everything and find everything; `today` counts for what closes by a date, `locked` says what the lock
    knows. UserError only for what is outside the specs."""
    root = Root(directory := _directory(options))
    config, findings = read_config(root, options.specs)
    if config.policy.data_roots:
        root = Root(directory, [Path(written) for written in config.policy.data_roots])
    references = read_references(config)
    service, problems = choose_service(config, options.provider)
    findings.extend((*references.findings, *problems))
    paths = state_paths(directory, options.lock)
    state, lock = (locked or _known)(paths)
    preflight = Preflight(config, service.profile, today(), launched=_launched(state))
    cache = FactsCache(directory / ".rftplan" / "cache")
    entries = _with_moves(state.entries, config.moved)
    data = DataFiles(root, entries, _through(cache), on_event)
    facts = data.read(preflight)
    cache.save()
    findings.extend(data.findings)
    preflight = dataclasses.replace(preflight, facts={a: f for a, f in facts.items() if isinstance(f, DataFacts)})
    findings = [*ignoring(config, (*findings, *run_rules(preflight))), *wrong_rules(config)]
    graph = Graph({}, ()) if has_errors(without_dated(findings)) else build_graph(config, references, facts)
    begun = {intent.address for intent in state.intents.values()}
    findings.extend(over_budget(preflight, graph, entries, begun=begun))
    findings.extend(too_many_launches(preflight, graph, entries, begun=begun))
    diagnostics = sort_diagnostics(findings)
    limits = [most for most in (config.policy.max_running_jobs, service.profile.most_running) if most is not None]
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
        graph=Graph({}, ()) if has_errors(without_dated(diagnostics)) else graph,
        data_paths=data.paths,
        preflight=preflight,
        diagnostics=diagnostics,
        moves=tuple((move.origin, move.to) for move in config.moved),
        budget=config.policy.budget,
        most_running=min(limits, default=None),
        allow_selection_only=config.policy.allow_selection_only,
        delete_models=frozenset(removed.address for removed, _ in config.removed if removed.delete_model),
    )


def _directory(options: Options) -> Path:
    require_environment(options.env)
    require_directory(options.directory)
    return options.directory


def _through(cache: FactsCache) -> Read:
    def read(path: Path, probes: Sequence[Probe], *, on_progress: OnProgress) -> DataFacts:
        return read_facts_cached(path, cache, probes, on_progress=on_progress)

    return read


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


def nothing_known(_paths: Paths) -> tuple[State, Lock | None]:
    """As on the first day, for who asks about the specs alone where the lock cannot be read."""
    return State("", 0, {}, {}, new=True), None


def _launched(state: State) -> frozenset[Address]:
    return frozenset(a for a, entry in state.entries.items() if a.kind == "job" and entry.id is not None)
