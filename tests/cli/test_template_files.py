"""`init` writes a project and overwrites nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import NAME
from rftplan.cli.boundary import main
from rftplan.cli.template_files import project_name

WRITTEN = [".gitignore", "specs/data/train.jsonl", "specs/data/validation.jsonl", "specs/main.yaml"]


def files_under(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def test_it_names_each_file_and_the_next_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "My Demo")]) == 0
    out = capsys.readouterr().out
    assert files_under(tmp_path / "My Demo") == WRITTEN
    assert [line.split()[1] for line in out.splitlines()[:-1]] == WRITTEN
    assert out.splitlines()[-1] == f"Next: rftplan -C '{tmp_path}/My Demo' plan"
    assert "name: my-demo " in (tmp_path / "My Demo" / "specs" / "main.yaml").read_text()


def test_what_exists_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "main.yaml").write_text("mine")
    assert main(["-C", str(tmp_path), "init"]) == 1
    assert files_under(tmp_path) == ["specs/main.yaml"]
    assert (tmp_path / "specs" / "main.yaml").read_text() == "mine"
    assert "specs/main.yaml exists already" in capsys.readouterr().err


def test_a_gitignore_is_kept_and_the_missing_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    assert main(["-C", str(tmp_path), "init"]) == 0
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n"
    assert "kept   .gitignore; it should have the line .rftplan/" in capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file" / "x")]) == 1


@given(st.text())
def test_any_directory_gives_a_valid_project_name(directory: str) -> None:
    assert NAME.match(project_name(directory))


def test_the_data_has_enough_different_rows(tmp_path: Path) -> None:
    main(["init", str(tmp_path / "p")])
    read = {
        name: [json.loads(line) for line in (tmp_path / "p/specs/data" / name).read_text().splitlines()]
        for name in ("train.jsonl", "validation.jsonl")
    }
    asked = [row["messages"][-1]["content"] for rows in read.values() for row in rows]
    assert all(len(rows) >= 10 for rows in read.values())
    assert len(set(asked)) == len(asked)
