"""As much of a project as can be read, for who also comes where its specs are broken. Asks nobody, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from rftplan.api.identity import ProviderIdentity
from rftplan.api.profiles import Capability, Profile
from rftplan.checks.models import judged, to_launch
from rftplan.checks.preflight import Preflight
from rftplan.codes import NO_SPECS
from rftplan.config import Config, read_config
from rftplan.config.project_spec import ProviderSpec
from rftplan.config.request import NO_MODEL
from rftplan.errors import Diagnostic, LockError
from rftplan.journal import Paths, State, read_state
from rftplan.loading import Options
from rftplan.lockfile import Lock
from rftplan.promoted import promoted, require_directory, require_environment, state_paths
from rftplan.service_choice import Service, choose_service, service_of
from rftplan.source import Root


class Subject(Struct, frozen=True):
    """Which service, and what is known of the project around it. `findings` are of the specs' form alone: no rule was
    run, no data read. `state` is None where `damage` says why; `unnamed` says why nobody names a service, where the
    local one only stands in for it."""

    root: Path
    provider: ProviderSpec
    profile: Profile
    identity: ProviderIdentity
    config: Config
    findings: Sequence[Diagnostic]
    paths: Paths
    state: State | None
    lock: Lock | None
    damage: LockError | None
    unnamed: str | None
    today: date

    @property
    def has_specs(self) -> bool:
        return not any(found.code == NO_SPECS.code for found in self.findings)

    @property
    def project(self) -> str | None:
        """Its name by the specs or, where they say none, by the lock."""
        if self.config.project:
            return self.config.project.name
        return self.lock.project if self.lock else None

    @property
    def promoted(self) -> Mapping[str, str]:
        """The live models by their deployments' names."""
        return {name: one.model for name, one in promoted(self.state).items()} if self.state else {}

    def models(self) -> Mapping[str, Sequence[str]]:
        """The models that the next launches and the live deployments need, each with who names it."""
        launched = frozenset(
            address
            for address, entry in (self.state.entries.items() if self.state else ())
            if address.kind == "job" and entry.id is not None
        )
        preflight = Preflight(self.config, self.profile, self.today, launched=launched)
        named: dict[str, list[str]] = {}
        for name, model in self.promoted.items():
            named.setdefault(model, []).append(f"deployment.{name}")
        for job in to_launch(preflight):
            if job.spec.model != NO_MODEL:
                named.setdefault(job.spec.model, []).append(str(job.address))
        any_model = self.profile.can(Capability.ANY_MODEL)
        for where, scorer in () if any_model else judged(preflight):
            named.setdefault(scorer.model, []).append(where.of)
        return named


def read_subject(options: Options, today: date) -> Subject:
    """UserError for a directory, an environment or a provider that is not there; whatever else is wrong is in it."""
    require_environment(options.env)
    require_directory(options.directory)
    config, findings = read_config(Root(options.directory), options.specs)
    paths = state_paths(options.directory, options.lock)
    state, lock, damage = _known(paths)
    service, problems, stands_in = _service(config, lock, options.provider)
    return Subject(
        root=options.directory,
        provider=service.provider,
        profile=service.profile,
        identity=service.identity,
        config=config,
        findings=(*findings, *problems),
        paths=paths,
        state=state,
        lock=lock,
        damage=damage,
        unnamed=_unnamed([*findings, *problems], paths, damage) if stands_in else None,
        today=today,
    )


def _service(config: Config, lock: Lock | None, asked: str | None) -> tuple[Service, list[Diagnostic], bool]:
    """The lock's service where the specs cannot say one and the command line names no other; and whether nobody said
    any, and the local one stands in."""
    if config.project is None and lock is not None and asked in (None, lock.provider.type):
        return locked_service(lock), [], False
    service, problems = choose_service(config, asked)
    if problems and lock is not None:
        return locked_service(lock), problems, False
    return service, problems, bool(problems) or (config.project is None and asked is None)


def locked_service(lock: Lock) -> Service:
    """The service that this lock's jobs run at."""
    return service_of(ProviderSpec.model_validate(lock.provider.as_document()))


def _unnamed(findings: Sequence[Diagnostic], paths: Paths, damage: LockError | None) -> str:
    no_lock = f"{paths.lock.name} cannot be read" if damage else f"there is no {paths.lock.name}"
    if any(found.code == NO_SPECS.code for found in findings):
        return f"there are no specs here, and {no_lock}"
    worst = min(findings, key=Diagnostic.sort_key).place if findings else None
    return f"the specs name none that can be asked ({worst or 'project: is missing'}), and {no_lock}"


def _known(paths: Paths) -> tuple[State | None, Lock | None, LockError | None]:
    try:
        state, lock = read_state(paths, new_lineage=str)
    except LockError as error:
        return None, None, error
    return state, lock, None
