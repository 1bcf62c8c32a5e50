"""What a grader scored, for a person: a table, a histogram, the verdict. From the document alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rftplan.render.curve import figure
from rftplan.render.escape import shortened, visible
from rftplan.render.grade_shapes import AnswersDocument, GradeDocument, SampleScoreDocument
from rftplan.render.look import Look, Tone, joined
from rftplan.render.table import aligned, fits
from rftplan.render.text import counted

LABELS: Final = {
    "right": "right",
    "other-row": "another row's",
    "constant": "the same for all",
    "malformed": "cut off",
    "empty": "empty",
    "near": "nearly right",
    "verbose": "right, padded",
    "sample": "samples",
}
VERDICTS: Final = {
    "separates": ("separates", Tone.GOOD),
    "does-not-separate": ("does not separate", Tone.BAD),
    "cannot-tell": ("cannot tell", Tone.CAUTION),
}
WRONG: Final = ("other-row", "constant", "malformed", "empty")
"""What the verdict compares with the right answer."""
FEW: Final = 20
"""Samples that are told one by one."""
_BAR: Final = 20
_LONGEST_DETAIL: Final = 240


def grade_text(document: GradeDocument, look: Look) -> str:
    """Head, scores, members' scores, errors, histogram, remarks, verdict."""
    blocks = [
        list(_head(document, look)),
        _scores(document["answers"], look),
        _members(document["answers"], look),
        list(_samples(document.get("samples", []))),
        list(_errors(document["answers"], look)),
        list(_histogram(document, look)),
        list(_remarks(document, look)),
        list(_verdict(document, look)),
    ]
    return joined(line for block in blocks if block for line in (*block, ""))[:-1]


def _head(document: GradeDocument, look: Look) -> Iterator[str]:
    of = f", as {visible(document['job'])} uses it" if document["job"] not in (None, document["grader"]) else ""
    name = visible(document["grader"])
    first, *rest = look.prose(f"{name} ({document['type']}){of}", indent=0, hang=2)
    yield first.replace(name, look.paint(Tone.STRONG, name), 1)
    yield from rest
    tried = document["tried_on"]
    noun = "sample" if tried["kind"] == "samples" else "row"
    made = "" if noun == "sample" else "answers made from "
    yield from look.prose(
        f"{made}{tried['used']:,} of {counted(tried['total'], noun)} in {visible(tried['path'])}", indent=2
    )
    judge = document["judge"]
    if judge is not None:
        label = f"STAND-IN, no model was asked: {judge['name']}" if judge["stand_in"] else judge["name"]
        yield from look.prose(f"judge: {visible(label)}", indent=2)
    if document["python"] == "trusted":
        yield "  Python graders ran with your own rights, not kept in"


def _scores(answers: Sequence[AnswersDocument], look: Look) -> list[str]:
    """One line a kind of answer; without the least and the highest score where the table would be too wide, and
    without how many there were where it still is."""
    compared = any(one["pairs"] for one in answers)
    head = ["answer", "scored", "mean", "min", "max", "failed", *(["right scores more"] if compared else [])]
    rows = [head, *(_score_cells(one, compared=compared) for one in answers)]
    table: list[str] = []
    for kept in (rows, [[*row[:3], *row[5:]] for row in rows], [[row[0], row[2], *row[5:]] for row in rows]):
        table = aligned(kept, indent=2)
        if fits(table, look.width):
            break
    return table


def _score_cells(one: AnswersDocument, *, compared: bool) -> list[str]:
    figures = [figure(one["mean"]), figure(one["low"]), figure(one["high"])]
    cells = [LABELS.get(one["answer"], one["answer"]), str(one["count"]), *figures, str(one["failed"] or "-")]
    return [*cells, _pairs(one)] if compared else cells


def _pairs(one: AnswersDocument) -> str:
    pairs = one["pairs"]
    if pairs is None:
        return "-"
    total = pairs["higher"] + pairs["ties"] + pairs["lower"] + pairs["undecided"]
    parts = [(pairs["ties"], "tie"), (pairs["lower"], "less"), (pairs["undecided"], "stand-in")]
    rest = ", ".join(f"{count} {word}" for count, word in parts if count)
    return f"{pairs['higher']} of {total}" + (f" ({rest})" if rest else "")


