"""Whether a judge's prompt demands a shape for its answer. Precise rather than complete; finds nothing itself.

The service makes the judge answer `{result, steps}`. A prompt that asks for a number alone does not contradict that,
and neither does one that shows a JSON object with `result`.
"""

from __future__ import annotations

import re
from typing import Final

_SCORE: Final = r"(?:final |overall |total )?(?:score|rating|grade|reward|verdict|points)"
_START: Final = r"(?:^|[.!?:;-]\s|\n)\s*(?:only |just |always |please |you must |you should )*"
_VERB: Final = r"(?:respond|reply|answer|return|output|write)"
_NOTATION: Final = r"[^.\n]{0,60}\b(?:JSON|XML|YAML)\b"
_PLACEHOLDER: Final = (
    r"(?:<[^<>\n]{1,60}>|\[\[?[^\[\]\n]*(?:[a-z]|\d\s*[-–]\s*\d)[^\[\]\n]*\]?\]|\{(?!\{)[^{}\n]{1,60}\}|_{2,})"
)

_DEMANDS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        # Score: <0 - 5>
        rf"^[^\S\n]*[-*#>\"'`]*\s?\*{{0,3}}{_SCORE}\*{{0,3}}\s?:\*{{0,3}}[^\S\n]*{_PLACEHOLDER}(?:\s*/\s*\d+)?[^\S\n]*\W*$",
        # Only respond with the score and reasoning.
        rf"{_START}{_VERB} (?:only |just )?with (?:only |just )?(?:the |a |your )?{_SCORE},? "
        r"(?:and|followed by|then) [^.\n]{1,80}",
        # <score>…</score>
        rf"<{_SCORE}>[^<\n]{{0,60}}</{_SCORE}>",
        # Return a JSON object {"score": …}
        rf"{_START}{_VERB} {_NOTATION}[^{{}}]{{0,160}}\{{(?!\{{)[^{{}}]{{0,200}}?"
        rf"[\"']?{_SCORE}[\"']?\s*:(?!\s*\{{\{{)",
        # Your response must be JSON with the keys "score" and …
        rf"{_START}(?:{_VERB}|your (?:response|reply|output) (?:must|should)) {_NOTATION}"
        rf"[^.\n]{{0,80}}\b(?:keys?|fields?|tags?)\b[^.\n]{{0,40}}[\"'`<]{_SCORE}[\"'`>]",
    )
)


_NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
_TO: Final = rf"{_NUMBER}\s*(?:to|through|and|-|–|—)\s*{_NUMBER}"
_GIVE: Final = r"(?:give|assign|return|output|respond with|answer with)"
_SCALES: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"\bscale (?:of|from|between) {_TO}\b",
        rf"(?<![\d.])-?{_TO}\s*(?:point )?scale\b",
        rf"{_START}(?:rate|score|grade)\b[^.\n]{{0,60}}? (?:from|between) {_TO}\b(?! points? (?:for|off|if))",
        rf"\b{_GIVE}\b[^.\n]{{0,30}}?\b(?:score|rating|grade|number|value) "
        rf"(?:of|from|between|in the range(?: of)?) {_TO}\b",
    )
)
_BROUGHT_DOWN: Final = re.compile(r"\b(?:normali[sz]e|divid|rescal|map (?:it|this|that) (?:to|onto))", re.IGNORECASE)


def asked_scales(prompt: str) -> list[tuple[float, float]]:
    """The scales that a prompt asks for scores on; none where it says how to bring the score to another."""
    if _BROUGHT_DOWN.search(prompt):
        return []
    found = (match for scale in _SCALES for match in scale.finditer(prompt))
    pairs = [(float(match[1]), float(match[2])) for match in found]
    return [(low, high) for low, high in pairs if low < high]


def demanded_format(prompt: str) -> str | None:
    """The words that demand a shape, as one line; None if there are none."""
    for demand in _DEMANDS:
        if found := demand.search(prompt):
            words = " ".join(found[0].split()).strip(".:;- ")
            return words if len(words) <= 80 else words[:79] + "…"
    return None
