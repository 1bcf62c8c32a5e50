"""What a person reads of a trial, from the document; and that nothing hostile in it reaches the terminal raw."""

from __future__ import annotations

from hypothesis import given

from rftplan.grading.verdict import MUST_BE_LOWER
from rftplan.render.grade_documents import grade_document
from rftplan.render.grade_shapes import GradeDocument
from rftplan.render.grade_text import LABELS, VERDICTS, WRONG, grade_text
from rftplan.render.look import Look
from rftplan.render.table import cell_width
from rftplan.trial import SAMPLE, Answer, Verdict
from rftplan.trying import Wanted, grade
from tests.render.findings import HOSTILE
from tests.world import Small


def document(small: Small, **wanted: object) -> GradeDocument:
    return grade_document(grade(small.options, Wanted(**wanted), world=small.world))  # type: ignore[arg-type]


def test_every_kind_and_every_verdict_has_its_words() -> None:
    assert list(LABELS) == [*Answer, SAMPLE]
    assert set(VERDICTS) == set(Verdict)
    assert WRONG == MUST_BE_LOWER


def test_the_table_the_histogram_and_the_verdict(small: Small) -> None:
    text = grade_text(document(small), Look(width=80))
    lines = text.splitlines()
    assert lines[0] == "grader.match (string_check), as job.review uses it"
    assert "  right             50      1     1    1    -       -" in lines
    assert "  another row's     50      0     0    0    -       50 of 50" in lines
    assert lines[-2] == "Verdict: separates. The right answer scores more than every wrong one that it"
    assert any(line.startswith("  0.9 - 1") and "█" in line for line in lines)
    assert all(cell_width(line) <= 80 for line in lines)


def test_few_samples_are_told_one_by_one_and_many_are_not(small: Small) -> None:
    path = small.root / "samples.jsonl"
    for count in (2, 30):
        path.write_text('{"sample": "7", "item": {"answer": "7"}}\n{"sample": "x", "item": {}}\n' * (count // 2))
        text = grade_text(document(small, samples=path), Look(width=80))
        assert ("  2     0      invalid_variable_error" in text) == (count == 2)
        assert f"samples: {count // 2} x invalid_variable_error: item.answer has no value" in text


@given(HOSTILE)
def test_nothing_that_a_file_or_a_grader_says_is_obeyed(said: str) -> None:
    error = {"flag": "other_error", "count": 1, "detail": said}
    answers = {
        "answer": "other-row", "count": 1, "mean": 0.5, "low": 0.5, "high": 0.5, "members": {said: 0.5}, "failed": 1,
        "errors": [error], "pairs": {"higher": 0, "ties": 1, "lower": 0, "undecided": 0},
    }  # fmt: skip
    hostile: GradeDocument = {
        "format": "rftplan.grade/1", "ok": True, "grader": said, "type": "multi", "job": said,
        "tried_on": {"kind": "samples", "path": said, "total": 1, "used": 1},
        "judge": {"name": said, "stand_in": False}, "python": "trusted", "answers": [answers],
        "samples": [{"line": 1, "score": 0.5, "members": {said: 0.5}, "errors": [error]}],
        "histogram": [], "verdict": "cannot-tell", "why": "unmarked", "detail": said, "hint": said, "remarks": [said],
    }  # type: ignore[typeddict-item]  # fmt: skip
    for line in grade_text(hostile, Look(width=80)).split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::") and "##[" not in line and "##vso[" not in line


def test_an_error_that_comes_with_every_answer_is_told_once(small: Small) -> None:
    small.edit("specs/main.yaml", "{{item.answer}}", "{{item.anwser}}")
    text = grade_text(document(small), Look())
    assert "  all answers: " in text
    assert text.count("invalid_variable_error") == 1
    assert "note: the specs have " in text


def test_the_names_of_members_are_cut_where_the_table_is_too_wide(small: Small) -> None:
    member = '{type: string_check, input: "{{sample.output_text}}", operation: eq, reference: "{{item.answer}}"}'
    names = [f"member_{n}_with_a_long_name" for n in range(4)]
    body = "".join(f"      {name}: {member}\n" for name in names)
    start = (small.root / "specs/main.yaml").read_text().partition("  match:\n")[2].partition("jobs:")[0]
    small.edit(
        "specs/main.yaml", start, f"    type: multi\n    graders:\n{body}    calculate_output: {' + '.join(names)}\n"
    )
    narrow, wide = (grade_text(document(small), Look(width=width)) for width in (80, 200))
    assert all(cell_width(line) <= 80 for line in narrow.splitlines())
    assert names[0] in wide and names[0] not in narrow
