"""Gates on figures that no checkpoint is known to carry. Does not know what a service really gives."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from rftplan.api.profiles import Profile
from rftplan.codes import METRIC_UNKNOWN, finding
from rftplan.config import Config
from rftplan.errors import Diagnostic
from rftplan.kinds.gates import KNOWN_METRICS


def unknown_metric(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """A gate whose metric is missing fails, and that is seen only after the training was paid for."""
    for address, declared in config.declared.items():
        gates = declared.spec.gates if address.kind == "deployment" else ()
        for index, gate in enumerate(gates):
            if gate.metric in KNOWN_METRICS:
                continue
            close = get_close_matches(gate.metric, KNOWN_METRICS, n=1)
            meant = f'did you mean "{close[0]}"? ' if close else ""
            yield finding(
                METRIC_UNKNOWN,
                f'no checkpoint is known to carry "{gate.metric}", and a gate without a figure fails',
                place=declared.where(("gates", index, "metric")),
                address=str(address),
                hint=f"{meant}known are {', '.join(KNOWN_METRICS)}",
            )
