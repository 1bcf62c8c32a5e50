"""What a process of a row can reach, where this system can keep it in and where it is trusted. Runs no grader."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from rftplan.grading.sandbox import kernel
from rftplan.grading.sandbox.setting import INSIDE, SCRATCH, Setting

_MAX_FILES: Final = 16384
_OPEN_FILES: Final = 128


class Cell(Protocol):
    """One place for rows, used by one process at a time."""

    def fork(self) -> int:
        """As `os.fork`, but the child and all that comes of it can be ended as one."""
        ...

    def enter(self) -> None:
        """In the child, before it runs anything of a grader: give up whatever a row must not have."""
        ...

    def end(self, child: int) -> int:
        """Kill it and all that came of it, wait until none is left, clear the scratch; its wait status."""
        ...

    def memory(self) -> int:
        """What all processes of the row have taken for themselves, in bytes; 0 if nobody can say."""
        ...


def limit_resources(setting: Setting) -> None:
    """What holds for the worker as well as for rows."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, setting.disk)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_MEMLOCK, 1 << 16)
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        _limit(resource.RLIMIT_MSGQUEUE, 0)


def limit_processes(most: int) -> None:
    """Counts those of the same user in the same user namespace, threads included."""
    _limit(resource.RLIMIT_NPROC, most)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # Not every system has every limit; what must hold is proved by the tests of confined rows.
    with suppress(OSError, ValueError):
        resource.setrlimit(what, (bound, bound))


@dataclass(slots=True, eq=False)
class TrustedCell:
    """Only limits and a process of its own: for code that one would run anyway. `scratch` is a folder for it."""

    setting: Setting
    scratch: str

    def fork(self) -> int:
        return os.fork()

    def enter(self) -> None:
        os.setsid()
        _limit(resource.RLIMIT_DATA, self.setting.memory)

    def end(self, child: int) -> int:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)  # it may not have had the time to lead a group
        _, status = os.waitpid(child, 0)
        self._clear()
        return status

    def memory(self) -> int:
        return 0

    def _clear(self) -> None:
        for entry in os.scandir(self.scratch):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(entry.path)


@dataclass(slots=True, eq=False)
class ConfinedCell:
    """Namespaces, a root of its own, no capabilities, a system call filter. Made by `confine`.

    `processes` is the system's own /proc, `own_pid` the worker's number there, `own_namespace` that of its processes.
    """

    setting: Setting
    processes: int
    own_namespace: int
    own_pid: str
    switches_user: bool
    _untouched: tuple[int, ...] = ()
    _own_size: int = 0
    _own_memory: int = 0

    def fork(self) -> int:
        self._own_size, self._own_memory = self._sizes(self.own_pid)
        kernel.enter(self.own_namespace, kernel.NEW_PIDS)
        kernel.unshare(kernel.NEW_PIDS)
        return os.fork()

    def enter(self) -> None:
        # Signals to a group reach every process of it, whatever namespace it is in.
        os.setsid()
        _limit(resource.RLIMIT_AS, self.setting.memory + self._own_size)
        if self.switches_user:
            os.setresgid(INSIDE, INSIDE, INSIDE)
            os.setresuid(INSIDE, INSIDE, INSIDE)
        kernel.drop_capabilities()

    def end(self, child: int) -> int:
        """The end of the first process of a namespace is the end of all in it."""
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if self._traces() != self._untouched:
            self.renew_scratch()
        return status

    def renew_scratch(self) -> None:
        """A new one in place of the old: a hostile tree could take longer to delete than it took to make."""
        os.chdir("/")
        if self._untouched:
            kernel.unmount(SCRATCH)
        options = f"size={self.setting.disk},nr_inodes={_MAX_FILES},mode=700,uid={INSIDE},gid={INSIDE}"
        kernel.mount("scratch", SCRATCH, "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, options)
        os.chdir(SCRATCH)
        self._untouched = self._traces()

    def memory(self) -> int:
        return sum(max(0, self._sizes(pid)[1] - self._own_memory) for pid in self._descendants())

    def _traces(self) -> tuple[int, ...]:
        found = os.stat(SCRATCH)
        entries = os.listdir(SCRATCH) if found.st_mode & 0o500 == 0o500 else ["?"]
        return len(entries), found.st_mode, found.st_uid, found.st_mtime_ns, found.st_ctime_ns

    def _descendants(self) -> list[str]:
        found, unseen = list[str](), [self.own_pid]
        while unseen:
            children = self._children(unseen.pop())
            found += children
            unseen += children
        return found

    def _children(self, pid: str) -> list[str]:
        found = list[str]()
        with suppress(OSError):
            for thread in self._listed(f"{pid}/task"):
                with suppress(OSError):
                    found += self._read(f"{pid}/task/{thread}/children").split()
        return found

    def _sizes(self, pid: str) -> tuple[int, int]:
        """Its address space, and what it has taken for itself."""
        try:
            size, resident, shared, *_ = map(int, self._read(f"{pid}/statm").split())
        except (OSError, ValueError):
            return 0, 0
        return size * resource.getpagesize(), (resident - shared) * resource.getpagesize()

    def _read(self, path: str) -> str:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.processes)
        try:
            return os.read(descriptor, 1 << 16).decode()
        finally:
            os.close(descriptor)

    def _listed(self, path: str) -> list[str]:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.processes)
        try:
            return os.listdir(descriptor)
        finally:
            os.close(descriptor)
