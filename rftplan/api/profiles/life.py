"""When models and a platform close, each date with its source. Data: compares with no clock and asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct


class Closing(Struct, frozen=True):
    """The first day without it. `source` says who says so, and of when that is."""

    on: date
    source: str

    def __str__(self) -> str:
        return f"{self.on.isoformat()} ({self.source})"

    def days_from(self, today: date) -> int:
        """Days until then; 0 and less: it has closed."""
        return (self.on - today).days


class LifeTable(Struct, frozen=True):
    """What closes at one provider, and when.

    `models` by the name of a snapshot, `aliases` to it. From `few_jobs` on only some organisations may create jobs,
    from `no_jobs` on none. `elsewhere` says where reinforcement fine-tuning goes on.
    """

    models: Mapping[str, Closing]
    aliases: Mapping[str, str]
    few_jobs: Closing
    no_jobs: Closing
    elsewhere: str

    def closing(self, model: str) -> Closing | None:
        """When this model, or the base of this fine-tuned one, shuts down; None if no date is known."""
        return self.models.get(self.snapshot(model))

    def snapshot(self, model: str) -> str:
        """The base model's snapshot: `gpt-4o` and `ft:gpt-4o-2024-08-06:acme::abc` are gpt-4o-2024-08-06."""
        base = model.split(":")[1] if model.startswith("ft:") else model
        return self.aliases.get(base, base)

    def left(self, today: date) -> list[str]:
        """The models of the table that have not closed, the last to close first."""
        open_still = [(closing.on, name) for name, closing in self.models.items() if closing.on > today]
        return [name for _, name in sorted(open_still, key=lambda pair: (-pair[0].toordinal(), pair[1]))]
