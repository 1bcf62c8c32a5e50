"""How one resource stands, and what holds it. Values and words; asks nobody, knows no kind."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from rftplan.changes import Change, Evidence, Reason


class Standing(Struct, frozen=True):
    """How one resource stands: a word, its remote id, and what else there is to know. `reason` is why it is held."""

    state: str
    id: str | None = None
    detail: str = ""
    reason: Reason | None = None

    def with_hold(self, held: Change | None) -> Standing:
        """Held and why, before all else; where nothing is there, that is how it stands."""
        if held is None:
            return self
        why = held.detail or held.reason.value
        if failed := _failed(held.evidence):
            why = f"{why} ({failed})"
        detail = "; ".join(filter(None, (why if self.id is None else f"held: {why}", self.detail)))
        return Standing("held" if self.id is None else self.state, self.id, detail, held.reason)

    def with_wait(self, waits: Change | None) -> Standing:
        """That it waits for a place, and at which turn."""
        if waits is None:
            return self
        return replace(self, detail="; ".join(filter(None, (f"waits for a place: {waits.detail}", self.detail))))


def _failed(evidence: Sequence[Evidence]) -> str:
    """The gates that failed, in short: metric, figure and bound."""
    said = []
    for seen in evidence:
        if not seen.passed:
            bounds = ((seen.at_least, "at least"), (seen.at_most, "at most"))
            wanted = ", ".join(f"{words} {bound:g}" for bound, words in bounds if bound is not None)
            figure = "is not known" if seen.value is None else f"{seen.value:.4g}"
            said.append(f"{seen.metric} {figure}, wanted {wanted}")
    return "; ".join(said)
