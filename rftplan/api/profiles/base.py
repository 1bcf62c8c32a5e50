"""What a profile says about one provider. Data only: it does nothing and knows no spec and no SDK."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from rftplan.api.port import JobStatus
from rftplan.api.profiles.life import LifeTable
from rftplan.api.profiles.prices import NO_PRICES, NOT_KNOWN, Cap, PriceTable


class Capability(StrEnum):
    """What a provider can do beyond files, jobs, events and checkpoints. Each is asked for by somebody: by a
    rule of `checks` where a spec may need it, by the adapter where it only changes how a thing is done."""

    PAUSE = "pause"
    PERMISSIONS = "permissions"
    METADATA = "metadata"
    METADATA_FILTER = "metadata_filter"
    GRADER_RUN = "grader_run"
    UPLOADS = "uploads"
    FILE_CONTENT = "file_content"
    """It gives back the bytes of a file that was uploaded to train from; some accounts may be refused all the same."""
    SHUTDOWN_DATES = "shutdown_dates"
    DATA_SHARING = "data_sharing"
    SAMPLES = "samples"
    SIMULATION = "simulation"
    MODEL_DELETION = "model_deletion"
    ANY_MODEL = "any_model"
    """A base model need not be in its list: it trains any name, and its own judge stands in for any model."""


class ResponseFormatStyle(StrEnum):
    """How `response_format` is sent: `json_schema` as an object of its own, or its fields beside `type`."""

    NESTED = "nested"
    FLAT = "flat"


class PageSizes(Struct, frozen=True):
    """The largest `limit` that each list takes."""

    files: int = 10_000
    jobs: int = 100
    events: int = 100
    checkpoints: int = 100
    permissions: int = 100
    samples: int = 100


class PartSizes(Struct, frozen=True):
    """A file of more than `above` bytes goes in parts where the service has uploads: of `size` bytes each, `at_once` of
    them at a time, `most` bytes in all."""

    above: int = 100 * 2**20
    size: int = 64 * 2**20
    at_once: int = 4
    most: int = 8 * 2**30


class RowLimits(Struct, frozen=True):
    """What a service takes of a data file, by method where it is a mapping; a method that is not in it has no limit
    that anybody established. `last_roles` are the roles that the last message of a reinforcement row may have."""

    fewest_training: Mapping[str, int]
    most_training: Mapping[str, int]
    most_validation: Mapping[str, int]
    last_roles: frozenset[str]


class Profile(Struct, frozen=True):
    """One provider. Times in seconds, sizes in bytes.

    `settle_seconds` is how long after the end of an attempt a new job may be missing from the lists;
    `call_seconds` how long a create may still be acting after we lost it; `statuses` maps the service's
    words to ours, and a word it lacks is JobStatus.UNKNOWN. `max_file_bytes` is for one request. `life` is None where
    nothing closes. `trains` has the base models of a method where the provider names them, `ranges` the hyperparameters
    (`reinforcement.eval_samples`) that it takes from a narrower range than the API itself. `prices` and `cap` count
    only where it is `paid`. `most_running` jobs may run at a time where the provider says a figure that holds for
    everybody; None where it depends on model and account, or is not known.
    """

    type: str
    base_url: str
    key_env: str | None
    admin_key_env: str | None
    paid: bool
    settle_seconds: float
    call_seconds: float
    poll_seconds: float
    capabilities: frozenset[Capability]
    grader_types: frozenset[str]
    methods: frozenset[str]
    statuses: Mapping[str, JobStatus]
    max_file_bytes: int
    rows: RowLimits
    page_sizes: PageSizes
    response_format_style: ResponseFormatStyle
    parts: PartSizes = PartSizes()
    life: LifeTable | None = None
    trains: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    prices: PriceTable = NO_PRICES
    cap: Cap = NOT_KNOWN
    most_running: int | None = None

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities

    @property
    def largest_file(self) -> int:
        """However it is sent."""
        return self.parts.most if self.can(Capability.UPLOADS) else self.max_file_bytes

    def named(self, model: str) -> str:
        """The snapshot that an alias of a base model stands for here; any other name as it is."""
        return self.life.aliases.get(model, model) if self.life else model

    def status(self, word: str) -> JobStatus:
        return self.statuses.get(word, JobStatus.UNKNOWN)


STATUSES: Final[Mapping[str, JobStatus]] = MappingProxyType(
    {status.value: status for status in JobStatus if status is not JobStatus.UNKNOWN}
)
"""Every provider's words mean the same: OpenAI's eight, and Azure's `pending`, `resuming` (FACTS §3.3)."""

RFT_GRADERS: Final = frozenset({"string_check", "text_similarity", "python", "score_model", "multi"})
"""The union that a reinforcement method takes at its top; `label_model` is not in it (FACTS §3.7)."""

METHODS: Final = frozenset({"supervised", "dpo", "reinforcement"})

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
"""One file in one request (FACTS §3.1)."""
