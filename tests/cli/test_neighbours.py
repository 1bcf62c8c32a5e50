"""Services that serve one store tell each other where they are; the dead tell nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from rftplan.cli.neighbours import announced
from rftplan.errors import UserError


def test_who_comes_later_hears_of_all_that_are_there(tmp_path: Path) -> None:
    store = tmp_path / "service.sqlite"
    with announced(store, "a") as first:
        with announced(store, "b") as second, announced(store, "c") as third:
            assert (first, second, sorted(third)) == ([], ["a"], ["a", "b"])
        with announced(store, "d") as fourth:
            assert fourth == ["a"]
    with announced(store, "e") as fifth:
        assert fifth == []
    assert list((tmp_path / "service.sqlite-served").iterdir()) == []


def test_where_nothing_can_be_said_is_said(tmp_path: Path) -> None:
    (tmp_path / "service.sqlite-served").write_text("")
    with (
        pytest.raises(UserError, match=r"service\.sqlite-served cannot be used"),
        announced(tmp_path / "service.sqlite", ""),
    ):
        pass


def serving(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rftplan", "-C", str(folder), "serve", "--port", "0", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def greeting(service: subprocess.Popen[str]) -> list[str]:
    assert service.stdout is not None
    lines = []
    while not lines or lines[-1] != "Stop with Ctrl-C.":
        lines.append(next(service.stdout).rstrip("\n"))
    return lines


def test_the_second_service_of_a_store_says_where_the_first_one_is_unless_that_was_killed(tmp_path: Path) -> None:
    with ExitStack() as ended:
        first = ended.enter_context(serving(tmp_path, "--clock", "manual"))
        ended.callback(first.kill)
        url = greeting(first)[0].split()[-1]
        second = ended.enter_context(serving(tmp_path))
        ended.callback(second.kill)
        said = greeting(second)
        place = said.index("  SHARED    another service serves this store, and each shows what the other does:")
        assert said[place + 1] == f"    {url} (process {first.pid}, clock manual)"
        first.kill()
        first.wait()
        second.send_signal(signal.SIGTERM)
        second.wait()
        third = ended.enter_context(serving(tmp_path))
        ended.callback(third.kill)
        assert not [line for line in greeting(third) if "SHARED" in line]
