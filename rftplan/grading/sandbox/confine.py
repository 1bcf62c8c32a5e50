"""Shuts the worker in: namespaces, a root of its own, limits, the filter. Says what is missing; runs no grader.

Everything is done by the process on itself, from the outside in: users first, because only in a user namespace of its
own may an ordinary user do the rest.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from rftplan.grading.sandbox import kernel, seccomp
from rftplan.grading.sandbox.cell import ConfinedCell, limit_processes, limit_resources
from rftplan.grading.sandbox.setting import INSIDE, SCRATCH, Setting

_OLDEST: Final = (5, 14)
"""Since then a limit on processes counts those of a user namespace alone."""

_NOBODY: Final = 65534
_NEW_ROOT: Final = "/sys"
"""Every system has it, and nothing of it is needed inside."""

_DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/random")
_NAMESPACES: Final = (
    kernel.NEW_USERS
    | kernel.NEW_MOUNTS
    | kernel.NEW_PIDS
    | kernel.NEW_NETWORK
    | kernel.NEW_IPC
    | kernel.NEW_NAMES
    | kernel.NEW_CGROUP
)
_SWITCHES: Final = (
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces is 0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns is 1",
    ),
)


class MissingIsolationError(Exception):
    """What this system does not let us have, in words for a person."""


def confine(setting: Setting) -> ConfinedCell:
    """Returns in a new process, the first one of its namespace; this one waits for it and ends with it.

    Raises MissingIsolationError, in either.
    """
    _check_system()
    as_root = os.geteuid() == 0 and not _is_root_in_name()
    with _needed("user namespaces"):
        (_leave_as_root if as_root else _leave)()
    _continue_in_child()
    cell = _furnish(setting, switches_user=as_root)
    limit_resources(setting)
    limit_processes(setting.processes + 2)
    os.umask(0o077)
    with _needed("a system call filter (seccomp)"):
        kernel.gain_no_privileges()
        seccomp.install()
        kernel.empty_bounding_set()
    return cell


def _check_system() -> None:
    if sys.platform != "linux":
        raise MissingIsolationError(f"Linux (this is {platform.system()})")
    version = tuple(int("".join(filter(str.isdigit, part)) or 0) for part in platform.release().split(".")[:2])
    if version < _OLDEST:
        raise MissingIsolationError(f"Linux 5.14 or later (this is {platform.release()})")
    if (unsupported := seccomp.unsupported()) is not None:
        raise MissingIsolationError(unsupported)


@contextmanager
def _needed(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reasons = [said for path, value, said in _SWITCHES if _first_line(path) == value]
        hint = "; ".join(reasons) or "a container's own filter may forbid it"
        raise MissingIsolationError(f"{what} ({error.strerror or error}; {hint})") from error


def _first_line(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except OSError:
        return None


def _is_root_in_name() -> bool:
    """An ordinary user who is called root in a namespace where there is nobody else."""
    mapped = (_first_line("/proc/self/uid_map") or "0 0 0").split()
    return mapped[0] == "0" and mapped[1] != "0" and mapped[2] == "1"


def _leave() -> None:
    """An ordinary user may map no one but itself."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(_NAMESPACES)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{INSIDE} {user} 1")
    _write("/proc/self/gid_map", f"{INSIDE} {group} 1")


def _leave_as_root() -> None:
    """Rows must not be root even outside, so nobody is mapped as well, which only somebody outside can do."""
    worker, (awaited, told) = os.getpid(), os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(told)
        os._exit(_map_users(worker) if os.read(awaited, 1) else 1)
    os.close(awaited)
    try:
        kernel.unshare(_NAMESPACES)
        os.write(told, b".")
    finally:
        os.close(told)
        _, status = os.waitpid(helper, 0)
    if status != 0:
        raise PermissionError("this root may not map the user nobody")
    os.setgroups([])


def _map_users(worker: int) -> int:
    try:
        _write(f"/proc/{worker}/uid_map", f"0 0 1\n{INSIDE} {_NOBODY} 1")
        _write(f"/proc/{worker}/gid_map", f"0 0 1\n{INSIDE} {_NOBODY} 1")
    except OSError:
        return 1
    return 0


def _continue_in_child() -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os._exit(0)
    kernel.die_with_parent(signal.SIGKILL)


def _furnish(setting: Setting, *, switches_user: bool) -> ConfinedCell:
    with _needed("the system's /proc"):
        processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        own_pid = os.readlink("/proc/self")
        own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        os.stat(f"/proc/{own_pid}/task/{own_pid}/children")
    with _needed("mount namespaces"):
        _make_root(setting.readable)
        kernel.change_root(_NEW_ROOT)
    cell = ConfinedCell(setting, processes, own_namespace, own_pid, switches_user)
    with _needed("a scratch folder in memory (tmpfs)"):
        cell.renew_scratch()
    return cell


def _make_root(readable: Sequence[str]) -> None:
    kernel.mount("none", "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("root", _NEW_ROOT, "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, "size=1m,mode=755")
    for path in readable:
        _show(path)
    for path in _DEVICES:
        _bind(path)
    os.mkdir(_NEW_ROOT + SCRATCH)
    os.symlink(SCRATCH, f"{_NEW_ROOT}/dev/shm")
    with suppress(FileExistsError):  # an interpreter may be installed below /tmp
        os.symlink(SCRATCH, f"{_NEW_ROOT}/tmp")
    kernel.make_read_only(_NEW_ROOT, recursive=0)


def _show(path: str) -> None:
    if os.path.islink(path):
        os.makedirs((_NEW_ROOT + path).rpartition("/")[0], exist_ok=True)
        os.symlink(os.readlink(path), _NEW_ROOT + path)
    else:
        _bind(path)
        kernel.make_read_only(_NEW_ROOT + path)


def _bind(path: str) -> None:
    target = _NEW_ROOT + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(target.rpartition("/")[0], exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    kernel.mount(path, target, None, kernel.BIND | kernel.RECURSIVE)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
