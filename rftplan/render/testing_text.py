"""What became of tests, for a person: a line for each, what went wrong, and the sum. From the document alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rftplan.render.curve import figure
from rftplan.render.escape import shortened, visible
from rftplan.render.look import Look, Tone, joined
from rftplan.render.table import aligned
from rftplan.render.testing_shapes import ExpectedDocument, TestDocument, TestResultDocument
from rftplan.render.text import counted

_TONES: Final = {"passed": Tone.GOOD, "failed": Tone.BAD, "skipped": Tone.CAUTION}
_LONGEST_DETAIL: Final = 400
HOW_TO_WRITE: Final = """\
A test says what a grader shall give to one answer:
  tests:
    right-answer:
      grader: NAME
      item: {answer: "yes"}
      sample: "yes"
      expect: 1
"""


def ran_text(document: TestDocument, look: Look) -> str:
    """Every test, then how many of each verdict, and who judged."""
    if not document["tests"]:
        return f"The specs have no tests.\n{HOW_TO_WRITE}"
    heads = aligned([[one["verdict"], visible(one["name"]), _given(one)] for one in document["tests"]])
    lines: list[str] = []
    for one, head in zip(document["tests"], heads, strict=True):
        verdict = one["verdict"]
        lines.append(head.replace(verdict, look.paint(_TONES.get(verdict, Tone.STRONG), verdict), 1))
        lines += _below(one, look)
    return joined([*lines, "", *_sum(document, look)])


def _given(one: TestResultDocument) -> str:
    """`grader.answer gave 1`."""
    grader = visible(one["grader"])
    return grader if one["score"] is None else f"{grader} gave {score(one['score'], one['expected'])}"


def _below(one: TestResultDocument, look: Look) -> Iterator[str]:
    if one["verdict"] == "passed":
        return
    at = f"{visible(one['path'])}:{one['line']}:{one['column']}"
    yield from look.prose(f"{at}  {failure(one)}", indent=2, hang=2)
    if one["members"]:
        parts = ", ".join(f"{visible(name)} {figure(value)}" for name, value in one["members"].items())
        yield from look.prose(parts, indent=4, hang=2)
    for raised in one["errors"]:
        yield from look.prose(f"{raised['flag']}: {shortened(visible(raised['detail']), _LONGEST_DETAIL)}", indent=4)
    if one["hint"]:
        yield from look.prose(f"hint: {visible(one['hint'])}", indent=2)


def failure(one: TestResultDocument) -> str:
    """What went wrong, or why it was skipped, in one sentence; nothing for a test that passed."""
    if one["verdict"] == "passed":
        return ""
    if one["score"] is None:
        return visible(one["reason"] or "")
    said = f"expected {expected(one['expected'])}, got {score(one['score'], one['expected'])}"
    return f"{said}: {visible(one['reason'])}" if one["reason"] else said


def score(value: float, among: ExpectedDocument) -> str:
    """Short, unless the short form is what was expected and the score is not."""
    near = [figure(end) for end in (among["min"], among["max"]) if end is not None and end != value]
    return repr(value) if figure(value) in near else figure(value)


def expected(among: ExpectedDocument) -> str:
    """`1`, `0.5 to 1`, `at least 0.5`."""
    low, high = among["min"], among["max"]
    if low is None or high is None:
        return f"at most {_exact(high)}" if low is None else f"at least {_exact(low)}"
    return _exact(low) if low == high else f"{_exact(low)} to {_exact(high)}"


def _exact(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"


def _sum(document: TestDocument, look: Look) -> Iterator[str]:
    summary, judge = document["summary"], document["judge"]
    parts = [(n, word) for n, word in zip(summary.values(), summary, strict=True) if n]
    said = ", ".join(f"{n} {word}" for n, word in parts)
    tone = Tone.BAD if not document["ok"] else Tone.CAUTION if summary["skipped"] else Tone.GOOD
    yield look.paint(tone, f"{counted(len(document['tests']), 'test')}: {said}") + "."
    if judge is not None and not judge["stand_in"]:
        yield from look.prose(f"judge: {visible(judge['name'])}", indent=0)
