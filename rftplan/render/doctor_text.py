"""What a doctor found as text, from its document alone. Prints nothing.

What is wrong stands last, above the line that counts: there a reader looks first, and nothing has scrolled away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rftplan.api.profiles.local import LOCAL
from rftplan.render.doctor_shapes import DoctorDocument, SignDocument
from rftplan.render.escape import visible
from rftplan.render.look import Look, Tone, joined
from rftplan.render.text import counted

_MARKS: Final = {"ok": "✓", "wrong": "✗", "unknown": "?", "not-asked": "-"}
_TONES: Final = {"ok": Tone.GOOD, "wrong": Tone.BAD, "unknown": Tone.CAUTION, "not-asked": Tone.FAINT}
_NAMES: Final = {
    "reachable": "service",
    "launching": "launches",
    "closing": "closing dates",
    "python": "python graders",
    "folder": "state folder",
    "disk": "disk space",
}


def doctor_text(document: DoctorDocument, look: Look) -> str:
    """What is well, and what was not asked; then what is not known; then what is wrong."""
    signs = document["signs"]
    well = [sign for sign in signs if sign["state"] == "ok"]
    width = max((len(_name(sign)) for sign in well), default=0)
    lines = [*_head(document, look), ""]
    lines += [line for sign in well for line in _line(sign, width, look)]
    lines += _unasked([sign for sign in signs if sign["state"] == "not-asked"], look)
    for state in ("unknown", "wrong"):
        for sign in signs:
            if sign["state"] == state:
                lines += ["", *_block(sign, look)]
    return joined([*lines, "", *_verdict(document, look)])


def _head(document: DoctorDocument, look: Look) -> Iterable[str]:
    provider = document["provider"]
    where = f"Provider {provider['type']}, {provider['base_url']}"
    if provider["base_url"] == LOCAL.base_url:
        where = f"Provider {provider['type']}, inside this process"
    of = f", for project {document['project']}" if document["project"] else ""
    return look.prose(visible(f"{where}{of}, on {document['today']}"), indent=0, hang=2)


def _name(sign: SignDocument) -> str:
    name = _NAMES.get(sign["about"], sign["about"])
    return visible(f"{name} {sign['subject']}" if sign["subject"] else name)


def _line(sign: SignDocument, width: int, look: Look) -> Sequence[str]:
    mark = look.paint(_TONES[sign["state"]], _MARKS[sign["state"]])
    first, *rest = look.prose(f"{_name(sign).ljust(width)}  {visible(sign['found'])}", indent=4, hang=width + 2)
    return [f"  {mark} {first[4:]}", *rest]


def _unasked(signs: Iterable[SignDocument], look: Look) -> Iterator[str]:
    """One line for all that have one reason: it is said once."""
    reasons: dict[str, list[str]] = {}
    for sign in signs:
        reasons.setdefault(sign["found"], []).append(_name(sign))
    for reason, names in reasons.items():
        first, *rest = look.prose(f"{', '.join(names)}: {visible(reason)}", indent=4)
        yield f"  {look.paint(_TONES['not-asked'], _MARKS['not-asked'])} {first[4:]}"
        yield from rest


def _block(sign: SignDocument, look: Look) -> Sequence[str]:
    tone = _TONES[sign["state"]]
    head = look.paint(tone, f"{_MARKS[sign['state']]} {_name(sign)}")
    lines = [f"{head}{'' if sign['state'] == 'wrong' else ', not known'}"]
    lines += look.prose(visible(sign["found"]), indent=4)
    lines += look.prose(f"why:  {visible(sign['why'])}", indent=4, hang=6)
    lines += look.prose(f"next: {visible(sign['next'])}", indent=4, hang=6) if sign["next"] else []
    return lines


def _verdict(document: DoctorDocument, look: Look) -> Sequence[str]:
    counts = document["summary"]
    rest = [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
    cost = f"{', '.join(rest)}. Changed nothing, with {counted(document['requests'], 'request')}."
    wrong = ", ".join(_name(sign) for sign in document["signs"] if sign["state"] == "wrong")
    if not wrong:
        return _toned("Nothing is wrong", f": {cost}", Tone.GOOD, look)
    return _toned(f"{counts['wrong']} wrong: {wrong}", f". Besides: {cost}", Tone.BAD, look)


def _toned(head: str, rest: str, tone: Tone, look: Look) -> Sequence[str]:
    """Painted after it is wrapped: a colour has no width."""
    lines = look.prose(head + rest, indent=0, hang=2)
    return [lines[0].replace(head, look.paint(tone, head)), *lines[1:]]


_WORDS: Final = {"ok": "ok", "unknown": "not known", "not-asked": "not asked"}
