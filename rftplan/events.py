"""What can happen while rftplan acts. Plain values for whoever listens; nobody here listens or prints."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from rftplan.address import Address
from rftplan.changes import Action, Evidence


class Outcome(StrEnum):
    """How one step ended."""

    DONE = "done"
    FAILED = "failed"
    DEFERRED = "deferred"
    HELD = "held"
    SKIPPED = "skipped"


class Result(Struct, frozen=True):
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


class StepStarted(Struct, frozen=True):
    address: Address
    verb: str


class StepEnded(Struct, frozen=True):
    result: Result


class Hashed(Struct, frozen=True):
    """Bytes of a data file read so far."""

    path: str
    done: int
    total: int


class Graded(Struct, frozen=True):
    """Rows or samples that a grader has scored so far; `grader` is how messages name it."""

    grader: str
    done: int
    total: int


class Uploaded(Struct, frozen=True):
    """Bytes of a file sent so far."""

    address: Address
    sent: int
    total: int


class Quality(Struct, frozen=True):
    """What a service that simulates says beside the reward. `train_right` and `valid_right` are the shares of answers
    that were right, None where it does not know. `verdict` is what it says of the grader, `separates` whether that
    is good; `hacked` where reward rises without right answers."""

    train_right: float | None = None
    valid_right: float | None = None
    verdict: str | None = None
    separates: bool = False
    hacked: str | None = None


class Trained(Struct, frozen=True):
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


class WaitStarted(Struct, frozen=True):
    addresses: tuple[Address, ...]


class LookFailed(Struct, frozen=True):
    """The service did not answer while we waited; it is asked again."""

    address: Address
    error: str


class AskedToWait(Struct, frozen=True):
    """The service asked for a pause of so many seconds: nothing is sent to it until then."""

    seconds: float


class Unanswered(Struct, frozen=True):
    """The service was asked to do `what`, and has said nothing for `quiet` seconds: it is waited for `left` more, and
    then it counts as silent."""

    service: str
    what: str
    quiet: float
    left: float


class LockAwaited(Struct, frozen=True):
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
