"""Faults from flags and a file: all that cannot be read is said at once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftplan.cli.boundary import main
from rftplan.cli.knobs import faults_given
from rftplan.errors import UsageError, UserError


def test_a_file_has_a_fault_a_line_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "faults.txt"
    path.write_text("# a bad day\n\n429 times=3  # three of them\n  pause\n")
    assert [str(fault) for fault in faults_given(["lockout"], path)] == ["429 times=3", "pause", "lockout"]


def test_every_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "faults.txt"
    path.write_text("498\n429\n\nlatency seconds=x\n")
    with pytest.raises(UserError) as caught:
        faults_given([], path)
    assert [line.partition(": ")[0] for line in caught.value.message.splitlines()] == [f"{path}:1", f"{path}:4"]
    with pytest.raises(UsageError, match=r'--fault: "a" is no fault.*\n--fault: "b" is no fault'):
        faults_given(["a", "b"], None)


@pytest.mark.parametrize("content", [None, b"\xff\xfe4\x002\x00"])
def test_a_file_that_cannot_be_read_is_said(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faults.txt"
    if content is not None:
        path.write_bytes(content)
    assert main(["-C", str(tmp_path), "serve", "--faults", str(path)]) == 1
    said = capsys.readouterr().err
    assert str(path) in said and "YAML" not in said


def test_nothing_is_opened_before_all_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tmp_path), "serve", "--fault", "429 times=0"]) == 64
    assert "at least 1, or always" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
