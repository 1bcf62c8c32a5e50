"""A project made ready to be planned: no finding is an error, by its specs and by what the service says of models.

Plans nothing and writes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rftplan.address import Address
from rftplan.api.profiles import Capability
from rftplan.codes import DATES_UNKNOWN, finding
from rftplan.errors import ApiError, CredentialError, Diagnostic, SpecError, has_errors, sort_diagnostics
from rftplan.events import OnEvent
from rftplan.kinds.job.observe import SeenJob
from rftplan.loading import Loaded, Options, load
from rftplan.ownership import require_own
from rftplan.promoted import promoted
from rftplan.wiring import World

if TYPE_CHECKING:
    from rftplan.api.port import Port


def opened(options: Options, on_event: OnEvent, world: World) -> Loaded:
    """The project as it is on the world's day. SpecError if a finding is an error.

    Where the service names dates, those errors are left that go by our own: whoever finds one goes on to `dated`.
    """
    from rftplan.checks import without_dated

    loaded = load(options, on_event, today=world.today)
    asks = loaded.profile.can(Capability.SHUTDOWN_DATES)
    if has_errors(without_dated(loaded.diagnostics) if asks else loaded.diagnostics):
        raise SpecError(loaded.diagnostics)
    return loaded


def readable(options: Options, world: World) -> Loaded:
    """The project for who looks after what exists: what goes by a model's dates concerns launches alone. SpecError for
    any other error."""
    from rftplan.checks import without_dated

    loaded = load(options, today=world.today)
    if has_errors(without_dated(loaded.diagnostics)):
        raise SpecError(loaded.diagnostics)
    require_own(loaded.lock, loaded.paths.lock.name, loaded.identity, loaded.project)
    return loaded


async def dated(loaded: Loaded, port: Port) -> tuple[Diagnostic, ...]:
    """The project's findings with the days that the service names, where it names any: one request. SpecError if one
    of them is an error, LockError before anything is asked where the lock is another account's."""
    require_own(loaded.lock, loaded.paths.lock.name, loaded.identity, loaded.project)
    if not loaded.profile.can(Capability.SHUTDOWN_DATES):
        return loaded.diagnostics
    from rftplan.checking.asking import shutdown_dates
    from rftplan.checks import replace_told
    from rftplan.ignoring import ignoring

    config = loaded.preflight.config
    live = {name: one.model for name, one in promoted(loaded.state).items()}
    try:
        told = await shutdown_dates(port, promoted=live)
        found = sort_diagnostics(ignoring(config, replace_told(loaded.preflight, loaded.diagnostics, told)))
    except ApiError as error:
        # The days are advice: a key that may not list models, or an outage of that list, stops no plan.
        unknown = finding(DATES_UNKNOWN, error.message, hint=error.hint)
        found = sort_diagnostics((*loaded.diagnostics, unknown))
    if has_errors(found):
        raise SpecError(found)
    return found


@contextmanager
def telling(found: Sequence[Diagnostic]) -> Iterator[list[Diagnostic]]:
    """A service that cannot be reached hides nothing of what was found without it. What is yielded is told: whoever
    learns that the service takes some of it back changes it."""
    told = list(found)
    try:
        yield told
    except (ApiError, CredentialError) as error:
        # That it named no days either is no news beside what it failed with.
        error.diagnostics = tuple(one for one in told if one.code != DATES_UNKNOWN.code)
        raise


def with_sharing(
    loaded: Loaded, snapshot: Mapping[Address, object], findings: Sequence[Diagnostic]
) -> tuple[Diagnostic, ...]:
    """The findings with what the replies of launched jobs say of their data."""
    from rftplan.checks import Told, sharing
    from rftplan.ignoring import ignoring

    jobs = {a: seen.mine for a, seen in snapshot.items() if isinstance(seen, SeenJob) and seen.mine is not None}
    said = {address: job.body.get("shared_with_openai") for address, job in jobs.items()}
    told = Told(shared={address: value for address, value in said.items() if isinstance(value, bool)})
    codes = {sharing.SHARING_UNSHOWN.code, sharing.NOT_SHARED.code}
    kept = [one for one in findings if one.code not in codes]
    said_now = sharing.data_sharing(dataclasses.replace(loaded.preflight, told=told))
    return tuple(ignoring(loaded.preflight.config, (*kept, *said_now)))
