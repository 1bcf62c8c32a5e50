"""Our own service (DESIGN §7), in this process or on a loopback port. Data only."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

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

LOCAL: Final = Profile(
    type="local",
    # A name that no resolver knows: this URL is only ever answered inside the process.
    base_url="http://local/v1",
    key_env="RFTPLAN_LOCAL_KEY",
    admin_key_env=None,
    paid=False,
    # A job is in the lists before its create is answered, and the service dies with the process.
    settle_seconds=0.0,
    call_seconds=0.0,
    poll_seconds=0.3,
    capabilities=frozenset(
        {
            Capability.PAUSE,
            Capability.PERMISSIONS,
            Capability.METADATA,
            Capability.METADATA_FILTER,
            Capability.GRADER_RUN,
            Capability.SAMPLES,
            Capability.UPLOADS,
            Capability.FILE_CONTENT,
            Capability.SHUTDOWN_DATES,
            Capability.SIMULATION,
            Capability.MODEL_DELETION,
            Capability.ANY_MODEL,
        }
    ),
    grader_types=RFT_GRADERS,
    methods=METHODS,
    statuses=STATUSES,
    max_file_bytes=MAX_FILE_BYTES,
    rows=RowLimits(
        fewest_training={"supervised": 10, "dpo": 10, "reinforcement": 1},
        most_training={"reinforcement": 50_000},
        most_validation={"reinforcement": 1_000},
        last_roles=frozenset({"user"}),
    ),
    page_sizes=PageSizes(),
    response_format_style=ResponseFormatStyle.NESTED,
)

SERVED: Final = replace(
    LOCAL,
    # It outlives a client that dies, and simulates the training before it answers a create.
    settle_seconds=2.0,
    call_seconds=10.0,
)
"""The same service in a process of its own (`rftplan serve`)."""
