"""The files that `init` writes. They are package data beside this module; nothing is ever overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from rftplan.errors import UserError
from rftplan.render.escape import visible

PROJECT_MARK: Final = "my-project"
_NO_DOT: Final = {"gitignore": ".gitignore"}
_KEPT: Final = frozenset({".gitignore"})
"""Often there already. It is left alone, and what to add is said."""


def write_template(root: Path) -> list[str]:
    """Write every file and say so in lines. If one exists already: UserError, and nothing is written."""
    wanted = dict(_template())
    taken = [name for name in wanted if (root / name).exists() and name not in _KEPT]
    if taken:
        raise UserError(
            f"{taken[0]} exists already, and init overwrites nothing",
            hint="give a new directory: rftplan init DIR",
        )
    project = project_name(root.resolve().name)
    try:
        return [_write(root, name, text.replace(PROJECT_MARK, project)) for name, text in wanted.items()]
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}") from None


def project_name(directory: str) -> str:
    """A directory's name as a name of the spec language."""
    name = re.sub(r"[^a-z0-9_-]+", "-", directory.lower()).strip("-_")[:63]
    return name or PROJECT_MARK


def _write(root: Path, name: str, text: str) -> str:
    path = root / name
    if path.exists():
        return f"kept   {visible(name)}; it should have the line {text.split()[0]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    return f"wrote  {visible(name)}"


def _template() -> Iterator[tuple[str, str]]:
    """Path from the root and content of each file, in path order."""
    yield from sorted(_walk(files("rftplan.cli") / "template", ""))


def _walk(directory: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for item in directory.iterdir():
        if item.is_dir():
            yield from _walk(item, f"{prefix}{item.name}/")
        else:
            yield prefix + _NO_DOT.get(item.name, item.name), item.read_text(encoding="utf-8")
