"""Judges what a service offers: launches, lists, graders, models, and what can only be asked of a job. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rftplan.api.port import RemoteModel, Seen, Sight
from rftplan.api.profiles import Capability
from rftplan.api.profiles.life import Closing
from rftplan.doctor.asking import Answers, Glance
from rftplan.doctor.signs import About, Sign, State
from rftplan.doctor.way import Key, refusals
from rftplan.errors import ApiError, CredentialError, NotFoundError, RftplanError
from rftplan.subject import Subject

LOCKED_OUT: Final = "training_not_available"
_ASK_OWNER: Final = "ask the owner of the organization before the first launch"
_ONLY_A_LAUNCH: Final = "only a launch would tell, and this launches nothing"


def launching_sign(subject: Subject, glances: Mapping[Sight, Glance]) -> Sign:
    """Whether the organization may launch at all: as far as it shows without a launch."""
    life = subject.profile.life
    for error in refusals(glances):
        if error.code == LOCKED_OUT:
            return Sign(About.LAUNCHING, State.WRONG, str(error), error.hint)
    if subject.identity.in_process:
        return Sign(About.LAUNCHING, State.OK, "everybody may; training is SIMULATED")
    if subject.profile.type == "local":
        return Sign(About.LAUNCHING, State.NOT_ASKED, f"{_ONLY_A_LAUNCH}; training is SIMULATED")
    if life is None:
        return Sign(About.LAUNCHING, State.UNKNOWN, f"{_ONLY_A_LAUNCH}; nothing is known to close at this host")
    if life.no_jobs.days_from(subject.today) <= 0:
        hint = f"it goes on at {life.elsewhere}; provider: local rehearses a run"
        return Sign(About.LAUNCHING, State.WRONG, f"nobody may, since {life.no_jobs}", hint)
    found = _ONLY_A_LAUNCH
    if life.few_jobs.days_from(subject.today) <= 0:
        found += (
            f". Since {life.few_jobs} it takes an organization that used a fine-tuned model in the 60 days before"
            f"{_jobs_seen(glances)}"
        )
    return Sign(About.LAUNCHING, State.UNKNOWN, found, _ASK_OWNER)


def _jobs_seen(glances: Mapping[Sight, Glance]) -> str:
    glance = glances.get(Sight.JOBS)
    if glance is None or not isinstance(glance.seen, Seen) or glance.seen.refusal is not None:
        return ""
    return "" if glance.seen.items else ", and this key sees no job that was ever launched"


def closing_sign(subject: Subject) -> Sign:
    """What of the platform closes, by the profile's table."""
    life = subject.profile.life
    if life is not None:
        left = life.no_jobs.days_from(subject.today)
        when = f"new jobs until {life.no_jobs}, {_days(left)}" if left > 0 else f"no new jobs since {life.no_jobs}"
        return Sign(About.CLOSING, State.OK, f"{when}; fine-tuning goes on at {life.elsewhere}")
    if subject.identity.type == "local":
        return Sign(About.CLOSING, State.OK, "new jobs have no end; the models' own days stand with the models")
    return Sign(About.CLOSING, State.UNKNOWN, "no dates are known of this host")


def list_sign(about: About, glance: Glance) -> Sign:
    """Whether one free request is answered as it should be."""
    seen = glance.seen
    error = seen if isinstance(seen, ApiError) else seen.refusal
    if error is not None:
        state = State.UNKNOWN if error.status == 429 else State.WRONG
        return Sign(about, state, str(error), error.hint)
    assert isinstance(seen, Seen)
    return Sign(about, State.OK, _shown(about, seen))


def _shown(about: About, seen: Seen) -> str:
    if about is About.GRADERS:
        return "one was validated"
    if about is About.MODELS:
        return f"{len(seen.items)} are listed"
    if not seen.items:
        return "none is listed"
    newest = seen.items[0]
    status = f", {newest['status']}" if about is About.JOBS and newest.get("status") else ""
    return f"listed; the newest is {newest.get('id')}{status}"


