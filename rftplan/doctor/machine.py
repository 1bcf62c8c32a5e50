"""Looks at this machine and at what the project keeps on it. Makes, changes and sends nothing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rftplan.checks.preflight import Preflight, scorers, written_graders
from rftplan.doctor.signs import About, Sign, State
from rftplan.errors import Severity
from rftplan.kinds.grader import Python
from rftplan.subject import Subject
from rftplan.wiring import local_store

if TYPE_CHECKING:
    from rftplan.grading import PythonWorker

ROOM: Final = 512 * 2**20
"""Bytes that should be free where the local service keeps its files: one of the largest in one request."""

THERE: Final = "the service has its own"


def _flush(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Machine(Struct, frozen=True):
    """This one. `new_runner` makes whoever runs Python graders, `free` tells the bytes that are left where a folder
    lies, and `flush` sees to it that the folder is on the disk, or raises OSError."""

    new_runner: Callable[[], PythonWorker]
    free: Callable[[Path], int] = _free
    flush: Callable[[Path], None] = _flush


Look = Callable[[Subject, Machine], Sign]


def _specs(subject: Subject, _: Machine) -> Sign:
    if not subject.has_specs:
        return Sign(
            About.SPECS, State.NOT_ASKED, f"there are none; provider {subject.identity.type} alone is looked at"
        )
    wrong = [found for found in subject.findings if found.severity is Severity.ERROR]
    if wrong:
        first = f"{wrong[0].place}: {wrong[0].summary}" if wrong[0].place else wrong[0].summary
        rest = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Sign(About.SPECS, State.WRONG, f"{first}{rest}", "rftplan check")
    found = f"project {subject.project} can be read; rftplan check says whether it can be planned"
    return Sign(About.SPECS, State.OK, found)


def _lock(subject: Subject, _: Machine) -> Sign:
    name = subject.paths.lock.name
    if subject.damage is not None:
        return Sign(About.LOCK, State.WRONG, subject.damage.message, subject.damage.hint)
    if subject.lock is None:
        known = subject.state is not None and not subject.state.new
        if known:
            hint = "bring it back (git restore); rftplan plan says what is found without"
            return Sign(About.LOCK, State.WRONG, f"there is no {name}, and a journal that needs one", hint)
        return Sign(About.LOCK, State.OK, f"there is no {name} yet: the first apply writes it")
    return Sign(About.LOCK, State.OK, f"{name}, serial {subject.lock.serial}: {len(subject.lock.resources)} resources")


def _journal(subject: Subject, _: Machine) -> Sign:
    if subject.state is None:
        return Sign(About.JOURNAL, State.NOT_ASKED, "it is read with the lock")
    pending = sorted({str(intent.address) for intent in subject.state.intents.values()})
    if pending:
        found = f"nobody saw the end of what was done to {', '.join(pending)}"
        return Sign(About.JOURNAL, State.WRONG, found, "rftplan apply looks what became of it, and goes on")
    return Sign(About.JOURNAL, State.OK, "nothing is open")


def _folder(subject: Subject, machine: Machine) -> Sign:
    """As far as it shows without writing: a folder is flushed as it is."""
    wanted = subject.paths.journal.parent
    there = _nearest(wanted)
    if not there.is_dir():
        return Sign(About.FOLDER, State.WRONG, f"{there} is no folder", "move it away")
    if not os.access(there, os.W_OK | os.X_OK):
        return Sign(About.FOLDER, State.WRONG, f"{there} may not be written", "fix its permissions")
    try:
        machine.flush(there)
    except OSError as error:
        found = f"{there} cannot be flushed to disk: {error.strerror}"
        return Sign(About.FOLDER, State.WRONG, found, "keep the project on a local file system")
    made = "" if there == wanted else f"; {wanted} is made by the first apply"
    return Sign(About.FOLDER, State.OK, f"{there} may be written, and is flushed to disk{made}")


def _disk(subject: Subject, machine: Machine) -> Sign:
    if not subject.identity.in_process:
        return Sign(About.DISK, State.NOT_ASKED, THERE)
    free = machine.free(_nearest(local_store(subject.root).parent))
    found = f"{free / 2**30:,.1f} GiB are free"
    if free < ROOM:
        return Sign(About.DISK, State.WRONG, found, "make room: a file may have 512 MB")
    return Sign(About.DISK, State.OK, found)


def _python(subject: Subject, machine: Machine) -> Sign:
    graders = _python_graders(subject)
    runner = machine.new_runner()
    try:
        refusal = runner.refusal
    finally:
        runner.close()
    if refusal is None:
        return Sign(About.PYTHON, State.OK, "graders are kept in")
    if graders:
        found = f"{refusal} {', '.join(graders)} cannot be tried here"
        return Sign(About.PYTHON, State.WRONG, found, "--trust-python runs them with your own rights")
    return Sign(About.PYTHON, State.NOT_ASKED, f"no grader here is in Python; {refusal}")


def _python_graders(subject: Subject) -> list[str]:
    preflight = Preflight(subject.config, subject.profile, subject.today)
    return [
        where.of
        for written, spec in written_graders(preflight)
        for where, scorer in scorers(written, spec)
        if isinstance(scorer, Python)
    ]


def _versions(_: Subject, __: Machine) -> Sign:
    from rftplan import __version__

    try:
        sdk = version("openai")
    except PackageNotFoundError:
        found = f"rftplan {__version__}, python {platform.python_version()}, and no openai"
        return Sign(About.VERSIONS, State.WRONG, found, "pip install --upgrade rftplan")
    return Sign(About.VERSIONS, State.OK, f"rftplan {__version__}, openai {sdk}, python {platform.python_version()}")


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


LOOKS: Final[Mapping[About, Look]] = {
    About.SPECS: _specs,
    About.LOCK: _lock,
    About.JOURNAL: _journal,
    About.FOLDER: _folder,
    About.DISK: _disk,
    About.PYTHON: _python,
    About.VERSIONS: _versions,
}
