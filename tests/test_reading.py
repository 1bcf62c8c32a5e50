"""Files that somebody else named: never blocked on, never guessed at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.codes import CONTROL_CHARACTER, NOT_UTF8, Code
from rftplan.reading import BOM, NotTextError, UnreadableError, decode_text, open_regular, read_at_most


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    assert read_at_most(path, 4) == b"0123"
    assert read_at_most(path, 40) == b"0123456789"


def test_what_is_not_there_says_so_and_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="does not exist") as caught:
        read_at_most(tmp_path / "a", 4)
    assert caught.value.hint is not None


def test_a_directory_a_pipe_and_a_name_with_nul_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="is a directory"):
        open_regular(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError, match="is a pipe"):
        open_regular(tmp_path / "pipe")  # and does not wait for somebody to write
    with pytest.raises(UnreadableError, match="cannot be read"):
        open_regular(tmp_path / "a\0b")


@given(st.text().filter(lambda text: "\0" not in text))
def test_text_is_utf_8_with_lines_ended_one_way(text: str) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    assert decode_text(text.encode().removeprefix(BOM)) == plain
    assert decode_text(BOM + plain.encode()) == plain


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        ("ä\nbü".encode("latin-1"), NOT_UTF8, 1, 1),
        ("ä\r\nb".encode() + b"\xff", NOT_UTF8, 2, 2),
        ("a".encode("utf-16"), NOT_UTF8, 1, 1),
        (b"a\rb\0", CONTROL_CHARACTER, 2, 2),
    ],
)
def test_not_text_error_names_the_first_wrong_place(data: bytes, code: Code, line: int, column: int) -> None:
    with pytest.raises(NotTextError) as caught:
        decode_text(data)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)
    assert caught.value.hint is not None


@given(st.binary())
def test_any_bytes_are_text_or_a_not_text_error_with_a_place(data: bytes) -> None:
    try:
        assert "\r" not in decode_text(data)
    except NotTextError as error:
        assert error.line >= 1 and error.column >= 1
