"""What became of tests, as a person reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.render.look import Look, ansi
from rftplan.render.testing_text import expected, ran_text, score
from tests.render.test_junit import ALL, case, document


def test_each_test_has_a_line_and_what_failed_says_why_and_where() -> None:
    assert ran_text(ALL, Look()) == (
        "passed   good     grader.answer gave 1\n"
        "failed   bad      grader.answer gave 0.25\n"
        "  specs/a.yaml:3:5  expected 1, got 0.25\n"
        "    a 0.5\n"
        "failed   broken   grader.answer gave 0\n"
        "  specs/a.yaml:3:5  expected 1, got 0: an error\n"
        "    other_error: no\n"
        "failed   refused  grader.answer\n"
        "  specs/a.yaml:3:5  nothing keeps it in\n"
        "  hint: trust it\n"
        "skipped  left     grader.answer\n"
        "  specs/a.yaml:3:5  no judge\n"
        "\n"
        "5 tests: 1 passed, 3 failed, 1 skipped.\n"
    )


def test_without_tests_it_says_how_to_write_one() -> None:
    said = ran_text(document(), Look())
    assert said.startswith("The specs have no tests.\n") and "expect: 1" in said


def test_the_judge_is_named_where_a_model_judged() -> None:
    named = document(case()) | {"judge": {"name": "model\x1b x", "stand_in": False}}
    assert ran_text(named, Look()).splitlines()[-1] == "judge: model\\x1b x"


def test_colours_only_underline_what_the_words_say() -> None:
    assert ran_text(ALL, Look(ansi)).count("\x1b[31mfailed") == 3


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1, 1, "1"),
        (0.25, 1, "0.25 to 1"),
        (0.5, None, "at least 0.5"),
        (None, 0.5, "at most 0.5"),
        (1e-7, 1e-7, "1e-07"),
    ],
)
def test_what_is_expected_is_said_in_words(low: float | None, high: float | None, said: str) -> None:
    assert expected({"min": low, "max": high}) == said


def test_a_score_that_only_looks_like_the_expected_one_is_said_in_full() -> None:
    assert score(0.8000001, {"min": 0.8, "max": 0.8}) == "0.8000001"
    assert score(0.8, {"min": 0.8, "max": 0.8}) == "0.8"


@given(st.text(st.characters(exclude_categories=[]), max_size=20), st.integers(40, 120))
def test_nothing_that_a_terminal_obeys_is_printed(written: str, width: int) -> None:
    found = document(case(written, "failed", path=written, reason=written, hint=written, members={written: 1.0}))
    said = ran_text(found, Look(width=width))
    assert all(line.isprintable() for line in said.split("\n"))
