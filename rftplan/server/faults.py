"""What can be made to go wrong on demand, and the one language in which it is said. Pure; strikes nothing itself.

A fault is one line: what it is, then `name=value` words. A word without `=` goes on with the value before it, so that
`on=POST /v1/fine_tuning/jobs` needs no quotes. The same line comes from a flag, a file and the service's own route.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

OWN_ROUTES = "/v1/local/"
"""Never struck: whoever asked for a fault must be able to take it back."""

FAULT_ID = "fault_"
"""What the id of a fault begins with."""

_METHODS = ("*", "GET", "POST", "DELETE")
_LONGEST = 86_400.0 * 366  # seconds
_LISTS = re.compile(
    r"/v1/(files|models|fine_tuning/jobs(/[^/]+/(events|checkpoints|samples))?|fine_tuning/checkpoints/.+/permissions)"
)
_JOBS = re.compile(r"/v1/fine_tuning/jobs(/[^/]+(/(pause|resume|cancel))?)?")


class FaultError(Exception):
    """A line that says no fault; the message says what is wrong with it."""


def as_glob(name: str) -> str:
    """A name in which only `*` stands for anything, for `fnmatchcase` or SQLite's GLOB."""
    return name.replace("[", "[[]").replace("?", "[?]")


class FaultKind(StrEnum):
    LATENCY = "latency"
    SLOW_BODY = "slow-body"
    TOO_MANY = "429"
    OVERLOADED = "503"
    ERROR_BEFORE = "500-before"
    ERROR_AFTER = "500-after"
    LOST_BEFORE = "lost-before"
    LOST_AFTER = "lost-after"
    HALF_REPLY = "half-reply"
    STALE = "stale"
    NO_METADATA = "no-metadata"
    LOCKOUT = "lockout"
    DAILY_LIMIT = "daily-limit"
    RETIRED = "retired"
    PAUSE = "pause"
    FILE_GONE = "file-gone"