def _members(answers: Sequence[AnswersDocument], look: Look) -> list[str]:
    """The mean of each member, their names cut where the table would be too wide."""
    names = list(dict.fromkeys(name for one in answers for name in one["members"]))
    if not names:
        return []
    rows = [
        [LABELS.get(one["answer"], one["answer"]), *(figure(one["members"].get(name, 0.0)) for name in names)]
        for one in answers
    ]
    for width in (80, 40, 24, 16, 10):
        heads = [shortened(visible(name), width) for name in names]
        table = aligned([["means of members", *heads], *rows], indent=2)
        if fits(table, look.width):
            break
    return table


def _samples(samples: Sequence[SampleScoreDocument]) -> Iterator[str]:
    if not 0 < len(samples) <= FEW:
        return
    names = list(samples[0]["members"])
    rows = [["line", "score", *map(visible, names), "errors"]]
    rows += [
        [
            str(one["line"]),
            figure(one["score"]),
            *(figure(one["members"].get(name, 0.0)) for name in names),
            ", ".join(error["flag"] for error in one["errors"]) or "-",
        ]
        for one in samples
    ]
    yield from aligned(rows, indent=2)


def _errors(answers: Sequence[AnswersDocument], look: Look) -> Iterator[str]:
    """Each error once, with the kinds of answers that it came with."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for one in answers:
        for error in one["errors"]:
            found.setdefault((error["flag"], error["detail"]), []).append((one["answer"], error["count"]))
    for (flag, detail), kinds in found.items():
        named = ", ".join(LABELS.get(kind, kind) for kind, _ in kinds)
        label = "all answers" if 1 < len(kinds) == len(answers) else named
        count = sum(count for _, count in kinds)
        said = shortened(visible(detail), _LONGEST_DETAIL)
        yield from look.prose(f"{label}: {count} x {flag}: {said}", indent=2, hang=2)


def _histogram(document: GradeDocument, look: Look) -> Iterator[str]:
    """How many answers have which score: right ones beside those that must score less."""
    bins = document["histogram"]
    if not bins or all(one["answer"] == "sample" and one["count"] < 2 for one in document["answers"]):
        return
    groups = {"right": ["right"], "wrong": list(WRONG)}
    if document["tried_on"]["kind"] == "samples":
        groups = {"samples": ["sample"]}
    counts = {name: [sum(b["counts"].get(key, 0) for key in keys) for b in bins] for name, keys in groups.items()}
    shown = {name: of for name, of in counts.items() if any(of)}
    room = (look.width or 80) - _BESIDE_BARS
    most = min(_BAR, max(4, room // max(1, len(shown)) - _BESIDE_BAR))
    rows = [["score", *shown]]
    for at, one in enumerate(bins):
        edge = f"{figure(one['low'])} - {figure(one['high'])}"
        rows.append([edge, *(_bar(of[at], max(of), most) for of in shown.values())])
    yield from aligned(rows, indent=2)


_BESIDE_BARS: Final = 15
"""Characters of a line for the indent and the scores."""
_BESIDE_BAR: Final = 8
"""For the gap before a bar and the count after it."""


def _bar(count: int, largest: int, most: int) -> str:
    if not count:
        return "."
    return "█" * max(1, round(most * count / largest)) + f" {count}"


def _remarks(document: GradeDocument, look: Look) -> Iterator[str]:
    for remark in document["remarks"]:
        yield from look.prose(f"note: {visible(remark)}", indent=0, hang=2)


def _verdict(document: GradeDocument, look: Look) -> Iterator[str]:
    word, tone = VERDICTS[document["verdict"]]
    first, *rest = look.prose(f"Verdict: {word}. {_sentence(document['detail'])}", indent=0, hang=2)
    yield first.replace(f"{word}.", look.paint(tone, word) + ".", 1)
    yield from rest
    if document["hint"]:
        yield from look.prose(f"hint: {visible(document['hint'])}", indent=2)


def _sentence(text: str) -> str:
    shown = visible(text)
    return f"{shown[:1].upper()}{shown[1:]}."
