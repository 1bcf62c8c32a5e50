"""What a run has cost so far, and who says so. Pure: prices are handed in; what is not known is never 0."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from rftplan.api.port import RemoteJob
from rftplan.api.profiles import Profile
from rftplan.canonical import Json
from rftplan.kinds.job.cost import hour_price, token_price
from rftplan.monitor.points import JudgeTokens
from rftplan.typed_json import finite_of


class Basis(StrEnum):
    """Who says what it cost."""

    SERVICE = "service"
    """Its own total, in dollars."""
    ELAPSED = "elapsed"
    """The time since it was created, at the price of an hour: no more than that, for much of it is not billed."""
    FREE = "free"
    UNKNOWN = "unknown"


class Money(Struct, frozen=True):
    """US dollars so far. `usd` None: not known. `hour_usd` is the price that `source` had on `read`. What models that
    grade cost comes on top of ELAPSED: `judges_usd`, None where their tokens or prices are not known; `judged` says
    whether there are any."""

    usd: float | None
    basis: Basis
    hour_usd: float | None = None
    read: str | None = None
    source: str | None = None
    judged: bool = False
    judges_usd: float | None = None

    @property
    def at_most(self) -> bool:
        return self.basis is Basis.ELAPSED


_MILLION = 1_000_000


def money(job: RemoteJob, profile: Profile, *, seconds: float, judges: Mapping[str, JudgeTokens]) -> Money:
    """`seconds` are those that may be billed, or more of them; `judges` the tokens that models used as graders."""
    if not profile.paid:
        return Money(0.0, Basis.FREE)
    said = _dollars(job.body.get("usage_metrics"))
    if said is not None:
        return Money(said, Basis.SERVICE)
    price = hour_price(job.model, profile) if _reinforces(job) else None
    if price is None:
        return Money(None, Basis.UNKNOWN)
    usd = seconds / 3600 * price.usd
    return Money(usd, Basis.ELAPSED, price.usd, price.read, price.source, bool(judges), _judged(judges, profile))


def _reinforces(job: RemoteJob) -> bool:
    method = job.body.get("method")
    return isinstance(method, dict) and method.get("type") == "reinforcement"


def _judged(judges: Mapping[str, JudgeTokens], profile: Profile) -> float | None:
    """None if one of them has no price that is known."""
    total = 0.0
    for model, tokens in judges.items():
        price = token_price(model, profile)
        if price is None:
            return None
        total += (tokens.read * price.input + tokens.written * price.output) / _MILLION
    return total


def _dollars(usage: Json) -> float | None:
    """The service's total where it says it in dollars. Its shape is not established (FACTS §3.11): only a number whose
    own name says that it is one of dollars is taken for that, and only if there is no other."""
    found = [
        figure
        for key, value in (usage.items() if isinstance(usage, dict) else ())
        if ("usd" in key.lower() or "dollar" in key.lower()) and (figure := finite_of(value)) is not None
    ]
    return found[0] if len(found) == 1 and found[0] >= 0 else None
