"""How every resource stands, as a person reads it, from its document alone. Prints nothing."""

from __future__ import annotations

from typing import Final

from rftplan.render.escape import visible
from rftplan.render.look import Look, joined
from rftplan.render.monitor_text import block_lines, brief_lines
from rftplan.render.next_steps import HOLD, next_step
from rftplan.render.shapes import ResourceDocument, StatusDocument
from rftplan.render.table import fitted

_MOST_BLOCKS: Final = 3
"""More jobs than this that train are told in short."""


def status_text(document: StatusDocument, look: Look) -> str:
    """One line a resource: address, state, id, detail. Below that, what is known of each job that trains."""
    if not document["resources"]:
        return joined([f"Nothing yet. Next: {look.program} plan"])
    rows = [
        [visible(r["address"]), visible(r["state"]), visible(r["id"] or "-"), visible(r["detail"])]
        for r in document["resources"]
    ]
    steps = [line for r in document["resources"] for line in _what_helps(r, look)]
    trainings = [line for block in _trainings(document, look) for line in ("", *block)]
    return joined([*fitted(rows, look, head=2), *trainings, *([""] if steps else []), *steps])


def _trainings(document: StatusDocument, look: Look) -> list[list[str]]:
    found = [r["training"] for r in document["resources"] if "training" in r]
    return [(block_lines if len(found) <= _MOST_BLOCKS else brief_lines)(training, look) for training in found]


def _what_helps(resource: ResourceDocument, look: Look) -> list[str]:
    """What a person does about what is held."""
    address, reason = resource["address"], resource.get("reason", "")
    step = next_step(action=HOLD, reason=reason, address=address, program=look.program)
    return look.prose(f"next for {visible(address)}: {step}", indent=0, hang=2) if step else []
