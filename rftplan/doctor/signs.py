"""What a doctor says: what was looked at, what was found, why it matters, what to do next. Values; looks at nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from rftplan.api.identity import ProviderIdentity


class State(StrEnum):
    """What became of one look. Only WRONG is bad news."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Looked at as far as may be, and it does not show."""
    NOT_ASKED = "not-asked"
    """Not looked at: there was no need, or something else stands in the way."""


class About(StrEnum):
    """What is looked at, in the order in which it is told."""

    REACHABLE = "reachable"
    KEY = "key"
    ACCOUNT = "account"
    CLOCK = "clock"
    LAUNCHING = "launching"
    CLOSING = "closing"
    JOBS = "jobs"
    FILES = "files"
    GRADERS = "graders"
    MODELS = "models"
    PERMISSIONS = "permissions"
    UPLOADS = "uploads"
    PAUSE = "pause"
    SAMPLES = "samples"
    MODEL = "model"
    SPECS = "specs"
    LOCK = "lock"
    JOURNAL = "journal"
    FOLDER = "folder"
    STORE = "store"
    DISK = "disk"
    PYTHON = "python"
    VERSIONS = "versions"


WHY: Final[Mapping[About, str]] = MappingProxyType(
    {
        About.REACHABLE: "nothing is planned, launched or watched without the service",
        About.KEY: "every request carries it",
        About.ACCOUNT: "another account has other files and jobs: what was launched in one is not found in the other",
        About.CLOCK: "this machine's clock says which files have expired, what has closed, and when a launch that got "
        "lost may be repeated",
        About.LAUNCHING: "an organization that may launch nothing is told so after its files were uploaded",
        About.CLOSING: "what has closed takes no launch, and what was trained from it stops answering",
        About.JOBS: "a launch is found again in this list, and so never made twice",
        About.FILES: "an upload is found again in this list, and so never made twice",
        About.GRADERS: "a grader is validated before a launch is paid for",
        About.MODELS: "it names the models that are there, and the days on which they shut down",
        About.PERMISSIONS: "a deployment lets other projects use its checkpoint by them",
        About.UPLOADS: "files of more than 100 MB go in parts",
        About.PAUSE: "run: paused needs it",
        About.SAMPLES: "what a validation step sampled is read from there",
        About.MODEL: "a launch on a model that is gone is refused, and a judge that is gone scores every row 0",
        About.SPECS: "an error in them stops every plan before anything is asked",
        About.LOCK: "it says what was launched, and in which account",
        About.JOURNAL: "it has the effects whose end nobody saw",
        About.FOLDER: "every effect is on disk here before it is made, and no effect is made otherwise",
        About.STORE: "the local service keeps its files and jobs in it",
        About.DISK: "the local service stores every file that is uploaded",
        About.PYTHON: "grade, test, check --run-python and the local service run Python graders only where they are "
        "kept in",
        About.VERSIONS: "a report of a bug names them",
    }
)


class Sign(Struct, frozen=True):
    """One look. `subject` tells signs about the same apart: a model's name. `next` is what to do."""

    about: About
    state: State
    found: str
    next: str | None = None
    subject: str | None = None

    @property
    def why(self) -> str:
        return WHY[self.about]


class Examined(Struct, frozen=True):
    """Everything that was looked at on one day, in the order of `About`; `requests` is how many HTTP requests that
    took. `project` is None where there are no specs."""

    identity: ProviderIdentity
    project: str | None
    today: date
    signs: Sequence[Sign]
    requests: int
