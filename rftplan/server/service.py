"""What every route works with: the settings, the store, what it remembers, and the time. Answers no request itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace
from starlette.requests import Request

from rftplan.server.clock import Clock
from rftplan.server.faults import Board
from rftplan.server.lifecycle import MICROSECONDS
from rftplan.server.remembered import Ended, Remembered
from rftplan.server.settings import Settings
from rftplan.server.store import Store
from rftplan.server.validated import ValidatedSteps

ORGANIZATION = "org-local"
ORGANIZATION_NAME = "local"  # the part of a fine-tuned model's id that names the organization


LAG: Final = "lag"
BARE: Final = "bare"
"""Where the scope's state has how many seconds ago a call is answered from; there only if a fault says so."""


_MOST_CHARACTERS: Final = 2**25
"""Of each list, remembered; a file takes about 250, a job 1,200."""


class Lists(Struct, frozen=True):
    """The texts of what is listed, and the models that jobs made, each with its id."""

    files: Remembered[int, tuple[str, str]] = field(default_factory=lambda: Remembered(_MOST_CHARACTERS))
    jobs: Ended[str] = field(default_factory=lambda: Ended(_MOST_CHARACTERS, len))
    models: Ended[Sequence[tuple[str, str]]] = field(default_factory=lambda: Ended(_MOST_CHARACTERS, _characters))


def _characters(models: Sequence[tuple[str, str]]) -> int:
    return sum(len(text) for _, text in models)


class Service(Struct, frozen=True):
    """`lag` is how many seconds ago it is, as far as this call sees it; `bare`: it sees no job's metadata."""

    settings: Settings
    store: Store
    validated: ValidatedSteps
    clock: Clock
    faults: Board = field(default_factory=Board)
    lists: Lists = field(default_factory=Lists)
    lag: float = 0.0
    bare: bool = False

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self.clock.now() - int(self.lag * MICROSECONDS)

    def horizon(self) -> int | None:
        """What was made after this time (microseconds) is not seen yet; None if all is seen."""
        return self.now() if self.lag else None


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    lag, bare = request.scope["state"].get(LAG, 0.0), request.scope["state"].get(BARE, False)
    return replace(service, lag=lag, bare=bare) if lag or bare else service


def seconds(microseconds: int) -> int:
    """A time as the API gives it."""
    return microseconds // MICROSECONDS
