"""The system call filter, read as the kernel reads it, for both machines that it is written for."""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.sandbox import kernel
from rftplan.grading.sandbox.seccomp import DENIED, instructions

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, KILLED, NOT_PERMITTED, UNKNOWN = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
CLONE, UNSHARE, SETNS, MMAP, IOCTL = (56, 220), (272, 97), (308, 268), (9, 222), (16, 29)
THREAD, FORK = 0x3D0F00, 0x1200011


def verdict(machine: str, number: int, arguments: Sequence[int] = (), *, architecture: int | None = None) -> int:
    """What the program returns for a call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, architecture or MACHINES[machine], 0, *padded)
    program, at, value = [struct.unpack("=HBBI", step) for step in instructions(machine)], 0, 0
    while True:
        code, met, missed, operand = program[at]
        at += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x54:
                value &= operand
            case 0x06:
                return operand
            case _:
                holds = {0x15: value == operand, 0x35: value >= operand, 0x45: value & operand != 0}[code]
                at += met if holds else missed


@pytest.mark.parametrize("machine", MACHINES)
def test_each_call_that_is_named_is_refused_and_an_ordinary_one_is_not(machine: str) -> None:
    column = list(MACHINES).index(machine)
    for name, numbers in DENIED.items():
        assert verdict(machine, numbers[column]) == NOT_PERMITTED, name
    for numbers in ((0, 63), (1, 64), (57, 56), (39, 172), (53, 199), (59, 221), (62, 129), (101 + 1, 174)):
        assert verdict(machine, numbers[column]) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 600))
def test_calls_of_another_architecture_end_the_process(machine: str, number: int) -> None:
    foreign = next(value for name, value in MACHINES.items() if name != machine)
    assert verdict(machine, number, architecture=foreign) == KILLED
    if machine == "x86_64":
        assert verdict(machine, 0x40000000 | number) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
@given(flags=st.integers(0, 2**32 - 1))
def test_no_namespace_is_made_but_one_of_processes(machine: str, flags: int) -> None:
    column = list(MACHINES).index(machine)
    assert verdict(machine, UNSHARE[column], [flags]) == (ALLOWED if flags == kernel.NEW_PIDS else NOT_PERMITTED)
    assert verdict(machine, SETNS[column], [3, flags]) == (ALLOWED if flags == kernel.NEW_PIDS else NOT_PERMITTED)
    new = flags & 0x7E020000
    assert verdict(machine, CLONE[column], [flags]) == (NOT_PERMITTED if new else ALLOWED)
    assert verdict(machine, CLONE[column], [THREAD]) == verdict(machine, CLONE[column], [FORK]) == ALLOWED
    assert verdict(machine, 435) == UNKNOWN


@pytest.mark.parametrize("machine", MACHINES)
@given(flags=st.integers(0, 2**32 - 1))
def test_memory_is_shared_only_with_a_file_behind_it(machine: str, flags: int) -> None:
    column = list(MACHINES).index(machine)
    refused = flags & 0x21 == 0x21
    assert verdict(machine, MMAP[column], [0, 4096, 3, flags]) == (NOT_PERMITTED if refused else ALLOWED)


@pytest.mark.parametrize("machine", MACHINES)
def test_no_input_is_feigned(machine: str) -> None:
    column = list(MACHINES).index(machine)
    assert verdict(machine, IOCTL[column], [0, 0x5412]) == NOT_PERMITTED
    assert verdict(machine, IOCTL[column], [0, 0x5401]) == ALLOWED
