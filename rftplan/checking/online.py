"""Checks that ask the service: what was found here, and what the service says. Decides nothing itself."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.api.profiles import Profile
from rftplan.checking.asking import Asked, ask
from rftplan.checking.request import RequestCheck, about
from rftplan.checks import Preflight, replace_told, without_told
from rftplan.checks.preflight import Told
from rftplan.codes import KEY_EXPOSED, NOT_ASKED, finding
from rftplan.config.project_spec import ProviderSpec
from rftplan.errors import ApiError, CredentialError, Diagnostic, has_errors, sort_diagnostics
from rftplan.ignoring import ignoring
from rftplan.loading import Loaded
from rftplan.ownership import require_own
from rftplan.promoted import promoted
from rftplan.wiring import Reached, World, connected, exposed_keys


class OnlineCheck(Struct, frozen=True):
    """Every finding, sorted; what was asked, and how many HTTP requests it took."""

    diagnostics: tuple[Diagnostic, ...]
    asked: Asked
    requests: int


async def check_project(loaded: Loaded, world: World) -> OnlineCheck:
    """Asks the project's service; where that cannot be, a finding says why. LockError where the lock belongs to
    another account."""
    require_own(loaded.lock, loaded.paths.lock.name, loaded.identity, loaded.project)
    live = {name: one.model for name, one in promoted(loaded.state).items()}
    return await _check(loaded, loaded.preflight, loaded.diagnostics, world, paths=loaded.data_paths, live=live)


async def check_request(found: RequestCheck, world: World) -> OnlineCheck:
    """Asks the service that the request is for."""
    service = found.service
    with _nowhere() as root:
        reached = _Service(root, service.provider, service.profile, service.identity)
        checked = await _check(reached, found.preflight, found.diagnostics, world, paths=found.paths, live={})
        ours = (*about(found.subject, checked.diagnostics), *_of_the_way(checked.diagnostics))
        return replace(checked, diagnostics=sort_diagnostics(dict.fromkeys(ours)))


def _of_the_way(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """What is said of the key and of the service itself, whatever was to be checked."""
    return (one for one in found if one.code in (NOT_ASKED.code, KEY_EXPOSED.code))


class _Service(Struct, frozen=True):
    """A service without a project."""

    root: Path
    provider: ProviderSpec
    profile: Profile
    identity: ProviderIdentity


@contextmanager
def _nowhere() -> Iterator[Path]:
    """A request leaves nothing behind, also where the service lives in this process."""
    with tempfile.TemporaryDirectory(prefix="rftplan-") as name:
        yield Path(name)


async def _check(
    reached: Reached,
    preflight: Preflight,
    found: tuple[Diagnostic, ...],
    world: World,
    *,
    paths: Mapping[Address, Path],
    live: Mapping[str, str],
) -> OnlineCheck:
    preflight = dataclasses.replace(preflight, today=world.today())
    grades = not has_errors(without_told(found))
    try:
        async with connected(reached, world) as port:
            asked = await ask(preflight, port, paths=paths, promoted=live, try_graders=grades)
            told = ignoring(preflight.config, replace_told(preflight, found, asked.told))
            said = (*told, *exposed_keys(reached, world))
            failed = () if asked.failure is None else (_not_asked(asked.failure),)
            return OnlineCheck(sort_diagnostics((*said, *failed)), asked, port.requests)
    except CredentialError as error:
        return OnlineCheck(sort_diagnostics((*found, _not_asked(error))), Asked(Told()), requests=0)


def _not_asked(error: ApiError | CredentialError) -> Diagnostic:
    """Beside what was found before, here and there: it may be why somebody looked."""
    return finding(NOT_ASKED, error.message, hint=error.hint)
