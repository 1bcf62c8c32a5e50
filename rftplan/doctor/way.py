"""Judges whether a service was reached, and whether the key and the account are good there. Pure; asks nobody."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from rftplan.api.endpoint import parse_endpoint
from rftplan.api.identity import ProviderIdentity
from rftplan.api.port import Seen, Sight
from rftplan.doctor.asking import Glance
from rftplan.doctor.signs import About, Sign, State
from rftplan.errors import ApiError, CredentialError, LockError, NotFoundError, RejectedError, Way
from rftplan.ownership import require_own
from rftplan.subject import Subject

CLOCK_SECONDS: Final = 30.0
"""How far two clocks may be apart before it is said."""

_BROKEN: Final[Mapping[Way, str]] = {
    Way.PROXY: "the proxy lets nothing through",
    Way.NAME: "there is no such host, or this machine cannot look up names",
    Way.REFUSED: "nobody listens there",
    Way.TLS: "the encrypted connection cannot be trusted",
    Way.NETWORK: "there is no way to it",
    Way.TIMEOUT: "no answer in time",
    Way.LOST: "it was reached, and the connection broke",
}
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")


class Key(Struct, frozen=True):
    """`source` is where it was found: a variable's name or a file's. `problem` is why there is none to send,
    `exposed` the file that others can read it in, `barred` whether the host may have none; `admin_problem` is why
    there is no admin key although one is set."""

    source: str | None = None
    problem: CredentialError | None = None
    exposed: Path | None = None
    barred: bool = False
    admin_problem: CredentialError | None = None


def refusals(glances: Mapping[Sight, Glance]) -> list[ApiError]:
    return [g.seen.refusal for g in glances.values() if isinstance(g.seen, Seen) and g.seen.refusal is not None]


def reached(glances: Mapping[Sight, Glance]) -> bool:
    """Whether this API itself said something."""
    return any(isinstance(g.seen, Seen) and _speaks(g.seen) for g in glances.values())


def _speaks(seen: Seen) -> bool:
    """What only says that it has no such URL may be anything."""
    refusal = seen.refusal
    if refusal is None or refusal.status == 429 or isinstance(refusal, NotFoundError):
        return True
    return isinstance(refusal, RejectedError) and refusal.status != 404


def locked_out(glances: Mapping[Sight, Glance]) -> bool:
    """Whether every answer was that this key, or this account, is none of the service's."""
    answers = [g.seen for g in glances.values() if isinstance(g.seen, Seen) and _speaks(g.seen)]
    return bool(answers) and all(seen.refusal is not None and seen.refusal.status == 401 for seen in answers)


def way_sign(identity: ProviderIdentity, glances: Mapping[Sight, Glance], environ: Mapping[str, str]) -> Sign:
    """Whether it is reachable, or what is between."""
    if identity.in_process:
        return Sign(About.REACHABLE, State.OK, "it lives inside this process")
    if reached(glances):
        quickest = min(g.ended - g.began for g in glances.values() if isinstance(g.seen, Seen))
        return Sign(About.REACHABLE, State.OK, f"{identity.base_url} answers, in {max(quickest, 0.0):.2f} s")
    if answered := refusals(glances):
        return _strange(identity, answered[0])
    error = next(g.seen for g in glances.values() if isinstance(g.seen, ApiError))
    said = _BROKEN[error.way] if error.way else "it did not answer"
    proxy = next((name for name in _PROXIES if environ.get(name)), None)
    if proxy and not parse_endpoint(identity.base_url).loopback:
        said += f" ({proxy} is set)"
    return Sign(About.REACHABLE, State.WRONG, f"{said}: {error}", error.hint)


def _strange(identity: ProviderIdentity, error: ApiError) -> Sign:
    if error.status is not None and error.status >= 500:
        return Sign(About.REACHABLE, State.WRONG, f"it is reached, and fails: {error}", error.hint)
    hint = f"check base_url: {identity.base_url}"
    return Sign(About.REACHABLE, State.WRONG, f"what answers there is not this API: {error}", error.hint or hint)


def key_sign(identity: ProviderIdentity, key: Key, glances: Mapping[Sight, Glance]) -> Sign:
    """Whether there is a key that may be sent, and whether the service takes it. Shows where it is, never the key."""
    if identity.in_process:
        return Sign(About.KEY, State.OK, "none is needed")
    if key.problem is not None:
        return Sign(About.KEY, State.WRONG, key.problem.message, key.problem.hint)
    sign = _judged(f"the one in {key.source}", glances)
    if key.exposed is None:
        return sign
    hints = [f"chmod 600 {shlex.quote(str(key.exposed))}", *([sign.next] if sign.next else [])]
    found = f"{sign.found}; other users of this machine can read it in {key.exposed}"
    return Sign(About.KEY, State.WRONG, found, "; ".join(hints))


