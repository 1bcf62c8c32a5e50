"""OpenAI itself, as its reference describes it (FACTS §1-§3). Data only."""

from __future__ import annotations

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
)

OPENAI: Final = Profile(
    type="openai",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    admin_key_env="OPENAI_ADMIN_KEY",
    paid=True,
    settle_seconds=120.0,
    call_seconds=60.0,
    poll_seconds=15.0,
    capabilities=frozenset(Capability),
    grader_types=RFT_GRADERS,
    methods=METHODS,
    statuses=STATUSES,
    max_file_bytes=MAX_FILE_BYTES,
    page_sizes=PageSizes(),
    response_format_style=ResponseFormatStyle.NESTED,
)
