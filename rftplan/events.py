"""What can happen while rftplan acts. Plain values for whoever listens; nobody here listens or prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rftplan.address import Address
from rftplan.changes import Action, Evidence


class Outcome(StrEnum):
    """How one step ended."""

    DONE = "done"
    FAILED = "failed"
    DEFERRED = "deferred"
    HELD = "held"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change. `error` is set when it failed, `hint` may say what to do then; `detail` says
    more for a person."""

    address: Address
    action: Action
    verb: str
    outcome: Outcome
    id: str | None = None
    error: str | None = None
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    address: Address
    verb: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    result: Result


@dataclass(frozen=True, slots=True)
class Hashed:
    """Bytes of a data file read so far."""

    path: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Graded:
    """Rows or samples that a grader has scored so far; `grader` is how messages name it."""

    grader: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Bytes of a file sent so far."""

    address: Address
    sent: int
    total: int


@dataclass(frozen=True, slots=True)
class Quality:
    """What a service that simulates says beside the reward. `train_right` and `valid_right` are the shares of answers
    that were right, None where it does not know. `verdict` is what it says of the grader, `separates` whether that
    is good; `hacked` where reward rises without right answers."""

    train_right: float | None = None
    valid_right: float | None = None
    verdict: str | None = None
    separates: bool = False
    hacked: str | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """How far a job is. Rewards, losses and step are None while the service has not said any, and so is `quality`: only
    a reinforcement job has rewards, only another has losses."""

    address: Address
    job_id: str
    status: str
    step: int | None = None
    total_steps: int | None = None
    train_reward: float | None = None
    valid_reward: float | None = None
    caveat: str | None = None
    grader_errors: tuple[str, ...] = ()
    quality: Quality | None = None
    train_loss: float | None = None
    valid_loss: float | None = None


@dataclass(frozen=True, slots=True)
class WaitStarted:
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class LookFailed:
    """The service did not answer while we waited; it is asked again."""

    address: Address
    error: str


@dataclass(frozen=True, slots=True)
class AskedToWait:
    """The service asked for a pause of so many seconds: nothing is sent to it until then."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The service was asked to do `what`, and has said nothing for `quiet` seconds: it is waited for `left` more, and
    then it counts as silent."""

    service: str
    what: str
    quiet: float
    left: float


@dataclass(frozen=True, slots=True)
class LockAwaited:
    """Somebody else acts, and we wait for the file lock: who it is."""

    holder: str


Event = (
    StepStarted
    | StepEnded
    | Hashed
    | Graded
    | Uploaded
    | Trained
    | WaitStarted
    | LookFailed
    | AskedToWait
    | Unanswered
    | LockAwaited
)
OnEvent = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """The listener that does nothing."""
