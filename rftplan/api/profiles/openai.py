"""OpenAI itself, as its reference describes it (FACTS §1-§3). Data only."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Final

from rftplan.api.profiles.base import (
    MAX_FILE_BYTES,
    METHODS,
    RFT_GRADERS,
    STATUSES,
    Capability,
    PageSizes,
    Profile,
    ResponseFormatStyle,
    RowLimits,
)
from rftplan.api.profiles.life import Closing, LifeTable
from rftplan.api.profiles.prices import Cap, HourPrice, PriceTable, TokenPrice

_MODELS: Final = "OpenAI's deprecations page, as of November 2026"
_PLATFORM: Final = "OpenAI's API reference, as of 2026-11-10"
_AUTUMN: Final = Closing(date(2026, 10, 23), _MODELS)
_LEGACY: Final = Closing(date(2026, 10, 23), "spybara.com's copy of OpenAI's deprecations page, as of 2026-04-22")
_WINTER: Final = Closing(date(2027, 1, 14), _MODELS)

LIFE: Final = LifeTable(
    models=MappingProxyType(
        {
            "o4-mini-2025-04-16": _AUTUMN,
            "o1-2024-12-17": Closing(
                date(2026, 10, 23), "weighmyprompt.com's copy of OpenAI's deprecations page, as of May 2026"
            ),
            "gpt-4-0613": _LEGACY,
            "gpt-3.5-turbo-0125": _LEGACY,
            "gpt-4.1-nano-2025-04-14": _AUTUMN,
            "gpt-4.1-2025-04-14": _WINTER,
            "gpt-4.1-mini-2025-04-14": _WINTER,
            "gpt-4o-2024-08-06": _WINTER,
            "gpt-4o-mini-2024-07-18": _WINTER,
        }
    ),
    aliases=MappingProxyType(
        {
            "o4-mini": "o4-mini-2025-04-16",
            "gpt-4": "gpt-4-0613",
            "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
            "o1": "o1-2024-12-17",
            "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
            "gpt-4.1": "gpt-4.1-2025-04-14",
            "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
            "gpt-4o": "gpt-4o-2024-08-06",
            "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
        }
    ),
    few_jobs=Closing(date(2026, 7, 2), _PLATFORM),
    no_jobs=Closing(date(2027, 1, 6), _PLATFORM),
    elsewhere="Azure AI Foundry and Amazon Bedrock",
)
"""FACTS §1. Models without a published date are not in it; what a service itself says of them is asked elsewhere."""

_SPRING: Final = ("2026-03", "deploybase.ai's copy of OpenAI's pricing page")
_MAY: Final = ("2026-05", "aimodelcalc.pages.dev's copy of OpenAI's pricing page")

PRICES: Final = PriceTable(
    training=MappingProxyType(
        {"o4-mini-2025-04-16": HourPrice(100.0, "2026-11", "OpenAI's guide on billing of reinforcement fine-tuning")}
    ),
    tokens=MappingProxyType(
        {
            "gpt-4o-2024-08-06": TokenPrice(2.5, 10.0, *_SPRING),
            "gpt-4o-mini-2024-07-18": TokenPrice(0.15, 0.6, *_SPRING),
            "gpt-4.1-2025-04-14": TokenPrice(2.0, 8.0, *_SPRING),
            "gpt-4.1-mini-2025-04-14": TokenPrice(0.4, 1.6, *_SPRING),
            "gpt-4.1-nano-2025-04-14": TokenPrice(0.1, 0.4, *_SPRING),
            "o1-2024-12-17": TokenPrice(15.0, 60.0, *_MAY),
            "o3-2025-04-16": TokenPrice(2.0, 8.0, *_SPRING),
            "o3-mini-2025-01-31": TokenPrice(1.1, 4.4, *_SPRING),
            "o4-mini-2025-04-16": TokenPrice(1.1, 4.4, *_SPRING),
        }
    ),
)
"""FACTS §3.11: an hour of the core loop, the judges' tokens on top at the standard price. The vendor's page itself was
not read for the tokens; models whose price no such copy has are not in it."""

OPENAI: Final = Profile(
    type="openai",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    admin_key_env="OPENAI_ADMIN_KEY",
    paid=True,
    settle_seconds=120.0,
    call_seconds=60.0,
    poll_seconds=15.0,
    capabilities=frozenset(Capability) - {Capability.SIMULATION, Capability.ANY_MODEL},
    grader_types=RFT_GRADERS,
    methods=METHODS,
    statuses=STATUSES,
    max_file_bytes=MAX_FILE_BYTES,
    # Ten is documented, and seen enforced, for supervised data alone. That the user speaks last is established for
    # Azure alone; an assistant's message there has nothing to answer it at any provider (FACTS §3.8).
    rows=RowLimits(
        fewest_training={"supervised": 10},
        most_training={"reinforcement": 50_000},
        most_validation={"reinforcement": 1_000},
        last_roles=frozenset({"user", "developer", "tool"}),
    ),
    page_sizes=PageSizes(),
    response_format_style=ResponseFormatStyle.NESTED,
    life=LIFE,
    # Others were in closed trials, so a model that is not here is a warning and no error.
    trains=MappingProxyType({"reinforcement": frozenset({"o4-mini-2025-04-16"})}),
    prices=PRICES,
    cap=Cap(None, "OpenAI documents no cap for one job, only spend limits of a whole project or organisation"),
)
