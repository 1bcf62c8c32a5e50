"""The calls of the Linux kernel that Python has no name for. Decides nothing."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Final

_libc = ctypes.CDLL(None, use_errno=True)

NEW_MOUNTS: Final = 0x00020000
NEW_CGROUP: Final = 0x02000000
NEW_NAMES: Final = 0x04000000
NEW_IPC: Final = 0x08000000
NEW_USERS: Final = 0x10000000
NEW_PIDS: Final = 0x20000000
NEW_NETWORK: Final = 0x40000000

BIND: Final = 0x1000
RECURSIVE: Final = 0x4000
PRIVATE: Final = 0x40000
NO_SUID: Final = 0x2
NO_DEVICES: Final = 0x4
DETACH: Final = 0x2

_SYSCALL_MOUNT_SETATTR: Final = 442
_SYSCALL_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_READ_ONLY_NO_SUID: Final = 0x1 | 0x2
_PR_SET_PDEATHSIG: Final = 1
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION_3: Final = 0x20080522

_NO_CAPABILITIES = ctypes.create_string_buffer(24)
_THIS_PROCESS = ctypes.create_string_buffer(struct.pack("=II", _CAPABILITY_VERSION_3, 0))


def unshare(what: int) -> None:
    _check(_libc.unshare(what))


def enter(namespace: int, kind: int) -> None:
    """Children from now on are born in that namespace; `namespace` is an open descriptor."""
    _check(_libc.setns(namespace, kind))


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _check(_libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]))


def unmount(target: str) -> None:
    """At once, whatever is open there."""
    _check(_libc.umount2(os.fsencode(target), DETACH))


def make_read_only(target: str, *, recursive: int = _AT_RECURSIVE) -> None:
    """That mount and, unless `recursive` is 0, all below it; set-user-id bits count for nothing there."""
    attributes = ctypes.create_string_buffer(struct.pack("=QQQQ", _READ_ONLY_NO_SUID, 0, 0, 0))
    call = (_SYSCALL_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), recursive, attributes)
    _check(_libc.syscall(*map(_argument, call), ctypes.c_size_t(32)))


def change_root(new_root: str) -> None:
    """Make that mount the root and let go of the old one. The working directory is the new root."""
    os.chdir(new_root)
    number = _SYSCALL_PIVOT_ROOT[platform.machine()]
    _check(_libc.syscall(*map(_argument, (number, b".", b"."))))
    unmount(".")
    os.chdir("/")


def gain_no_privileges() -> None:
    """Neither this process nor what it starts can ever gain rights by executing a file."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def die_with_parent(signal: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal)


def empty_bounding_set() -> None:
    for capability in range(64):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            return  # the kernel knows no more of them


def drop_capabilities() -> None:
    _check(_libc.capset(_THIS_PROCESS, _NO_CAPABILITIES))


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)))


def install_filter(option: int, mode: int, program: ctypes.Structure) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(mode), ctypes.byref(program), ctypes.c_ulong(0), ctypes.c_ulong(0)))


def _argument(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
