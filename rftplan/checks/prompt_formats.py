"""Whether a judge's prompt demands a shape for its answer. Precise rather than complete; finds nothing itself.

The service makes the judge answer `{result, steps}`. A prompt that asks for a number alone does not contradict that,
and neither does one that shows a JSON object with `result`. A label (PASS or FAIL, a letter) is a shape, too, unless
the prompt says which number it stands for, or tells of an answer that somebody else was to give.

The large patterns are compiled for the first prompt: few projects have a judge, and that takes longer than to read it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_SCORE: Final = r"(?:final |overall |total )?(?:score|rating|grade|reward|verdict|points)"
_START: Final = r"(?:^|[.!?:;-]\s|\n)\s*(?:only |just |always |please |you must |you should )*"
_VERB: Final = r"(?:respond|reply|answer|return|output|write)"
_NOTATION: Final = r"[^.\n]{0,60}\b(?:JSON|XML|YAML)\b"
_PLACEHOLDER: Final = (
    r"(?:<[^<>\n]{1,60}>|\[\[?[^\[\]\n]{0,60}?(?:[a-z]|\d\s*[-–]\s*\d)[^\[\]\n]{0,60}\]?\]|"
    r"\{(?!\{)[^{}\n]{1,60}\}|_{2,})"
)


@cache
def _demands() -> tuple[re.Pattern[str], ...]:
    return tuple(
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


_PAIRS: Final = (
    ("pass", "fail"),
    ("passed", "failed"),
    ("correct", "incorrect"),
    ("right", "wrong"),
    ("yes", "no"),
    ("true", "false"),
    ("valid", "invalid"),
    ("good", "bad"),
    ("acceptable", "unacceptable"),
    ("accept", "reject"),
    ("relevant", "irrelevant"),
    ("compliant", "non-compliant"),
)
_VERDICTS: Final = r"(?:pass|fail|passed|failed|correct|incorrect)"
"""What judges say; the other words are what the answers under judgement may have to say as well."""


def _quoted(word: str) -> str:
    return rf"[\"'`*\[]{{0,3}}\b{word}\b[\"'`*\]]{{0,3}}"


_OR: Final = r"(?: or |\s?/\s?|\s?\|\s?|, (?:or )?| and )(?:with |just |only )?"
_EITHER: Final = "|".join(
    f"{_quoted(one)}{_OR}{_quoted(other)}" for pair in _PAIRS for one, other in (pair, tuple(reversed(pair)))
)
_LETTERS: Final = rf"(?-i:{_quoted('[A-F]')}(?:{_OR}{_quoted('[A-F]')}){{1,5}})"
_LETTER_GRADE: Final = (
    r"letter grade\b(?:,? (?:from |of |between )?(?-i:\(?A[+]?\s?(?:-|–|to|through|and|/)\s?[D-F][-+]?\)?))?"
)
_INTO: Final = (
    r"(?:(?:with|only|just|exactly|either|one|a|an|the|of|single|final|overall|word|words|label|letter|following|"
    r"verdict)\b[:,]?\s?){0,8}"
)
_SINGLE: Final = "|".join(
    rf"{_quoted(one)},? (?:if|when) [^.\n]{{1,160}}(?:,|;|\.|\n)\s?(?:and |or )?(?:otherwise|else)?,?\s?"
    rf"(?:{_VERB} )?(?:with )?{_quoted(other)}"
    for pair in _PAIRS
    for one, other in (pair, tuple(reversed(pair)))
)
_END: Final = (
    r"(?=\s*(?:$|[.!;]|,? (?:only|alone)\b|,? (?:and |with )?(?:nothing|no|without)\b|,? (?:as|for) your\b|"
    r"\((?:only|nothing)\b))"
)


@cache
def _labels() -> re.Pattern[str]:
    return re.compile(
        rf"{_START}(?:{_VERB}|your (?:final )?(?:response|reply|output|answer|verdict) (?:must|should|has to) be) "
        rf"{_INTO}(?:{_EITHER}|{_LETTERS}|{_LETTER_GRADE}|{_SINGLE}){_END}",
        re.IGNORECASE | re.MULTILINE,
    )


_IN_NUMBERS: Final = re.compile(
    r"\bnumber\b|\bnumeric|\bfloat|\{result|\bresult\b[\"'`]?\s*[:=]|"
    r"\d\s?(?:to|through|and|or|-|–|/)\s?\d|[=:(→>]\s*-?\d(?:\.\d+)?\b|"
    r"\b(?:score|rating|grade|result|value|points?|return|give|output|assign|as|with|is|of)s? -?\d|"
    r"\b\d(?:\.\d+)? (?:points?|if|for|when|otherwise|means|is)\b",
    re.IGNORECASE,
)
_ITEM: Final = r"(?:[-*•]|\d{1,2}[.)])"
_OTHERS: Final = (
    r"(?:prompt|task|question|query|request|problem|instructions?|example|input|rules?|guide|guidelines?|sheet|policy)"
)


@cache
def _of_others() -> re.Pattern[str]:
    """What stands right before an instruction that is quoted."""
    return re.compile(
        r"\b(?:told|asked|instructed|said|says)\b[^\n{}]{0,200}$|[\"“'`>]\s*$|"
        rf"\b{_OTHERS}\b[^\n.{{}}]{{0,40}}[:>][^{{}}\n]{{0,200}}$|"
        # These rules: a list of them
        rf"{_OTHERS}\b[^\n.{{}}]{{0,40}}:(?:\s*\n\s*{_ITEM}[^\n]{{0,200}})*\s*{_ITEM}?$|"
        # The student was asked for JSON.
        r"\b(?:student|candidate|bot|assistant)s?\b[^{}\n]{0,120}\b(?:asked|told|instructed|given|had to|has to)\b"
        r"[^{}\n]{0,120}\n?$",
        re.IGNORECASE,
    )


_NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
_TO: Final = rf"{_NUMBER}\s*(?:to|through|and|-|–|—)\s*{_NUMBER}"
_GIVE: Final = r"(?:give|assign|return|output|respond with|answer with)"


@cache
def _scales() -> tuple[re.Pattern[str], ...]:
    return tuple(
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


_LONGEST: Final = 10_000
_WHITE_SPACE: Final = re.compile(r"\s+")


def _looked_at(prompt: str) -> str:
    """Its beginning and its end, where instructions stand, with one line break or space for each run of them: the
    patterns try runs from every place in them."""
    squeezed = _WHITE_SPACE.sub(lambda run: "\n" if "\n" in run[0] else " ", prompt)
    return squeezed if len(squeezed) <= 2 * _LONGEST else f"{squeezed[:_LONGEST]}\n{squeezed[-_LONGEST:]}"


def asked_scales(prompt: str) -> list[tuple[float, float]]:
    """The scales that a prompt asks for scores on; none where it says how to bring the score to another."""
    prompt = _looked_at(prompt)
    if _BROUGHT_DOWN.search(prompt):
        return []
    found = (match for scale in _scales() for match in scale.finditer(prompt))
    pairs = [(float(match[1]), float(match[2])) for match in found]
    return [(low, high) for low, high in pairs if low < high]


def demanded_format(prompt: str) -> str | None:
    """The words that demand a shape, as one line; None if there are none."""
    prompt = _looked_at(prompt)
    demands = (one for demand in _demands() for one in demand.finditer(prompt) if not _is_of_others(prompt, one))
    found = next(demands, None) or _demanded_label(prompt)
    if found is None:
        return None
    words = " ".join(found[0].split()).strip(".:;-!? ")
    return words if len(words) <= 80 else words[:79] + "…"


def _demanded_label(prompt: str) -> re.Match[str] | None:
    if _IN_NUMBERS.search(prompt):
        return None
    last = prompt.rfind("}}")
    for found in _labels().finditer(prompt):
        meant = found.start() > last or re.search(rf"\b{_VERDICTS}\b|letter grade", found[0], re.IGNORECASE)
        if meant and not _is_of_others(prompt, found):
            return found
    return None


def _is_of_others(prompt: str, found: re.Match[str]) -> bool:
    return _of_others().search(prompt[max(0, found.start() - 240) : found.start() + 1].rstrip()) is not None
