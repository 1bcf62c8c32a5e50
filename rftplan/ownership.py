"""Whose a lock is: one account at one provider, one project. Compares only, and touches no file."""

from __future__ import annotations

from rftplan.api.identity import ProviderIdentity
from rftplan.errors import LockError
from rftplan.lockfile import Lock


def require_own(lock: Lock | None, name: str, identity: ProviderIdentity, project: str) -> None:
    """LockError that names what differs, for a lock of another account or another project than the specs name."""
    if lock is None:
        return
    if lock.project not in (None, project):
        raise LockError(
            f'{name} belongs to project "{lock.project}", the specs name "{project}": every launch carries '
            "the project's name, and under another one its jobs would not be found again",
            hint=f'name it "{lock.project}" again; a project of another name needs a lock of its own (--lock)',
        )
    if differing := _differing(lock.provider, identity):
        raise LockError(
            f"{name} belongs to another account: {differing}",
            hint="another provider or account needs a lock of its own: give one with --lock",
        )


def _differing(locked: ProviderIdentity, wanted: ProviderIdentity) -> str:
    there, here = locked.as_document(), wanted.as_document()
    return "; ".join(
        f"provider.{key} is {there[key] or '(none)'} in it, and {here[key] or '(none)'} is asked for"
        for key in there
        if there[key] != here[key]
    )
