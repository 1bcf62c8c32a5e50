"""`kind.name` or `kind.name.variant`: the only identity used inside. Knows no kinds."""

from __future__ import annotations

import re

from msgspec import Struct

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
"""What a user may call a thing (DESIGN §2)."""


class Address(Struct, frozen=True, order=True):
    """Identity of one resource; sorts by kind, name, variant."""

    kind: str
    name: str
    variant: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.kind, self.name, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `kind.name` or `kind.name.variant`; ValueError if it is neither."""
        parts = text.split(".")
        if len(parts) not in (2, 3) or not all(NAME.match(part) for part in parts):
            raise ValueError(f'"{text}" is not an address like job.security-review')
        return cls(*parts)
