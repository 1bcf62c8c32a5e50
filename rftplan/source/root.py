"""The project's directory: which files are specs, and which paths a spec may name.

The only place that decides whether a path may be used; does not know what the files mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rftplan import codes
from rftplan.codes import Code, finding
from rftplan.errors import Diagnostic, Place, UserError, has_errors
from rftplan.reading import NotTextError, UnreadableError, decode_text, read_at_most

MAX_TEXT_BYTES: Final = 8 * 1024 * 1024
"""Of one spec, prompt or schema. Training data is read elsewhere and has no such limit."""
TOO_LARGE_HINT: Final = "training data belongs into a file of its own, named under `files:`"
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_HINT_RELATIVE: Final = "write the path relative to this YAML file"


class PathError(UserError):
    """A path that may not be used, or a file that cannot be read. `message` names the path."""

    error_code = "path"

    def __init__(self, code: Code, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code

    def diagnostic(self, place: Place | None, address: str | None = None) -> Diagnostic:
        """The same as a finding about what was written at `place`."""
        return finding(self.code, self.message, place=place, address=address, hint=self.hint)


class Root:
    """The directory that every path is relative to.

    `data_roots` are further directories (relative to the root, or absolute) in which named files may lie; give
    them only for data paths, not for the texts that a spec reads in.
    """

    def __init__(self, directory: Path, data_roots: Sequence[Path] = ()) -> None:
        self.directory = Path(os.path.realpath(directory))
        self._allowed = (
            str(self.directory),
            *(os.path.realpath(self.directory / extra) for extra in data_roots),
        )
        self._followed: dict[str, str] = {}

    def relative(self, path: Path) -> str:
        """The path from the root, with POSIX slashes; starts with `../` if it lies outside."""
        text = Path(os.path.relpath(self.directory / path, self.directory)).as_posix()
        return text.encode("utf-8", "backslashreplace").decode()

    def resolve(self, written: str, *, beside: Path) -> Path:
        """The real path of what the YAML file `beside` calls `written`; it need not exist.

        PathError for absolute and empty paths, backslashes, control characters, hidden files and directories, and
        everything whose real path is outside the root and the data roots.
        """
        _require_plain(written)
        real = self._real(os.path.join(self.directory, os.path.dirname(beside), written))  # noqa: PTH118, PTH120
        inside = self._from_allowed(real)
        if inside is None:
            detail = f'"{written}" leads out of the project'
            hint = "move the file into the project, or list its directory in policy.data_roots if it is data"
            raise PathError(codes.PATH_REFUSED, detail, hint=hint)
        if _hidden(inside):
            raise _hidden_error(written)
        return Path(real)

    def _real(self, path: str) -> str:
        """`realpath`, but each directory is followed once: a project has few of them and many files. As text: a path
        object takes longer to make than all the rest."""
        directory, name = os.path.split(path)
        if os.name == "nt" or name in ("", ".", ".."):
            # Windows has names for one file that are no links, such as short names and junctions.
            return os.path.realpath(path)
        if directory not in self._followed:
            self._followed[directory] = os.path.realpath(directory)
        # Looked at where it really is: under a folder that is missing, `missing/../link` would seem to be no link.
        joined = os.path.join(self._followed[directory], name)  # noqa: PTH118 - text, for speed
        return os.path.realpath(joined) if os.path.islink(joined) else joined  # noqa: PTH114

    def _from_allowed(self, real: str) -> str | None:
        """The path from the allowed directory that it is in, with POSIX slashes."""
        for allowed in self._allowed:
            inside = allowed if allowed.endswith(os.sep) else allowed + os.sep
            if real == allowed or real.startswith(inside):
                return real[len(inside) :].replace(os.sep, "/")
        return None

    def read_bytes(self, path: Path) -> bytes:
        """The whole file; PathError if it is missing, no plain file, unreadable or over MAX_TEXT_BYTES."""
        name = self.relative(path)
        try:
            data = read_at_most(self.directory / path, MAX_TEXT_BYTES + 1)
        except UnreadableError as error:
            raise PathError(codes.UNREADABLE, f'"{name}" {error.message}', hint=error.hint) from error
        if len(data) > MAX_TEXT_BYTES:
            raise PathError(codes.TOO_LARGE, f'"{name}" {over_limit()}', hint=TOO_LARGE_HINT)
        return data

    def read_text(self, path: Path) -> str:
        r"""UTF-8 text, lines ended by `\n`, without byte order mark; PathError as `read_bytes`, or if no text."""
        try:
            return decode_text(self.read_bytes(path))
        except NotTextError as error:
            detail = f'"{self.relative(path)}" {error.message} at line {error.line}, column {error.column}'
            raise PathError(error.code, detail, hint=error.hint) from error

    def spec_files(self, specs_dir: str) -> tuple[list[Path], list[Diagnostic]]:
        """Every `*.yaml` below, sorted by path from the root, and what is wrong with the files beside them."""
        top = self.directory / specs_dir
        place = Place(self.relative(top))
        if not self._holds(top):
            detail = f'the spec directory "{specs_dir}" leads out of the project'
            return [], [finding(codes.PATH_REFUSED, detail, place=place, hint="choose one below the root")]
        if not top.is_dir():
            detail = f'there is no directory "{specs_dir}" in the project'
            hint = "run `rftplan init`, or name the project with -C and its spec directory with --specs"
            return [], [finding(codes.NO_SPECS, detail, place=place, hint=hint)]
        found, findings = self._sorted_out(top)
        if not found and not has_errors(findings):
            detail = f'the spec directory "{specs_dir}" has no *.yaml file'
            findings.append(finding(codes.NO_SPECS, detail, place=place, hint="run `rftplan init`"))
        return found, findings

    def _holds(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.directory)

    def _sorted_out(self, top: Path) -> tuple[list[Path], list[Diagnostic]]:
        failures: list[OSError] = []
        good: list[Path] = []
        findings: list[Diagnostic] = []
        for path in sorted(self._walk(top, failures), key=self.relative):
            if problem := self._refused(path, top):
                findings.append(problem)
            else:
                good.append(path)
        findings.extend(self._unlisted(failure) for failure in failures)
        return good, findings

    def _walk(self, top: Path, failures: list[OSError]) -> Iterator[Path]:
        """Files that look like YAML, and directories that lead out. Each directory is visited once: loops end."""
        seen: set[str] = set()
        for current, directories, names in os.walk(top, onerror=failures.append, followlinks=True):
            directories.sort()
            path, real = Path(current), os.path.realpath(current)
            if not self._holds(path):
                yield path
            elif real not in seen:
                seen.add(real)
                yield from (path / name for name in names if _looks_like_spec(name))
                if not _hidden(path.relative_to(top).as_posix()):
                    continue
            directories.clear()

    def _refused(self, path: Path, top: Path) -> Diagnostic | None:
        place = Place(self.relative(path))
        if not self._holds(path):
            detail = "it is a symbolic link that leads out of the project"
            return finding(codes.PATH_REFUSED, detail, place=place, hint="put the file itself here")
        if _hidden(path.relative_to(top).as_posix()):
            detail = "its name or a directory's name starts with a dot, so it is left out"
            return finding(codes.HIDDEN_SPEC, detail, place=place, hint="rename it if it belongs to the specs")
        if path.suffix != ".yaml":
            detail = "only *.yaml is read, so this file would be ignored silently"
            return finding(codes.WRONG_EXTENSION, detail, place=place, hint=f'rename it to "{path.stem}.yaml"')
        return None

    def _unlisted(self, failure: OSError) -> Diagnostic:
        place = Place(self.relative(Path(failure.filename)))
        detail = f"the directory cannot be listed ({failure.strerror}), so its specs would be taken for removed"
        return finding(codes.UNREADABLE, detail, place=place, hint="check the directory's permissions")


def over_limit() -> str:
    return f"is larger than {MAX_TEXT_BYTES // 1024 // 1024} MB"


def _require_plain(written: str) -> None:
    if not written.strip():
        raise PathError(codes.PATH_REFUSED, "the path is empty", hint=_HINT_RELATIVE)
    if not written.isprintable():
        raise PathError(codes.PATH_REFUSED, f"the path {written!a} has control characters", hint=_HINT_RELATIVE)
    if "\\" in written:
        hint = f'write "{written.replace(chr(92), "/")}"'
        raise PathError(codes.PATH_REFUSED, f'"{written}" has backslashes', hint=hint)
    if written.startswith(("/", "~")) or _DRIVE.match(written):
        raise PathError(codes.PATH_REFUSED, f'"{written}" is not relative', hint=_HINT_RELATIVE)
    if _hidden(written):
        raise _hidden_error(written)


def _hidden(path: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/"))


def _hidden_error(written: str) -> PathError:
    detail = f'"{written}" is hidden or inside a hidden directory, where secrets are kept'
    return PathError(codes.PATH_REFUSED, detail, hint="move the file to a name without a leading dot")


def _looks_like_spec(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml")) and not name.startswith((".#", "._"))
