"""What of this system a python grader's process may read: the interpreter and its packages. Reads none of it."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_OF_THE_SYSTEM: Final = (
    "/bin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/usr/share/nltk_data",
    "/usr/share/zoneinfo",
    "/usr/local/share/nltk_data",
    "/nix/store",
)
_PACKAGES: Final = ("site-packages", "dist-packages")


def interpreter() -> str:
    """The Python that runs this program, itself rather than a virtual environment's link to it."""
    return os.path.realpath(sys.executable)


def module_path(*, with_library: bool = False) -> list[str]:
    """Where packages are installed, and before them the standard library. No folder of anybody's project."""
    packages = [*site.getsitepackages(), *(path for path in sys.path if Path(path).name in _PACKAGES)]
    library = [sysconfig.get_path("stdlib"), *_compiled()] if with_library else []
    found = (os.path.realpath(path) for path in (*library, *packages) if Path(path).is_dir())
    return list(dict.fromkeys(found))


def readable() -> list[str]:
    """Real paths, none of them below another; a link of the system's own (`/lib` to `usr/lib`) stays one."""
    links = [path for path in _OF_THE_SYSTEM if Path(path).is_symlink()]
    whole = {os.path.realpath(path) for path in (*_OF_THE_SYSTEM, *_of_python()) if Path(path).exists()}
    return [*links, *_outermost(whole)]


def _of_python() -> Iterator[str]:
    base = os.path.realpath(sys.base_prefix)
    yield from (f"{base}/{name}" for name in ("bin", "lib", "lib64"))
    yield from (f"{prefix}/nltk_data" for prefix in (sys.base_prefix, sys.prefix))
    yield from module_path(with_library=True)
    yield interpreter()


def _compiled() -> Iterator[str]:
    """The standard library's compiled modules have a folder of their own."""
    yield from (path for path in sys.path if Path(path).name == "lib-dynload")


def _outermost(paths: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(paths):
        if not any(path.startswith(f"{other}/") for other in kept):
            kept.append(path)
    return kept
