"""Which system calls no grader may make, as a program that the kernel runs before each call. Installs, never asks.

The worker itself lives under it, too. What it needs and a row must not have (a new process namespace, a fresh
scratch folder) asks for a capability that rows do not have; without user namespaces they cannot get one.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterator
from typing import Final

from rftplan.grading.sandbox import kernel

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

DENIED: Final[dict[str, tuple[int, int]]] = {
    # Each name with its numbers on x86_64 and aarch64; from 424 on they are the same everywhere.
    # No network. A socketpair stays: event loops wake themselves up with one, and it leads nowhere.
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # No look into other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "move_pages": (279, 239), "migrate_pages": (256, 238), "perf_event_open": (298, 241),
    # No other view of files.
    "chroot": (161, 51), "pivot_root": (155, 41), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    # Nothing that outlives the row, and no memory that no limit counts.
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181),
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    # The machine, and doors that were too often left open.
    "bpf": (321, 280), "userfaultfd": (323, 282), "personality": (135, 92),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "syslog": (103, 116), "vhangup": (153, 58),
    "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171), "lookup_dcookie": (212, 18),
}  # fmt: skip
_DENIED_ON_X86_64: Final = {"uselib": 134, "modify_ldt": 154, "_sysctl": 156, "iopl": 172, "ioperm": 173}
_CLONE, _UNSHARE, _SETNS, _MMAP, _IOCTL = (56, 220), (272, 97), (308, 268), (9, 222), (16, 29)
_CLONE3: Final = 435
_ANY_NAMESPACE: Final = 0x7E020000
_SHARED_WITHOUT_FILE: Final = 0x21
_FEIGNED_INPUT: Final = (0x5412, 0x541C)

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
_SET_SECCOMP, _MODE_FILTER = 22, 2
_FOREIGN_ABI: Final = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def unsupported() -> str | None:
    """Why there is no filter for this machine; None if there is."""
    machine = platform.machine()
    return (
        None
        if machine in _ARCHITECTURES
        else f"a system call filter for {machine} (there is one for x86_64 and aarch64)"
    )


def install() -> None:
    """From now on, for this process and all that come of it. Needs `kernel.gain_no_privileges` before."""
    program = b"".join(instructions(platform.machine()))
    text = ctypes.create_string_buffer(program, len(program))
    kernel.install_filter(_SET_SECCOMP, _MODE_FILTER, _Program(len(program) // 8, ctypes.addressof(text)))


def instructions(machine: str) -> Iterator[bytes]:
    """The filter: everything is allowed but what is named."""
    column = list(_ARCHITECTURES).index(machine)
    yield _step(_LOAD, _ARCHITECTURE)
    yield from _if(_EQUAL, _ARCHITECTURES[machine], otherwise=_KILL)
    yield _step(_LOAD, _NUMBER)
    if machine == "x86_64":
        yield from _if(_AT_LEAST, _FOREIGN_ABI, then=_error(errno.ENOSYS))
    for number in sorted(numbers[column] for numbers in DENIED.values()):
        yield from _if(_EQUAL, number, then=_error(errno.EPERM))
    for number in sorted(_DENIED_ON_X86_64.values()) if machine == "x86_64" else ():
        yield from _if(_EQUAL, number, then=_error(errno.EPERM))
    # The C library asks again with `clone`, whose flags a filter can see.
    yield from _if(_EQUAL, _CLONE3, then=_error(errno.ENOSYS))
    yield from _by_argument(_CLONE[column], 0, _if(_ANY_BIT, _ANY_NAMESPACE, then=_error(errno.EPERM)))
    yield from _by_argument(_UNSHARE[column], 0, _if(_EQUAL, kernel.NEW_PIDS, otherwise=_error(errno.EPERM)))
    yield from _by_argument(_SETNS[column], 1, _if(_EQUAL, kernel.NEW_PIDS, otherwise=_error(errno.EPERM)))
    shared = [_step(_AND, _SHARED_WITHOUT_FILE), *_if(_EQUAL, _SHARED_WITHOUT_FILE, then=_error(errno.EPERM))]
    yield from _by_argument(_MMAP[column], 3, shared)
    feigned = [step for request in _FEIGNED_INPUT for step in _if(_EQUAL, request, then=_error(errno.EPERM))]
    yield from _by_argument(_IOCTL[column], 1, feigned)
    yield _step(_RETURN, _ALLOW)


def _by_argument(number: int, argument: int, steps: Iterator[bytes] | list[bytes]) -> Iterator[bytes]:
    """Steps over the lower half of one argument of one call, which is allowed if none of them ends it."""
    body = [_step(_LOAD, 16 + 8 * argument), *steps, _step(_RETURN, _ALLOW)]
    yield _step(_EQUAL, number, missed=len(body))
    yield from body


def _if(test: int, value: int, *, then: int | None = None, otherwise: int | None = None) -> Iterator[bytes]:
    """End with `then` if the test holds, or with `otherwise` if it does not; else go on."""
    if then is not None:
        yield _step(test, value, missed=1)
        yield _step(_RETURN, then)
    if otherwise is not None:
        yield _step(test, value, met=1)
        yield _step(_RETURN, otherwise)


def _step(code: int, value: int, *, met: int = 0, missed: int = 0) -> bytes:
    return struct.pack("=HBBI", code, met, missed, value)


def _error(number: int) -> int:
    return _ERRNO | number
