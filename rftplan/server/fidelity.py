"""What is said of a behaviour of the local service: proven by a source, or its own policy. Holds no table.

Sources: SPEC is the vendor's OpenAPI description (with its examples), REFERENCE and GUIDE its documentation,
SDK the `openai` package's source, OBSERVED a reply of the real service that somebody published, REPORTED what
only third parties say. A policy has no source: the real service may do otherwise.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Source(StrEnum):
    SPEC = "vendor's OpenAPI description"
    REFERENCE = "vendor's API reference"
    GUIDE = "vendor's guides"
    SDK = "vendor's SDK"
    OBSERVED = "published reply of the real service"
    REPORTED = "third-party report"
    POLICY = "our own policy"


PROVEN = frozenset({Source.SPEC, Source.REFERENCE, Source.GUIDE, Source.SDK, Source.OBSERVED})


class Behaviour(Struct, frozen=True):
    area: str
    what: str
    source: Source

    @property
    def proven(self) -> bool:
        return self.source in PROVEN


def of(area: str, *behaviours: tuple[str, Source]) -> tuple[Behaviour, ...]:
    return tuple(Behaviour(area, what, source) for what, source in behaviours)
