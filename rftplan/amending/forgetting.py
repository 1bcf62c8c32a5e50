"""Make the lock forget one address. Looks at the service, and leaves everything there as it is."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from rftplan.address import Address
from rftplan.amending import amended, entry_at, known_state
from rftplan.amending.moves import refuse_open
from rftplan.api.port import JobStatus
from rftplan.errors import ApiError, CredentialError, RefusedPlanError
from rftplan.kinds.job.cost import hour_price
from rftplan.kinds.job.kept import status_in
from rftplan.loading import Options
from rftplan.lockfile import FORGOTTEN, Entry
from rftplan.subject import Subject, read_subject
from rftplan.wiring import World, connected, real_world


class Leaving(StrEnum):
    """What stays at the service when the lock forgets."""

    NOTHING = "nothing"
    FILE = "file"
    ENDED_JOB = "ended-job"
    ACTIVE_JOB = "active-job"
    MODEL = "model"


class Forgetting(Struct, frozen=True):
    """What the lock would forget, or has forgotten, and what stays.

    `status` is the job's, by the service where it answered (`asked`), else by the lock. `hour_usd` is what an hour of
    its training costs, None where that is not known, `paid` whether it costs anything, `cap` who ends a run that
    becomes too dear. `grants` are the permissions that the lock recorded. `declared`: the specs still want it, so the
    next apply finds it again, or makes it anew.
    """

    address: Address
    id: str | None
    leaving: Leaving
    status: str | None = None
    asked: bool = False
    hour_usd: float | None = None
    paid: bool = False
    cap: str | None = None
    holds: tuple[str, ...] = ()
    grants: int = 0
    declared: bool = False


Consent = Callable[[Forgetting], bool]


async def forget(
    options: Options,
    address: Address,
    *,
    leave_running: bool = False,
    consent: Consent = lambda _: True,
    world: World | None = None,
) -> Forgetting | None:
    """Forget it once consent is given; None if it was not. Needs no specs that can be read, and no service.

    UserError for what the lock does not know or what an open effect concerns, RefusedPlanError for an active job
    unless it may be left running.
    """
    world = world or real_world()
    subject = read_subject(options, world.today())
    state = known_state(subject)
    entry = entry_at(state.entries, address)
    refuse_open(tuple(state.intents.values()), address)
    found = await _leaving(subject, address, entry, world)
    if found.leaving is Leaving.ACTIVE_JOB and not leave_running:
        raise RefusedPlanError(
            f"{address} ({entry.id}) is {found.status}: forgotten, it trains on, and nobody here stops or promotes it",
            hint=f"end it first (rftplan cancel {address}), or give --leave-running",
        )
    if not consent(found):
        return None
    with amended(subject, world, f"state rm {address}") as ledger:
        if ledger.entries.get(address) != entry:
            raise RefusedPlanError(
                f"somebody else changed what the lock says of {address} meanwhile", hint="run the command again"
            )
        refuse_open(ledger.intents, address)
        ledger.record(address, None, tombstone=FORGOTTEN)
    return found


async def _leaving(subject: Subject, address: Address, entry: Entry, world: World) -> Forgetting:
    holds = tuple(one.code for one in entry.holds)
    declared = address in subject.config.declared or address in subject.config.broken
    if address.kind == "job" and entry.id is not None:
        return await _job(subject, address, entry, world, holds, declared)
    kept = {"file": Leaving.FILE, "deployment": Leaving.MODEL}.get(address.kind, Leaving.NOTHING)
    leaving = kept if entry.id is not None else Leaving.NOTHING
    return Forgetting(address, entry.id, leaving, holds=holds, grants=_grants(entry), declared=declared)


def _grants(entry: Entry) -> int:
    """How many permissions the lock recorded: each lets a project use a model, and goes on doing so."""
    recorded = entry.resolved.get("permissions")
    models = recorded.values() if isinstance(recorded, dict) else ()
    return sum(len(one) for one in models if isinstance(one, dict))


async def _job(
    subject: Subject, address: Address, entry: Entry, world: World, holds: tuple[str, ...], declared: bool
) -> Forgetting:
    status, word, asked = status_in(entry), status_in(entry).value, False
    try:
        async with connected(subject, world) as port:
            job = await port.get_job(entry.id or "")
            status, word, asked = job.status, job.raw_status, True
    except (ApiError, CredentialError):
        word = word if status is not JobStatus.UNKNOWN else "in a state that is not known"
    model = entry.inputs.get("model")
    profile = subject.profile
    price = hour_price(model, profile) if isinstance(model, str) else None
    return Forgetting(
        address,
        entry.id,
        Leaving.ENDED_JOB if status.ended else Leaving.ACTIVE_JOB,
        status=word,
        asked=asked,
        hour_usd=price.usd if price and profile.paid else None,
        paid=profile.paid,
        cap=profile.cap.said if profile.paid else None,
        holds=holds,
        declared=declared,
    )
