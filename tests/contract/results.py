"""What a life showed at a service, on a day: each step and whether it went as expected. Knows no step."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

FORMAT = "rftplan.contract-results/1"


class Outcome(StrEnum):
    AS_EXPECTED = "as expected"
    OTHERWISE = "otherwise"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Result:
    """`at` is the day and the time, in UTC."""

    behaviour: str
    outcome: Outcome
    detail: str
    at: str


@dataclass
class Results:
    """`outside` are replies that our own schemas do not take: differences to learn from, no failures."""

    base_url: str
    sdk: str
    results: list[Result] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def text(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"

    def write(self, path: Path) -> None:
        """Over nothing but results of before."""
        if path.exists() and FORMAT not in path.read_text():
            raise FileExistsError(f"{path} is there and holds no results of this suite")
        path.write_text(self.text())
