"""What a gate saw, as lines. Judges nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rftplan.render.curve import figure
from rftplan.render.documents import EvidenceDocument
from rftplan.render.escape import visible
from rftplan.render.look import Look, Tone


def evidence_lines(evidence: Sequence[EvidenceDocument], look: Look, *, indent: int) -> list[str]:
    """`metric 0.912 ≥ 0.8  passed  source  (caveats)`, one line a gate."""
    return [" " * indent + _line(seen, look) for seen in evidence]


def _line(seen: EvidenceDocument, look: Look) -> str:
    verdict = look.paint(Tone.GOOD, "passed") if seen["passed"] else look.paint(Tone.BAD, "failed")
    parts = [f"{visible(seen['metric'])} {_comparison(seen)}", verdict, visible(seen["source"])]
    if seen["caveats"]:
        parts.append(look.paint(Tone.CAUTION, f"({visible('; '.join(seen['caveats']))})"))
    return "  ".join(part for part in parts if part)


def _comparison(seen: EvidenceDocument) -> str:
    value = seen["value"]
    bounds = [(sign, b) for sign, b in (("≥", seen["at_least"]), ("≤", seen["at_most"])) if b is not None]
    wanted = " and ".join(f"{sign} {figure(bound)}" for sign, bound in bounds)
    if value is None:
        return f"has no figure, needs {wanted}" if wanted else "has no figure"
    shown = _told_apart(value, [bound for _, bound in bounds])
    if not wanted:
        return shown
    return f"{shown} {wanted}" if seen["passed"] else f"{shown}, needs {wanted}"


def _told_apart(value: float, bounds: Sequence[float]) -> str:
    """Short, unless rounding would make a figure look equal to a bound that it is not equal to."""
    short = figure(value)
    return repr(value) if any(figure(b) == short and b != value for b in bounds) else short