def permissions_sign(subject: Subject, key: Key, answers: Answers) -> Sign:
    """Whether checkpoints can be let to other projects: it takes an admin key, and a fine-tuned model to ask about."""
    needed = sorted(
        f"deployment.{address.name}"
        for address, declared in subject.config.declared.items()
        if address.kind == "deployment" and declared.spec.projects
    )
    for_whom = f"{', '.join(needed)} needs them" if needed else "no deployment names projects"
    found = answers.permissions
    if not subject.profile.can(Capability.PERMISSIONS):
        return Sign(About.PERMISSIONS, State.NOT_ASKED, f"the provider has none; {for_whom}")
    if key.admin_problem is not None:
        return Sign(About.PERMISSIONS, State.WRONG, key.admin_problem.message, key.admin_problem.hint)
    if isinstance(found, CredentialError):
        state = State.WRONG if needed else State.NOT_ASKED
        return Sign(About.PERMISSIONS, state, f"{found.message}; {for_whom}", found.hint)
    if answers.permitted is None or found is None:
        return Sign(About.PERMISSIONS, State.NOT_ASKED, f"there is no fine-tuned model to ask about; {for_whom}")
    if isinstance(found, RftplanError):
        return Sign(About.PERMISSIONS, State.WRONG, str(found), found.hint)
    return Sign(About.PERMISSIONS, State.OK, f"{answers.permitted} has {len(found)}")


_UNASKED: Final = {
    About.UPLOADS: Capability.UPLOADS,
    About.PAUSE: Capability.PAUSE,
    About.SAMPLES: Capability.SAMPLES,
}


def claimed_signs(subject: Subject) -> Iterator[Sign]:
    """What the profile says, and nobody can see without making something."""
    for about, capability in _UNASKED.items():
        claimed = subject.profile.can(capability)
        found = "the profile has it; only its use would show it" if claimed else "the profile says that there is none"
        yield Sign(about, State.NOT_ASKED, found)


def model_signs(subject: Subject, answers: Answers | None) -> Iterator[Sign]:
    """Each model that the specs or the lock name. The service's own dates go before the table's."""
    for name, users in sorted(subject.models().items()):
        told = _told(subject, name, answers)
        if _must_be_there(subject, name) or (isinstance(told, RemoteModel) and told.shutdown is not None):
            yield _model_sign(subject, name, users, told)


def names_asked_for(subject: Subject) -> Sequence[str]:
    return [name for name in subject.models() if _must_be_there(subject, name)]


def _must_be_there(subject: Subject, name: str) -> bool:
    """Where any name is trained, only what was trained can be missing; others matter by their day."""
    return not subject.profile.can(Capability.ANY_MODEL) or name.startswith("ft:")


def _told(subject: Subject, name: str, answers: Answers | None) -> RemoteModel | ApiError | None:
    if answers is None:
        return None
    life = subject.profile.life
    listed = answers.listed.get(name) or answers.listed.get(life.snapshot(name) if life else name)
    return listed or answers.models.get(name)


def _model_sign(subject: Subject, name: str, users: Sequence[str], told: RemoteModel | ApiError | None) -> Sign:
    life, today = subject.profile.life, subject.today
    closing = life.closing(name) if life else None
    if isinstance(told, RemoteModel) and told.shutdown is not None:
        closing = Closing(told.shutdown, f"provider {subject.profile.type} says so")
    wanted = f"for {', '.join(users)}"

    def sign(state: State, found: str, next: str | None = None) -> Sign:
        return Sign(About.MODEL, state, f"{found}; {wanted}", next, subject=name)

    if closing is not None and closing.days_from(today) <= 0:
        hint = "rftplan check says what is still there" if life else "name a model that is still there"
        return sign(State.WRONG, f"shut down since {closing}", hint)
    if isinstance(told, NotFoundError):
        hint = "check the name, and that the key's project may use this model"
        return sign(State.WRONG, f"provider {subject.profile.type} has none, or none that this key may use", hint)
    if isinstance(told, ApiError):
        return sign(State.UNKNOWN, str(told), told.hint)
    until = f", until {closing}, {_days(closing.days_from(today))}" if closing else ""
    if told is None:
        return sign(State.NOT_ASKED, f"the service could not be asked{until}")
    return sign(State.OK, f"it is there{until}")


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
