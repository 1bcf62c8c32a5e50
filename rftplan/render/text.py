"""Findings, errors, status, state and outputs as text, from their documents alone. Prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from rftplan.canonical import Json
from rftplan.render.escape import shown_value, visible
from rftplan.render.look import Look, Tone, joined
from rftplan.render.shapes import (
    CheckDocument,
    EntryDocument,
    FindingDocument,
    OutputDocument,
    StateDocument,
)
from rftplan.render.table import fits, fitted

SEVERITY_TONES: Final = {"error": Tone.BAD, "warning": Tone.CAUTION, "info": Tone.CHANGED}
_LONGEST_VALUE: Final = 400
_MOST_OF_A_CODE: Final = 5
_ASKED: Final[Sequence[tuple[Literal["graders", "answers", "models"], str]]] = (
    ("graders", "grader"),
    ("answers", "answer"),
    ("models", "model"),
)


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def findings_text(findings: Iterable[FindingDocument], look: Look) -> str:
    """Each error as in DESIGN §8, and of what is no error the first of each code: two hundred jobs with one fault are
    six hundred lines in which the other fault is not seen."""
    findings = list(findings)
    left = Counter(finding["code"] for finding in findings if finding["severity"] != "error")
    told: Counter[str] = Counter()
    lines: list[str] = []
    for finding in findings:
        code = finding["code"]
        if finding["severity"] == "error":
            lines += _finding_lines(finding, look)
            continue
        told[code] += 1
        if told[code] <= _MOST_OF_A_CODE or left[code] == _MOST_OF_A_CODE + 1:
            lines += _finding_lines(finding, look)
        elif told[code] == left[code]:
            lines += _more_lines(finding, left[code] - _MOST_OF_A_CODE, look)
    return joined(lines)


def _more_lines(last: FindingDocument, count: int, look: Look) -> list[str]:
    said = f"{_head(last, look)}: {visible(last['summary'])}"
    return [said, *look.prose(f"{count} more places; --json has every one", indent=2)]


def _finding_lines(finding: FindingDocument, look: Look) -> list[str]:
    lines = [f"{_head(finding, look)}: {visible(finding['summary'])}"]
    where = [part for part in (_place(finding), _subject(finding)) if part]
    lines += look.prose("  ".join(where), indent=2)
    if finding["hint"]:
        lines += look.prose(f"hint: {visible(finding['hint'])}", indent=2)
    return lines


def _head(finding: FindingDocument, look: Look) -> str:
    tone = SEVERITY_TONES.get(finding["severity"], Tone.STRONG)
    return look.paint(tone, f"{finding['severity']}[{visible(finding['code'])}]")


def _place(finding: FindingDocument) -> str:
    parts = (finding["path"], finding["line"], finding["column"])
    return ":".join(visible(str(part)) for part in parts if part)


def _subject(finding: FindingDocument) -> str:
    return ": ".join(visible(part) for part in (finding["address"], finding["detail"]) if part)


def check_text(document: CheckDocument, look: Look) -> str:
    """One line: whether the specs can be planned, or the request be sent; what was asked, and not looked at."""
    counts = [
        counted(n, severity)
        for severity in ("error", "warning")
        if (n := sum(f["severity"] == severity for f in document["diagnostics"]))
    ]
    more = [*_asked(document, look), *_unchecked(document, look)]
    if document["subject"] != "specs":
        return joined([_verdict(document, counts, look), *more])
    if not document["ok"]:
        return joined([look.paint(Tone.BAD, f"Specs are not valid: {', '.join(counts)}."), *more])
    rest = f", {counts[0]}" if counts else ""
    return joined([look.paint(Tone.GOOD, "Specs are valid") + f"{rest}.", *more, f"Next: {look.program} plan"])


def _asked(document: CheckDocument, look: Look) -> Iterable[str]:
    asked = document.get("asked")
    if asked is None:
        return
    counts = ", ".join(counted(asked[of], noun) for of, noun in _ASKED)
    said = f"Asked provider {visible(document.get('provider', ''))} about {counts}"
    yield from look.prose(f"{said}: {counted(asked['requests'], 'request')}.", indent=0, hang=2)


def _verdict(document: CheckDocument, counts: Sequence[str], look: Look) -> str:
    said = f"The {document['subject']} is"
    limits = f" by the limits of provider {visible(document.get('provider', ''))}"
    if document["ok"]:
        return look.paint(Tone.GOOD, f"{said} valid") + f"{limits}{f', {counts[0]}' if counts else ''}."
    return look.paint(Tone.BAD, f"{said} not valid") + f"{limits}: {', '.join(counts)}."


def _unchecked(document: CheckDocument, look: Look) -> Iterable[str]:
    for what in document["unchecked"]:
        yield from look.prose(f"Not checked: {visible(what)}", indent=0, hang=2)


def error_text(message: str, hint: str | None, look: Look) -> str:
    """An error that is not a finding."""
    first, *more = message.split("\n")
    return joined(
        [
            *_labelled("error", Tone.BAD, first, look),
            *(part for line in more if line.strip() for part in look.prose(visible(line.strip()), indent=2, hang=2)),
            *(look.prose(f"hint: {visible(hint)}", indent=2) if hint else ()),
        ]
    )


def _labelled(label: str, tone: Tone, message: str, look: Look) -> list[str]:
    """`label: message`, the rest of a long one below it."""
    first, *rest = look.prose(f"{label}: {visible(message)}", indent=0, hang=2)
    return [first.replace(label, look.paint(tone, label), 1), *rest]


def warning_text(message: str, look: Look) -> str:
    """A warning that is not a finding."""
    return joined(_labelled("warning", Tone.CAUTION, message, look))


def state_text(document: StateDocument, look: Look) -> str:
    """One line an entry: address, id, holds."""
    if document["lineage"] is None:
        return joined([f"There is no lock. Next: {look.program} plan"])
    if not document["resources"]:
        return joined([f"The lock is empty. Next: {look.program} plan"])
    rows = [
        [visible(address), visible(str(entry.get("id") or "-")), _said_of(address, entry, document)]
        for address, entry in document["resources"].items()
    ]
    waiting = ", ".join(map(visible, document["waiting"]))
    queue = look.prose(f"Waiting for a place, oldest first: {waiting}", indent=0, hang=2) if waiting else []
    return joined([*fitted(rows, look, head=1), *queue])


def _said_of(address: str, entry: Mapping[str, Json], document: StateDocument) -> str:
    return ", ".join(filter(None, (_holds(entry), "SIMULATED" if address in document["simulations"] else "")))


def _holds(entry: Mapping[str, Json]) -> str:
    holds = entry.get("holds")
    if not isinstance(holds, list):
        return ""
    codes = [str(hold.get("code")) for hold in holds if isinstance(hold, dict)]
    return "held: " + visible(", ".join(codes)) if codes else ""


def entry_text(document: EntryDocument, look: Look) -> str:
    """An entry as indented `key: value` lines."""
    mark = "  SIMULATED" if document["simulated"] else ""
    return joined([look.paint(Tone.STRONG, visible(document["address"])) + mark, *_tree(document["entry"], 2)])


def _tree(value: Json, indent: int) -> list[str]:
    if isinstance(value, dict):
        pairs = [(f"{visible(key)}:", item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [("-", item) for item in value]
    else:
        return [" " * indent + shown_value(value, _LONGEST_VALUE)]
    return [line for label, item in pairs for line in _branch(label, item, indent)]


def _branch(label: str, item: Json, indent: int) -> list[str]:
    margin = " " * indent
    if isinstance(item, (dict, list)) and item:
        return [margin + label, *_tree(item, indent + 2)]
    return [f"{margin}{label} {shown_value(item, _LONGEST_VALUE)}"]


def outputs_text(outputs: Mapping[str, OutputDocument], look: Look) -> str:
    """Promoted models, one a line."""
    if not outputs:
        return joined([f"The lock knows no promoted model. Next: {look.program} apply --wait"])
    return joined(output_lines(outputs, look))


def output_lines(outputs: Mapping[str, OutputDocument], look: Look, *, indent: int = 0) -> list[str]:
    """`name  model` with where the model comes from on a line of its own."""
    margin = " " * indent
    lines = []
    for name, out in outputs.items():
        model = visible(out["model"])
        if fits([f"{margin}{visible(name)}  {model}"], look.width):
            lines.append(f"{margin}{visible(name)}  {look.paint(Tone.STRONG, model)}")
        else:
            lines += [f"{margin}{visible(name)}", f"{margin}  {look.paint(Tone.STRONG, model)}"]
        mark = ", SIMULATED" if out["simulated"] else ""
        lines.append(f"{margin}  {visible(out['job'])}, step {out['step']}, revision {out['revision']}{mark}")
    return lines