def _judged(where: str, glances: Mapping[Sight, Glance]) -> Sign:
    """By what the service says of it."""
    if not reached(glances):
        return Sign(About.KEY, State.NOT_ASKED, f"{where} is well formed; whether it is accepted could not be asked")
    if not locked_out(glances):
        return Sign(About.KEY, State.OK, f"{where} is accepted")
    error = refusals(glances)[0]
    if _about_account(error):
        return Sign(About.KEY, State.UNKNOWN, f"{where} may be good: the account is refused")
    return Sign(About.KEY, State.WRONG, f"{where} is refused: {error}", error.hint)


def _about_account(error: ApiError) -> bool:
    """401 also says that the key is of another organisation or project."""
    return any(word in (error.code or "") for word in ("organization", "project"))


def account_sign(subject: Subject, glances: Mapping[Sight, Glance]) -> Sign:
    """Whether the organisation and project are the lock's, and the service's."""
    identity = subject.identity
    if problem := _not_own(subject):
        return Sign(About.ACCOUNT, State.WRONG, problem.message, problem.hint)
    if identity.in_process:
        return Sign(About.ACCOUNT, State.OK, "there is only one")
    for error in refusals(glances):
        if error.status == 401 and _about_account(error):
            hint = "check provider.organization and provider.project against the key's own"
            return Sign(About.ACCOUNT, State.WRONG, str(error), hint)
    return _as_asked(identity, [g.seen for g in glances.values() if isinstance(g.seen, Seen)])


def _as_asked(identity: ProviderIdentity, seen: Sequence[Seen]) -> Sign:
    wanted = {"organization": identity.organization, "project": identity.project}
    named = ", ".join(f"{name} {value}" for name, value in wanted.items() if value)
    said = named or "the key's own: no organization and no project is named"
    owners = {str(item["organization_id"]) for one in seen for item in one.items if item.get("organization_id")}
    if identity.organization and owners and identity.organization not in owners:
        found = f"{named} is asked for, and the jobs that are listed belong to {', '.join(sorted(owners))}"
        return Sign(About.ACCOUNT, State.WRONG, found, "check provider.organization in the specs")
    if not seen or all(one.refusal is not None for one in seen):
        return Sign(About.ACCOUNT, State.NOT_ASKED, f"{said}; whether it is right could not be asked")
    answered = next((one.organization for one in seen if one.organization), None)
    return Sign(About.ACCOUNT, State.OK, said + (f"; it answers for {answered}" if answered else ""))


def _not_own(subject: Subject) -> LockError | None:
    """As every command that acts finds it; without specs there is no project to compare."""
    if subject.lock is None or subject.project is None:
        return None
    try:
        require_own(subject.lock, subject.paths.lock.name, subject.identity, subject.project)
    except LockError as error:
        return error
    return None


def clock_sign(identity: ProviderIdentity, glances: Mapping[Sight, Glance]) -> Sign:
    """Whether this machine's clock and the service's agree."""
    if identity.in_process:
        return Sign(About.CLOCK, State.OK, "the service goes by this machine's own")
    apart = apart_by(glances.values())
    if not any(isinstance(glance.seen, Seen) for glance in glances.values()):
        return Sign(About.CLOCK, State.NOT_ASKED, "nobody told the time")
    if apart is None:
        return Sign(About.CLOCK, State.UNKNOWN, "the service does not tell its time")
    if abs(apart) < CLOCK_SECONDS:
        return Sign(About.CLOCK, State.OK, "agrees with the service's")
    side = "ahead of" if apart > 0 else "behind"
    found = f"this machine is {abs(apart):,.0f} s {side} the service, or more"
    return Sign(About.CLOCK, State.WRONG, found, "set this machine's clock, and let it be kept (NTP)")


def apart_by(glances: Iterable[Glance]) -> float | None:
    """How far our clock is ahead of the service's at least, in seconds, below zero: behind; 0 where they may agree.
    None where nobody told the time. A clock that tells whole seconds is up to one second later than it says."""
    bounds = []
    for glance in glances:
        if isinstance(glance.seen, Seen) and glance.seen.at is not None:
            at = glance.seen.at
            ahead, behind = glance.began - (at + 1), at - glance.ended
            bounds.append(ahead if ahead > 0 else -behind if behind > 0 else 0.0)
    return min(bounds, key=abs, default=None)
