"""The fenced blocks of the documentation, and a place to run them in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block of one page."""

    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.text.splitlines()[0]}"


def blocks(*languages: str) -> list[Block]:
    """Every block of these languages, in the order of the pages."""
    return [
        Block(page, match["language"], re.sub(f"^{match['indent']}", "", match["text"], flags=re.MULTILINE))
        for page in PAGES
        for match in _FENCE.finditer(page.read_text())
        if match["language"] in languages
    ]


def clone(target: Path) -> Path:
    """The worked example as a fresh clone has it, and a `rftplan` on the path."""
    shutil.copytree(ROOT / "specs", target / "specs")
    program = target / ".bin" / "rftplan"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rftplan "$@"\n')
    program.chmod(0o755)
    return target


def environment(folder: Path) -> dict[str, str]:
    """A user's environment without keys; the local service lives faster than usual."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "RFTPLAN_"))}
    return {
        **kept,
        "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RFTPLAN_LOCAL_SPEED": "20",
        "COLUMNS": "110",
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "NO_COLOR": "1",
    }


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one shell command in `folder` as a user would."""
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120
    )
