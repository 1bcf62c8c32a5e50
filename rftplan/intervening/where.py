"""Which service a command for 2 a.m. asks: where the lock's jobs run, whatever the specs say by now. Asks nobody.

Gives no key to anyone: whoever connects looks at the host, the lock's as well as the specs'.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from rftplan.api.identity import ProviderIdentity
from rftplan.errors import LockError, UserError
from rftplan.ownership import require_own
from rftplan.subject import Subject, locked_service

_SAY_WHICH: Final = (
    "--provider openai; for a service with a base_url: a folder with one YAML file that holds project: alone, "
    "and --specs FOLDER"
)


def settled(subject: Subject, asked: str | None) -> tuple[Subject, str | None]:
    """The subject at the service to ask; and why that is the lock's, where the specs name another account or project.

    UserError where nobody names a service. LockError where `asked`, the command line's provider, is not the lock's.
    """
    if subject.unnamed is not None:
        raise UserError(f"which service is meant is unknown: {subject.unnamed}", hint=_SAY_WHICH)
    if subject.lock is None:
        return subject, None
    try:
        require_own(subject.lock, subject.paths.lock.name, subject.identity, subject.project or "")
    except LockError as error:
        if asked not in (None, subject.lock.provider.type):
            raise
        return _at_lock(subject), error.message
    return subject, None


def _at_lock(subject: Subject) -> Subject:
    """Under the account and the project's name that every launch of the lock carries."""
    assert subject.lock is not None
    there = locked_service(subject.lock)
    own = subject.lock.project is None or subject.project == subject.lock.project
    config = subject.config if own else replace(subject.config, project=None)
    return replace(subject, provider=there.provider, profile=there.profile, identity=there.identity, config=config)


def spoken(identity: ProviderIdentity) -> str:
    """A service as a sentence names it."""
    if identity.in_process:
        return "the local service of this folder"
    named = [value for value in (identity.organization, identity.project) if value]
    return ", ".join([f"{identity.type} at {identity.base_url}", *named])
