"""Texts beside a spec: their last line break belongs to the editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftplan.config.named_files import NamedFiles
from rftplan.source import Root


@pytest.mark.parametrize(
    ("content", "text"),
    [("Grade it.\n", "Grade it."), ("Grade it.", "Grade it."), ("a\r\nb\r\n", "a\nb"), ("a\n\n", "a\n"), ("\n", "")],
)
def test_a_text_is_taken_without_its_last_line_break(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "prompt.md").write_bytes(content.encode())
    assert NamedFiles(Root(tmp_path), "specs/main.yaml").text("prompt.md") == text


def test_a_file_that_names_itself_is_found_once(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "loop.yaml").write_text("inner: {file: loop.yaml}\n")
    files = NamedFiles(Root(tmp_path), "specs/main.yaml")
    assert files.structure("loop.yaml") == {"inner": {"file": "loop.yaml"}}
    assert list(files.loaded({"a": [{"file": "loop.yaml"}]})) == [("a", 0)]
