"""What every route works with: the settings, the store, what it remembers, and the time. Answers no request itself."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from rftplan.server.lifecycle import MICROSECONDS
from rftplan.server.settings import Settings
from rftplan.server.store import Store
from rftplan.server.validated import ValidatedSteps

ORGANIZATION = "org-local"
ORGANIZATION_NAME = "local"  # the part of a fine-tuned model's id that names the organization


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    store: Store
    validated: ValidatedSteps

    def now(self) -> int:
        """Microseconds since the epoch."""
        return int(self.settings.now() * MICROSECONDS)


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def seconds(microseconds: int) -> int:
    """A time as the API gives it."""
    return microseconds // MICROSECONDS
