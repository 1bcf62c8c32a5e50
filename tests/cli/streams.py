"""Terminals for tests: streams in memory that may claim to be a person's."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from rftplan.cli.terminal import Terminal


class Person(io.StringIO):
    """A stream with somebody at it."""

    def isatty(self) -> bool:
        return True


@dataclass
class Streams:
    """Streams and the terminal made of them."""

    stdin: io.StringIO = field(default_factory=io.StringIO)
    stdout: io.StringIO = field(default_factory=io.StringIO)
    stderr: io.StringIO = field(default_factory=io.StringIO)
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.stdin, self.stdout, self.stderr, self.environ)


def pipes() -> Streams:
    return Streams()


def person(answer: str = "", environ: Mapping[str, str] | None = None) -> Streams:
    return Streams(Person(answer), Person(), Person(), environ or {})
