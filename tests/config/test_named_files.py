"""Texts beside a spec: their last line break belongs to the editor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rftplan.config.named_files import NamedFiles, innermost
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
    (loop,) = files.loaded.values()
    way: list[str | int] = ["a", 0, "inner", "inner"]
    assert innermost({"a": [{"file": "loop.yaml"}]}, way, files.loaded) == (loop, ("inner", "inner"))
    assert innermost({"a": [{"file": "loop.yaml"}]}, ["a", 1], files.loaded) is None


def test_files_that_name_each_other_twice_are_not_multiplied(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    for number in range(60):
        (tmp_path / "specs" / f"{number}.json").write_text(json.dumps([{"file": f"{number + 1}.json"}] * 2))
    files = NamedFiles(Root(tmp_path), "specs/main.yaml")
    for number in range(60):
        files.structure(f"{number}.json")
    found = innermost({"file": "0.json"}, [1] * 60, files.loaded)
    assert found == (files.documents["59.json"], (1,))
