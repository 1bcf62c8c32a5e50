"""Findings as annotations of a GitHub workflow: one command a finding. Prints nothing.

A command is a whole line, `::error file=…::message`. What specs and data say is in it only escaped, so that no text of
theirs can end the line or begin another command.
"""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import join, normpath
from typing import Final

from rftplan.render.escape import visible
from rftplan.render.shapes import FindingDocument

_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}
_IN_MESSAGES: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES: Final = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def github_annotations(findings: Iterable[FindingDocument], *, base: str = "") -> str:
    """One line a finding. `base` is the project's root from where the workflow runs, with `/`."""
    return "".join(_annotation(finding, base) + "\n" for finding in findings)


def _annotation(finding: FindingDocument, base: str) -> str:
    # Column without line, or line without file, would be refused.
    path = finding["path"]
    known = {
        "file": located(path, base) if path is not None else None,
        "line": finding["line"] if path else None,
        "col": finding["column"] if path and finding["line"] else None,
        "title": f"{finding['code']} {finding['summary']}",
    }
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in known.items() if value is not None)
    return f"::{_COMMANDS.get(finding['severity'], 'error')} {properties}::{_message(finding)}"


def _message(finding: FindingDocument) -> str:
    said = ": ".join(visible(part) for part in (finding["address"], finding["detail"]) if part)
    lines = [said, *([f"hint: {visible(finding['hint'])}"] if finding["hint"] else [])]
    return "".join(_IN_MESSAGES.get(character, character) for character in "\n".join(lines))


def _property(value: str) -> str:
    return "".join(_IN_PROPERTIES.get(character, character) for character in visible(value))


def located(path: str, base: str) -> str:
    """A path from the project's root as one from `base`."""
    return normpath(join(base, path)) if base else path
