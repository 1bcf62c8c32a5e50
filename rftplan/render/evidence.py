"""What a gate saw, as documents and as lines. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rftplan.changes import Evidence
from rftplan.render.curve import figure
from rftplan.render.escape import visible
from rftplan.render.look import Look, Tone
from rftplan.render.shapes import EvidenceDocument


def evidence_lines(evidence: Sequence[EvidenceDocument], look: Look, *, indent: int) -> list[str]:
    """`metric 0.912 ≥ 0.8  passed  source  (caveats)`, the caveats on a line of their own if it is too long."""
    return [line for seen in evidence for line in _lines(seen, look, indent)]


def _lines(seen: EvidenceDocument, look: Look, indent: int) -> list[str]:
    margin = " " * indent
    verdict, tone = ("passed", Tone.GOOD) if seen["passed"] else ("failed", Tone.BAD)
    figures = [f"{visible(seen['metric'])} {_comparison(seen)}", verdict, visible(seen["source"])]
    short = len(margin + "  ".join(figures))
    figures[1] = look.paint(tone, verdict)
    if look.width is not None and short > look.width:
        figures, caveats = figures[:2], "; ".join([figures[2], *seen["caveats"]])
        more = look.prose(f"({visible(caveats)})", indent=indent + 2)
        return [margin + "  ".join(figures), *(look.paint(Tone.CAUTION, line) for line in more)]
    line = margin + "  ".join(part for part in figures if part)
    if not seen["caveats"]:
        return [line]
    caveats = f"({visible('; '.join(seen['caveats']))})"
    if look.width is None or short + 2 + len(caveats) <= look.width:
        return [f"{line}  {look.paint(Tone.CAUTION, caveats)}"]
    return [line, *(look.paint(Tone.CAUTION, more) for more in look.prose(caveats, indent=indent + 2))]


def _comparison(seen: EvidenceDocument) -> str:
    value = seen["value"]
    compared = (("≥", seen["at_least"]), ("≤", seen["at_most"]), (">", seen.get("more_than")))
    bounds = [(sign, b) for sign, b in compared if b is not None]
    wanted = " and ".join(f"{sign} {figure(bound)}" for sign, bound in bounds)
    if value is None and seen["passed"]:
        return "not compared"
    if value is None:
        return f"has no figure, needs {wanted}" if wanted else "has no figure"
    shown = _told_apart(value, [bound for _, bound in bounds])
    if "low" in seen and "high" in seen:
        shown = f"{shown} [{figure(seen['low'])}, {figure(seen['high'])}]"
    if not wanted:
        return shown
    return f"{shown} {wanted}" if seen["passed"] else f"{shown}, needs {wanted}"


def _told_apart(value: float, bounds: Sequence[float]) -> str:
    """Short, unless rounding would make a figure look equal to a bound that it is not equal to."""
    short = figure(value)
    return repr(value) if any(figure(b) == short and b != value for b in bounds) else short


def evidence_documents(evidence: Iterable[Evidence]) -> list[EvidenceDocument]:
    return [_document(seen) for seen in evidence]


def _document(seen: Evidence) -> EvidenceDocument:
    document: EvidenceDocument = {
        "metric": seen.metric,
        "value": seen.value,
        "at_least": seen.at_least,
        "at_most": seen.at_most,
        "passed": seen.passed,
        "source": seen.source,
        "caveats": list(seen.caveats),
    }
    if seen.basis is not None:
        document["basis"] = seen.basis.value
    if seen.low is not None and seen.high is not None:
        document["low"], document["high"] = seen.low, seen.high
    if seen.rows is not None:
        document["rows"] = seen.rows
    if seen.confidence is not None:
        document["confidence"] = seen.confidence
    if seen.looks is not None:
        document["looks"] = seen.looks
    if seen.than is not None:
        document["than"] = seen.than
    if seen.more_than is not None:
        document["more_than"] = seen.more_than
    return document
