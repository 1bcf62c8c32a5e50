"""What each provider can and cannot do. Data: no network, no SDK, nothing of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from rftplan.api.profiles.base import Capability, PageSizes, PartSizes, Profile, ResponseFormatStyle, RowLimits
from rftplan.api.profiles.local import LOCAL, SERVED
from rftplan.api.profiles.openai import OPENAI
from rftplan.api.profiles.prices import NO_PRICES, NOT_KNOWN
from rftplan.errors import UserError

__all__ = [
    "PROFILES",
    "SERVED",
    "Capability",
    "PageSizes",
    "PartSizes",
    "Profile",
    "ResponseFormatStyle",
    "RowLimits",
    "elsewhere",
    "profile",
]

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({p.type: p for p in (LOCAL, OPENAI)})

_NOT_YET: Final[Mapping[str, str]] = MappingProxyType({"azure": "Azure AI Foundry", "bedrock": "Amazon Bedrock"})


def elsewhere(of: Profile) -> Profile:
    """The same protocol at another host: what closes at the provider's own, which models it trains and what it charges
    says nothing of it. Nor does it that there are uploads: many hosts have only files."""
    can = of.capabilities - {Capability.UPLOADS, Capability.METADATA, Capability.METADATA_FILTER}
    return replace(of, capabilities=can, life=None, trains={}, prices=NO_PRICES, cap=NOT_KNOWN)


def profile(name: str) -> Profile:
    """The profile called `name`. UserError for a provider that is not built yet, and for an unknown one."""
    if name in PROFILES:
        return PROFILES[name]
    usable = " or ".join(sorted(PROFILES))
    if name in _NOT_YET:
        raise UserError(
            f"provider {name} ({_NOT_YET[name]}) is not supported yet",
            hint=f"use {usable}",
        )
    raise UserError(
        f"there is no provider {name!r}",
        hint=f"known are {', '.join(sorted({*PROFILES, *_NOT_YET}))}; usable so far: {usable}",
    )
