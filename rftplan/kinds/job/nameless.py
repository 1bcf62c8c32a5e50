"""Jobs at a service that may not keep metadata: known again by id, or by the seed that carries their token. Pure.

Decides nothing: whose a job is that cannot be known again is left open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Capability, Profile
from rftplan.canonical import JsonObject
from rftplan.journal import Intent
from rftplan.kinds.base import Resource
from rftplan.kinds.job.accepted import as_launched
from rftplan.kinds.job.compare import differences, same_model
from rftplan.kinds.job.kept import REPLACES
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY, launch_of
from rftplan.kinds.job.spec import FileRef, JobSpec
from rftplan.kinds.scope import Scope
from rftplan.lockfile import Entry

_BAD_ENDS: Final = (JobStatus.FAILED, JobStatus.CANCELLED)


def seed_of(token: str) -> int:
    """31 bits of a launch's token: all that a seed may be."""
    return int.from_bytes(hashlib.sha256(token.encode()).digest()[:4], "big") & 0x7FFF_FFFF


def with_token(body: JsonObject, token: str, profile: Profile) -> JsonObject:
    """The create request with the token in the seed, where metadata may be lost and nobody set one. A seed that nobody
    set is none of the job's identity: the service would have picked another."""
    if profile.can(Capability.METADATA) or body.get("seed") is not None:
        return body
    return {**body, "seed": seed_of(token)}


class Sent(Struct, frozen=True):
    """What a launch went out with that a service shows again. `seed` is None where it carries the token."""

    model: str
    training_file: str
    validation_file: str | None
    seed: int | None

    @classmethod
    def of(cls, body: JsonObject) -> Sent:
        """Of a create request before the token is in it."""
        validation, seed = body.get("validation_file"), body.get("seed")
        return cls(
            str(body["model"]),
            str(body["training_file"]),
            None if validation is None else str(validation),
            seed if isinstance(seed, int) else None,
        )

    def as_target(self) -> tuple[str, ...]:
        """As a journal keeps it: four texts."""
        seed = "" if self.seed is None else str(self.seed)
        return (self.model, self.training_file, self.validation_file or "", seed)

    @classmethod
    def from_target(cls, target: Sequence[str]) -> Sent | None:
        """The inverse; None for a launch at a service that keeps metadata. What comes after it is the launch's own."""
        if len(target) < 4:
            return None
        model, training, validation, seed = target[:4]
        return cls(model, training, validation or None, int(seed) if seed.isdecimal() else None)

    def fits(self, job: RemoteJob) -> bool:
        """Whether the job shows the same model and the same files; what it does not show may be anything."""
        files = ((self.training_file, job.training_file), (self.validation_file, job.validation_file))
        return _one_model(self.model, job.model) and all(now is None or now == sent for sent, now in files)


class Launched(Struct, frozen=True):
    """A launch from here of which no id is known: the name that it would have in metadata, and what it went out
    with."""

    address: str
    launch: str
    token: str
    sent: Sent

    def is_(self, job: RemoteJob) -> bool:
        """Certainly this job: its seed carries the token."""
        return self.sent.seed is None and job.seed == seed_of(self.token) and self.sent.fits(job)

    def may_be(self, job: RemoteJob) -> bool:
        """Nothing that the job shows says that it is another."""
        seed = self.sent.seed if self.sent.seed is not None else seed_of(self.token)
        return job.seed in (None, seed) and self.sent.fits(job)


def launched_by(intent: Intent, scope: Scope) -> Launched | None:
    """What a cut-off launch went out as; None for another effect, or where metadata was trusted."""
    sent = Sent.from_target(intent.target) if intent.verb == "launch" else None
    if sent is None or intent.launch is None:
        return None
    return Launched(scope.launch_address(intent.address), intent.launch, intent.token, sent)


def named(job: RemoteJob, address: str, launch: str, token: str | None = None) -> RemoteJob:
    """The job with the metadata that it was launched with; what the service kept is left as it is."""
    if not is_nameless(job):
        return job
    own = {ADDRESS_KEY: address, LAUNCH_KEY: launch} | ({TOKEN_KEY: token} if token else {})
    return replace(job, metadata={**job.metadata, **own})


def is_nameless(job: RemoteJob) -> bool:
    return LAUNCH_KEY not in job.metadata


def known_again(
    jobs: Iterable[RemoteJob],
    scope: Scope,
    *,
    entries: Mapping[Address, Entry],
    intents: Iterable[Intent],
    also: Iterable[Launched] = (),
) -> tuple[RemoteJob, ...]:
    """The same jobs, those without metadata named that lock and journal know: by id, or by seed, files and model.
    `also` are launches of this very moment."""
    if scope.profile.can(Capability.METADATA):
        return tuple(jobs)
    intents = tuple(intents)
    by_id = _by_id(scope, entries, intents)
    launched = [*also, *(found for intent in intents if (found := launched_by(intent, scope)) is not None)]

    def again(job: RemoteJob) -> RemoteJob:
        if job.id in by_id:
            return named(job, *by_id[job.id])
        one = next((one for one in launched if one.is_(job)), None)
        return job if one is None else named(job, one.address, one.launch, one.token)

    return tuple(again(job) if is_nameless(job) else job for job in jobs)


def _by_id(scope: Scope, entries: Mapping[Address, Entry], intents: Iterable[Intent]) -> dict[str, tuple[str, str]]:
    """Address and launch of every job whose id we have: the entries' own, what they replace, what we were about to
    cancel."""
    known: dict[str, tuple[str, str]] = {}
    for address, entry in entries.items():
        if address.kind != "job":
            continue
        here, replaced = scope.launch_address(address), entry.resolved.get(REPLACES)
        for id, launch in (replaced if isinstance(replaced, dict) else {}).items():
            known[id] = (here, str(launch))
        if entry.id is not None:
            known[entry.id] = (here, launch_of(as_launched(entry).fingerprint, entry.attempt))
    for intent in intents:
        if intent.verb == "cancel" and intent.launch is not None:
            for id in intent.target:
                known.setdefault(id, (scope.launch_address(intent.address), intent.launch))
    return known


def alike(jobs: Iterable[RemoteJob], want: Resource, is_file: Callable[[FileRef, str], bool]) -> tuple[RemoteJob, ...]:
    """What nobody knows again, runs or came to something, and may have been launched for the same as `want`: the same
    model, files and settings, as far as they are shown. `is_file` says whether an id may be the file that is meant."""
    return tuple(job for job in jobs if is_nameless(job) and job.status not in _BAD_ENDS and _alike(job, want, is_file))


def _alike(job: RemoteJob, want: Resource, is_file: Callable[[FileRef, str], bool]) -> bool:
    spec: JobSpec = want.spec
    if not _one_model(spec.model, job.model):
        return False
    shown = {**job.body, "model": spec.model}
    if any(found.after is not None for found in differences(want.inputs, shown)):
        return False
    pairs = ((spec.training_file, job.training_file), (spec.validation_file, job.validation_file))
    return all(id is None or (ref is not None and is_file(ref, id)) for ref, id in pairs)


def _one_model(one: str, other: str) -> bool:
    """The same name, or one is an alias of the other."""
    return same_model(one, other) or same_model(other, one)
