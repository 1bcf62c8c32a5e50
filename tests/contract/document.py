"""The surface as data: `operations/*.json`, OpenAPI 3.1 in our own words, read as one. Checks nothing itself.

To add an operation, add its path to the file of its resource (or add a file), with one entry for each status that
it answers with, `"$ref": "#/components/responses/Refused"` for what is an error. Request schemas say what is
accepted, so they are closed (`additionalProperties: false`) and take null wherever null means absent. A stream of
server-sent events has the media type `text/event-stream` and the schema of one event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

OPERATIONS = Path(__file__).parent / "operations"
BASE = "/v1"

_METHODS = ("get", "post", "delete")
_WITH_SLASHES = ("model", "fine_tuned_model_checkpoint")  # a model's name may have several segments


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `at` is where the document has it."""

    name: str
    method: str
    template: str
    at: tuple[str, ...]
    spec: Mapping[str, Any]

    @property
    def path(self) -> re.Pattern[str]:
        parts = re.split(r"{(\w+)}", self.template)
        literals, names = parts[::2], parts[1::2]
        holes = [".+" if name in _WITH_SLASHES else "[^/]+" for name in names]
        return re.compile("".join(re.escape(text) + hole for text, hole in zip(literals, [*holes, ""], strict=True)))

    def __str__(self) -> str:
        return f"{self.method} {BASE}{self.template}"


@cache
def own_document() -> Mapping[str, Any]:
    """All files as one OpenAPI document; what two of them define is a mistake."""
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "rftplan's local service", "version": "1"},
        "servers": [{"url": BASE}],
        "security": [{"key": []}],
        "paths": {},
        "components": {},
    }
    for path in sorted(OPERATIONS.glob("*.json")):
        part = json.loads(path.read_text())
        _merge(document["paths"], part["paths"], path)
        for kind, named in part["components"].items():
            _merge(document["components"].setdefault(kind, {}), named, path)
    return document


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """The most special path first, so that the first that matches is meant."""
    found = list(_operations(document))
    return sorted(found, key=lambda one: (-one.template.count("/"), one.template.count("{")))


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for template, methods in document["paths"].items():
        for method in _METHODS:
            if (spec := methods.get(method)) is not None:
                yield Operation(spec["operationId"], method.upper(), template, ("paths", template, method), spec)


def _merge(target: dict[str, Any], part: Mapping[str, Any], path: Path) -> None:
    for name, value in part.items():
        if name in target:
            raise ValueError(f"{path.name}: {name} is defined twice")
        target[name] = value
