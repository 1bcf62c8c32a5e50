"""The errors that a command may end with, and the findings that it collects. Imports nothing of the project.

RftplanError
├── UserError                 a person can mend it: exit 1
│   ├── SpecError             findings about specs and data files, all at once
│   │   └── SamplesError      the same about a file of samples
│   ├── LockError             a lock or journal that must not be used or overwritten
│   ├── CredentialError       no key, or a key that may not go to this host
│   ├── BusyError             another apply holds the file lock
│   ├── RefusedPlanError      hazards that nobody allowed, or a plan that moved
│   ├── PathError             a path that may not be used (root)
│   ├── DataError             a data file that cannot be read (data)
│   ├── UndeclaredError       something that exists and that no spec declares (importing)
│   ├── UnreadableError       not a plain file that can be read (reading)
│   └── NotTextError          bytes that are not UTF-8 text (reading)
├── UsageError                the command line itself is wrong: exit 64
└── ApiError                  the service, or the way to it
    ├── NotDoneError          certainly without effect: not connected, 429, or never brought to its end
    │   ├── LimitedError      429: the service takes no more for now
    │   └── StoppedError      never sent: somebody stopped us while we waited
    ├── RejectedError         the service answered that it will not: 4xx in the vendor's envelope
    │   └── NotFoundError     404
    ├── BehindError           lists do not show yet what has to be there
    └── FateUnknownError      anything else: the effect may or may not have happened

A module in brackets defines the class beside what raises it, for it carries that module's types. Exceptions outside
this tree never end a command: LostEffect, NotLoadedError and UnusualRowsError are caught by the module that asked,
and the islands `grading` and `server` turn theirs into flags and replies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final

from msgspec import Struct


class Severity(StrEnum):
    """How bad a finding is. Only ERROR stops a plan or an apply."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Place(Struct, frozen=True, order=True):
    """Where something was written: path relative to the root (POSIX slashes), 1-based line and column.

    Line and column 0 mean "the file as a whole".
    """

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}" if self.column else f"{self.path}:{self.line}"


class Diagnostic(Struct, frozen=True):
    """One finding.

    `summary` is the same for every finding of a code and names nothing of the user's; `detail` says what
    exactly and why it matters; `hint` says what to do next.
    """

    code: str
    summary: str
    detail: str
    severity: Severity = Severity.ERROR
    place: Place | None = None
    address: str | None = None
    hint: str | None = None

    def sort_key(self) -> tuple[object, ...]:
        """Whole: two that differ at all have one order, so that the same findings give the same bytes. Numbers in
        details go by their size: line 7 stands before line 10."""
        place = self.place or Place("")
        detail = (_by_number(self.detail), self.detail)
        rest = (self.code, self.address or "", *detail, self.severity.value, self.hint or "")
        return (place.path, place.line, place.column, *rest)


def _by_number(text: str) -> tuple[str | int, ...]:
    """Text and numbers in turn, so that like is compared with like."""
    return tuple(int(part) if at % 2 else part for at, part in enumerate(_DIGITS.split(text)))


_DIGITS: Final = re.compile("([0-9]{1,15})")


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the files, without exact repeats."""
    return tuple(sorted(set(diagnostics), key=Diagnostic.sort_key))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.severity is Severity.ERROR for d in diagnostics)


class RftplanError(Exception):
    """Base of every error that a command may end with on purpose. `hint` is the next thing to do; `diagnostics` are
    findings to be told with it.

    `error_code` is the class's word in `rftplan.error/1`: programs branch on it, so it is never changed.
    """

    error_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.diagnostics: tuple[Diagnostic, ...] = ()


class UserError(RftplanError):
    """Something that a person can mend."""

    error_code = "user"


class SpecError(UserError):
    """Specs or data files that cannot be planned; carries every finding, sorted."""

    error_code = "specs"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        found = sort_diagnostics(diagnostics)
        count = sum(d.severity is Severity.ERROR for d in found)
        super().__init__(f"{count} error{'s' if count != 1 else ''} in the specs")
        self.diagnostics = found


class SamplesError(SpecError):
    """A file of samples that cannot be graded; carries every finding, sorted."""

    error_code = "samples"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.message = self.message.replace("in the specs", "in the samples")
        self.args = (self.message,)


class LockError(UserError):
    """A lock or a journal that is damaged, newer than this rftplan, or somebody else's."""

    error_code = "lock"


class CredentialError(UserError):
    """No key where one is needed, or a key that may not be sent to this host."""

    error_code = "credentials"


class BusyError(UserError):
    """Another process is acting on the same project and environment."""

    error_code = "busy"


class MovedAddress(Struct, frozen=True):
    """One address of a saved plan that would be done otherwise now, or who gave leave; in words."""

    address: str
    planned: str
    now: str


class RefusedPlanError(UserError):
    """A plan that may not be applied as it stands: hazards without leave, or what it was made from has moved. `moved`
    has all that did, where a saved plan was compared."""

    error_code = "refused-plan"

    def __init__(self, message: str, *, hint: str | None = None, moved: Sequence[MovedAddress] = ()) -> None:
        super().__init__(message, hint=hint)
        self.moved = tuple(moved)


class UsageError(RftplanError):
    """The command line itself is wrong."""

    error_code = "usage"


class Way(StrEnum):
    """Where the way to a service broke: in the order in which it is gone."""

    PROXY = "proxy"
    NAME = "name"
    REFUSED = "refused"
    TLS = "tls"
    NETWORK = "network"
    TIMEOUT = "timeout"
    LOST = "lost"
    """Connected, and then no whole answer."""


class ApiError(RftplanError):
    """The service, or the way to it, failed. `status` is the HTTP status, None if no answer came: then `way` says what
    kept it from coming, where that is known."""

    error_code = "service"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
        way: Way | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.way = way
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        facts = [str(f) for f in (self.status, self.code, self.param and f"param {self.param}") if f]
        if self.request_id:
            facts.append(f"request {self.request_id}")
        return f"{self.message} ({', '.join(facts)})" if facts else self.message


class NotDoneError(ApiError):
    """Certainly without effect: the connection was never established, the answer was 429, or what was begun was never
    brought to its end."""

    error_code = "not-done"


class Limit(StrEnum):
    """Which limit of a service is used up."""

    RATE = "rate"
    """Too many requests: a matter of seconds."""
    DAILY = "daily"
    SPENDING = "spending"
    JOBS = "jobs"
    """As many jobs run as may run at a time."""


class LimitedError(NotDoneError):
    """The service takes no more for now, and nobody has to act: `hint` says when to come again."""

    error_code = "limited"

    def __init__(self, message: str, *, limit: Limit = Limit.RATE, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.limit = limit


class StoppedError(NotDoneError):
    """Nothing was sent: somebody stopped us while the service asked to wait."""

    error_code = "stopped"


class RejectedError(ApiError):
    """The service itself answered that it will not do this."""

    error_code = "rejected"


class NotFoundError(RejectedError):
    """The service knows no such object."""

    error_code = "not-found"


class BehindError(ApiError):
    """What has to be there by what the service says otherwise is in no list yet: to be asked again."""

    error_code = "behind"


class FateUnknownError(ApiError):
    """No trustworthy answer: the effect may have happened."""

    error_code = "fate-unknown"
