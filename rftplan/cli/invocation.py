"""What one call of the command line was given, for every command. Calls the facade for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer
from msgspec import Struct

from rftplan.cli.terminal import Terminal
from rftplan.errors import UsageError

if TYPE_CHECKING:
    from rftplan.address import Address
    from rftplan.cli.live import Listener
    from rftplan.loading import Options
    from rftplan.planner import Selection
    from rftplan.render.look import Look
    from rftplan.render.shapes import FindingDocument

DEFAULT_SPECS = "specs"


class Invocation(Struct, frozen=True):
    """The global options as given, and the terminal."""

    terminal: Terminal
    directory: Path = Path()
    env: str | None = None
    specs: str = DEFAULT_SPECS
    lock: str | None = None
    provider: str | None = None

    @classmethod
    def given(cls, terminal: Terminal, values: Mapping[str, str]) -> Invocation:
        """From the values of the global options by key."""
        return cls(
            terminal=terminal,
            directory=Path(values.get("directory", "")),
            env=values.get("env"),
            specs=values.get("specs", DEFAULT_SPECS),
            lock=values.get("lock"),
            provider=values.get("provider"),
        )

    def options(self) -> Options:
        from rftplan.loading import Options

        return Options(directory=self.directory, env=self.env, specs=self.specs, lock=self.lock, provider=self.provider)

    @property
    def program(self) -> str:
        """How a command shown to this user starts, so that it can be pasted."""
        import shlex

        given = {
            "-C": str(self.directory) if self.directory != Path() else None,
            "--env": self.env,
            "--specs": self.specs if self.specs != DEFAULT_SPECS else None,
            "--lock": self.lock,
            "--provider": self.provider,
        }
        words = [word for name, value in given.items() if value is not None for word in (name, value)]
        return shlex.join(["rftplan", *words])

    @property
    def base(self) -> str:
        """The project's root as a path from where the command runs, with `/`; empty if it runs there."""
        import os

        base = Path(os.path.relpath(self.directory)).as_posix()
        return "" if base == "." else base

    @property
    def look(self) -> Look:
        """For results."""
        return self.terminal.look(self.terminal.stdout, self.program)

    @property
    def look_err(self) -> Look:
        """For progress, findings and errors."""
        return self.terminal.look(self.terminal.stderr, self.program)

    @contextmanager
    def listener(self) -> Iterator[Listener]:
        """Whoever shows progress; what it drew is gone when the block ends."""
        from rftplan.cli.live import listener_for

        listener = listener_for(self.terminal, self.look_err)
        try:
            yield listener
        finally:
            listener.close()

    def result(self, text: str) -> None:
        self.terminal.out(text)

    def findings(self, findings: Iterable[FindingDocument]) -> None:
        from rftplan.render.text import findings_text

        self.terminal.err(findings_text(findings, self.look_err))


def invocation(context: typer.Context) -> Invocation:
    """What the entry point put into the context."""
    return cast(Invocation, context.obj)


def parse_address(text: str) -> Address:
    """UsageError if it is none."""
    from rftplan.address import Address

    try:
        return Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def parse_selection(
    replace: Iterable[str] | None, target: Iterable[str] | None, exclude: Iterable[str] | None
) -> Selection:
    """All of the specs, with a new launch of the addresses in `replace`; or the part that the others name."""
    from rftplan.planner import Selection

    return Selection(
        replace=frozenset(map(_parse_job, replace or ())),
        target=frozenset(_parse_any("--target", text) for text in target or ()),
        exclude=frozenset(_parse_any("--exclude", text) for text in exclude or ()),
    )


def _parse_job(text: str) -> Address:
    """Only jobs are launched, so a bare name can only mean one."""
    from rftplan.address import NAME

    if NAME.match(text):
        raise UsageError(f'"{text}" is a name, and --replace takes an address', hint=f"did you mean job.{text}?")
    return parse_address(text)


def _parse_any(option: str, text: str) -> Address:
    """Things of several kinds may have one name."""
    from rftplan.address import NAME

    if NAME.match(text):
        hint = f"write its kind before it: job.{text}, deployment.{text}, file.{text} or grader.{text}"
        raise UsageError(f'"{text}" is a name, and {option} takes an address', hint=hint)
    return parse_address(text)
