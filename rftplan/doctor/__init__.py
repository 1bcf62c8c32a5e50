"""What stands in the way, all of it at once: the service, the key, the account, the project, this machine.

Makes, changes and spends nothing, and shows no key; one look that fails hides no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.api.credentials import check_key_host, exposed_key_file, find_admin_key, find_key, key_source
from rftplan.api.port import Sight
from rftplan.doctor.asking import Answers, Asker
from rftplan.doctor.machine import LOOKS, THERE, Look, Machine
from rftplan.doctor.offers import (
    claimed_signs,
    closing_sign,
    launching_sign,
    list_sign,
    model_signs,
    names_asked_for,
    permissions_sign,
)
from rftplan.doctor.signs import WHY, About, Examined, Sign, State
from rftplan.doctor.way import Key, account_sign, clock_sign, key_sign, locked_out, reached, refusals, way_sign
from rftplan.errors import CredentialError, UserError
from rftplan.loading import Options
from rftplan.subject import Subject, read_subject
from rftplan.wiring import Keys, World, connected, local_store

__all__ = ["WHY", "About", "Examined", "Sign", "State", "examine"]

_SECONDS: Final = 10.0
_MACHINE_SECONDS: Final = 30.0
_LONGEST: Final = 1_000
_NO_KEY: Final = "no-key-is-set"
"""Sent where there is none to send: whether the service answers shows without one."""

_LISTS: Final = {
    About.JOBS: Sight.JOBS,
    About.FILES: Sight.FILES,
    About.GRADERS: Sight.GRADERS,
    About.MODELS: Sight.MODELS,
}


async def examine(
    options: Options, world: World, *, machine: Machine | None = None, seconds: float = _SECONDS
) -> Examined:
    """Look at everything, each for at most `seconds` where it is at the service. UserError for a directory, an
    environment or a provider that is not there."""
    machine = machine or Machine(world.new_runner)
    subject = read_subject(options, world.today())
    (signs, requests), here = await asyncio.gather(
        _service(subject, world, seconds),
        asyncio.gather(*(_looked(about, look, subject, machine) for about, look in LOOKS.items())),
    )
    order = list(About)
    found = sorted((*signs, *here), key=lambda sign: order.index(sign.about))
    return Examined(subject.identity, subject.project, subject.today, found, requests)


async def _looked(about: About, look: Look, subject: Subject, machine: Machine) -> Sign:
    """In a thread of its own: a disk that hangs holds up nothing else."""
    try:
        async with asyncio.timeout(_MACHINE_SECONDS):
            return await asyncio.to_thread(look, subject, machine)
    except TimeoutError:
        return Sign(about, State.UNKNOWN, f"it did not show in {_MACHINE_SECONDS:g} s")
    except OSError as error:
        return Sign(about, State.WRONG, f"{error.filename or 'it'} cannot be looked at: {error.strerror}")


async def _service(subject: Subject, world: World, seconds: float) -> tuple[Sequence[Sign], int]:
    """What the service shows, and the requests that it took."""
    key, keys = await asyncio.to_thread(_keys, subject, world)
    if key.barred:
        return (*_unasked(subject, key, "no key may be sent there, so nothing was"),), 0
    try:
        async with connected(subject, world, keys) as port:
            asker = Asker(port, subject.profile, world.now, seconds)
            if key.problem is not None:
                answers = await asker.look((Sight.JOBS,))
            else:
                live = tuple(subject.promoted.values())
                answers = await asker.ask(names_asked_for(subject), live, permissions=True)
            return [_clean(sign, keys) for sign in _judged(subject, key, answers, world)], port.requests
    except UserError as error:  # the service inside this process, whose store cannot be opened
        store = Sign(About.STORE, State.WRONG, error.message, error.hint)
        return (store, *_unasked(subject, key, "the local service does not start")), 0


def _keys(subject: Subject, world: World) -> tuple[Key, Keys | None]:
    """The key, and what is wrong with it. An admin key that is no good takes nothing from the other."""
    if subject.identity.in_process:
        return Key(), None
    profile, base_url, environ = subject.profile, subject.identity.base_url, world.environ
    source = key_source(profile, environ, world.user_config)
    try:
        check_key_host(profile, base_url, environ)
    except CredentialError as error:
        return Key(source, error, barred=True), None
    exposed = exposed_key_file(profile, environ, world.user_config)
    try:
        found = find_key(profile, base_url, environ, world.user_config)
    except CredentialError as error:
        return Key(source, error, exposed), Keys(_NO_KEY)
    try:
        return Key(source, None, exposed), Keys(found, find_admin_key(profile, base_url, environ))
    except CredentialError as error:
        return Key(source, None, exposed, admin_problem=error), Keys(found)


def _judged(subject: Subject, key: Key, answers: Answers, world: World) -> Iterator[Sign]:
    glances = answers.glances
    yield way_sign(subject.identity, glances, world.environ)
    yield key_sign(subject.identity, key, glances)
    yield account_sign(subject, glances)
    yield clock_sign(subject.identity, glances)
    yield launching_sign(subject, glances)
    yield closing_sign(subject)
    yield from claimed_signs(subject)
    yield _store(subject)
    barrier = _barrier(key, answers)
    yield from model_signs(subject, None if barrier else answers)
    if barrier is not None:
        yield from (Sign(about, State.NOT_ASKED, barrier) for about in (*_LISTS, About.PERMISSIONS))
        return
    yield from (list_sign(about, glances[sight]) for about, sight in _LISTS.items())
    yield permissions_sign(subject, key, answers)


def _clean(sign: Sign, keys: Keys | None) -> Sign:
    """A service can say a key back where an id or a name should be, and say as much as it likes."""

    def cleaned(text: str) -> str:
        for secret in filter(None, (keys.key, keys.admin) if keys else ()):
            text = text.replace(secret, "[key]")
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"

    return replace(sign, found=cleaned(sign.found), subject=cleaned(sign.subject) if sign.subject else None)


def _barrier(key: Key, answers: Answers) -> str | None:
    """What keeps everything else from being asked: said once, and not once for each."""
    if not reached(answers.glances):
        return "what answers there is not this API" if refusals(answers.glances) else "the service did not answer"
    if key.problem is not None:
        return "there is no key to ask with"
    return "the key or the account is refused" if locked_out(answers.glances) else None


def _unasked(subject: Subject, key: Key, barrier: str) -> Iterator[Sign]:
    if key.problem is not None:
        yield key_sign(subject.identity, key, {})
    yield account_sign(subject, {})
    yield closing_sign(subject)
    claimed = list(claimed_signs(subject))
    yield from claimed
    yield from model_signs(subject, None)
    said = {About.KEY, About.ACCOUNT, About.CLOSING, About.MODEL, About.STORE, *LOOKS, *(c.about for c in claimed)}
    if key.problem is None:
        said -= {About.KEY}
    if not subject.identity.in_process:
        yield _store(subject)
    yield from (Sign(about, State.NOT_ASKED, barrier) for about in About if about not in said)


def _store(subject: Subject) -> Sign:
    """What could not be opened has ended the look at the service before this."""
    if not subject.identity.in_process:
        return Sign(About.STORE, State.NOT_ASKED, THERE)
    path = local_store(subject.root)
    if not path.exists():
        return Sign(About.STORE, State.OK, "there is none yet: the first apply makes it")
    return Sign(About.STORE, State.OK, f"{path} can be opened")