class Calls(Struct, frozen=True):
    """The calls that a fault can strike: a method and a path, each of which may be or have a `*`."""

    method: str = "*"
    path: str = "*"

    def match(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and fnmatchcase(path, as_glob(self.path))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong. `times` None is always; `job`, `file` and `model` are patterns of names."""

    kind: FaultKind
    on: Calls = Calls()
    after: int = 0
    times: int | None = 1
    seconds: float = 1.0
    retry_after: int = 1
    job: str = "*"
    file: str = "*"
    model: str = "*"
    date: date | None = None

    def strikes(self, method: str, path: str) -> bool:
        """Whether a call is one that it can strike."""
        if path.startswith(OWN_ROUTES) or (self.kind is FaultKind.STALE and not _lists(method, path)):
            return False
        if self.kind is FaultKind.NO_METADATA and _JOBS.fullmatch(path) is None:
            return False
        return self.on.match(method, path)

    def __str__(self) -> str:
        """The line that says it, with nothing in it that goes without saying."""
        usual = USUAL[self.kind]
        words = [
            f"{name}={_written(getattr(self, name))}"
            for name in TAKES[self.kind]
            if getattr(self, name) != getattr(usual, name)
        ]
        return " ".join([self.kind.value, *words])


def _lists(method: str, path: str) -> bool:
    """Whether a call asks for a list: what is made at the same path is made now, whatever lists show."""
    return method == "GET" and _LISTS.fullmatch(path) is not None


_CALL = ("on", "after", "times")
_LAUNCH = Calls("POST", "/v1/fine_tuning/jobs")

TAKES: Mapping[FaultKind, tuple[str, ...]] = {
    FaultKind.LATENCY: (*_CALL, "seconds"),
    FaultKind.SLOW_BODY: (*_CALL, "seconds"),
    FaultKind.TOO_MANY: (*_CALL, "retry_after"),
    FaultKind.OVERLOADED: (*_CALL, "retry_after"),
    FaultKind.ERROR_BEFORE: _CALL,
    FaultKind.ERROR_AFTER: _CALL,
    FaultKind.LOST_BEFORE: _CALL,
    FaultKind.LOST_AFTER: _CALL,
    FaultKind.HALF_REPLY: _CALL,
    FaultKind.STALE: (*_CALL, "seconds"),
    FaultKind.NO_METADATA: _CALL,
    FaultKind.LOCKOUT: ("after", "times"),
    FaultKind.DAILY_LIMIT: ("after", "times"),
    FaultKind.RETIRED: ("model", "date"),
    FaultKind.PAUSE: (*_CALL, "job"),
    FaultKind.FILE_GONE: (*_CALL, "file"),
}
"""Which words each fault takes."""

USUAL: Mapping[FaultKind, Fault] = {
    **{kind: Fault(kind=kind) for kind in FaultKind},
    FaultKind.STALE: Fault(kind=FaultKind.STALE, times=None, seconds=60.0),
    FaultKind.NO_METADATA: Fault(kind=FaultKind.NO_METADATA, times=None),
    FaultKind.LOCKOUT: Fault(kind=FaultKind.LOCKOUT, on=_LAUNCH, times=None),
    FaultKind.DAILY_LIMIT: Fault(kind=FaultKind.DAILY_LIMIT, on=_LAUNCH, times=None),
    FaultKind.RETIRED: Fault(kind=FaultKind.RETIRED, times=None),
}
"""Each fault as its name alone says it."""


def read_fault(line: str) -> Fault:
    """The fault that a line says; raises FaultError for the first thing that is wrong."""
    name, *words = line.split() or [""]
    try:
        kind = FaultKind(name)
    except ValueError:
        raise FaultError(f"{_quoted(name)} is no fault: {', '.join(FaultKind)}") from None
    said: dict[str, Any] = {}
    for key, value in _pairs(words):
        if key not in TAKES[kind]:
            raise FaultError(f"{kind} takes no {_quoted(key)}: {', '.join(TAKES[kind])}")
        if key in said:
            raise FaultError(f"{key}= is there twice")
        said[key] = _READERS[key](key, value)
    return replace(USUAL[kind], **said)


class Standing(Struct, frozen=True):
    """A fault that waits for its calls, and how many it has met and struck."""

    id: str
    fault: Fault
    met: int = 0
    struck: int = 0

    @property
    def left(self) -> int | None:
        """How often it will still strike; None is always."""
        return None if self.fault.times is None else self.fault.times - self.struck

    @property
    def due(self) -> bool:
        return self.met > self.fault.after and self.left != 0


class Board:
    """The faults of one running service. They end with it."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}

    def add(self, fault_id: str, fault: Fault) -> Standing:
        self._standing[fault_id] = Standing(fault_id, fault)
        return self._standing[fault_id]

    def all(self) -> list[Standing]:
        """In the order in which they came."""
        return list(self._standing.values())

    def get(self, fault_id: str) -> Standing | None:
        return self._standing.get(fault_id)

    def remove(self, fault_id: str) -> None:
        self._standing.pop(fault_id, None)

    def of(self, kind: FaultKind) -> Iterable[Fault]:
        """Those of a kind that holds without being met."""
        return (one.fault for one in self._standing.values() if one.fault.kind is kind)

    def meet(self, method: str, path: str) -> list[Standing]:
        """Counts a call; the faults that are due at it."""
        met = [one for one in self._standing.values() if one.fault.strikes(method, path)]
        for one in met:
            self._standing[one.id] = replace(one, met=one.met + 1)
        return [now for one in met if (now := self._standing[one.id]).due]

    def strike(self, fault_id: str) -> Standing:
        """Notes that a fault struck."""
        one = self._standing[fault_id]
        self._standing[fault_id] = replace(one, struck=one.struck + 1)
        return self._standing[fault_id]


def _pairs(words: Iterable[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            pairs.append((key, value))
        elif pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {word}".strip())
        else:
            raise FaultError(f"{_quoted(word)} is not name=value")
    return pairs


def _calls(_key: str, text: str) -> Calls:
    method, _, path = text.partition(" ")
    if method not in _METHODS:
        raise FaultError(f"on= starts with a method ({', '.join(_METHODS)}), not with {_quoted(method)}")
    if " " in path or not path.startswith(("/v1/", "*")):
        raise FaultError(f"on= ends with one path that starts with /v1/ or *, not with {_quoted(path)}")
    return Calls(method, path)


def _count(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise FaultError(f"{key}= is a whole number, not {_quoted(text)}")
    return int(text)


def _times(key: str, text: str) -> int | None:
    if text == "always":
        return None
    if (count := _count(key, text)) < 1:
        raise FaultError("times= is at least 1, or always")
    return count


def _seconds(key: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise FaultError(f"{key}= is a number of seconds, not {_quoted(text)}") from None
    if not 0 < seconds <= _LONGEST:
        raise FaultError(f"{key}= is above 0 and at most {_LONGEST:.0f}, not {text}")
    return seconds


def _name(key: str, text: str) -> str:
    if not text or " " in text:
        raise FaultError(f"{key}= is one name, in which * stands for anything")
    return text


def _date(key: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FaultError(f"{key}= is a day such as 2026-10-23, not {_quoted(text)}") from None


_READERS: Mapping[str, Callable[[str, str], object]] = {
    "on": _calls,
    "after": _count,
    "times": _times,
    "seconds": _seconds,
    "retry_after": _count,
    "job": _name,
    "file": _name,
    "model": _name,
    "date": _date,
}


def _written(value: object) -> str:
    if value is None:
        return "always"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _quoted(text: str) -> str:
    return f'"{text[:60]}"'
