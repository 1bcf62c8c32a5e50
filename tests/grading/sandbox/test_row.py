"""What a row answers, asked over pipes by this process itself."""

from __future__ import annotations

import marshal
import os
import sys

import pytest

from rftplan.grading.sandbox.frames import Frames
from rftplan.grading.sandbox.row import ERROR, SCORE, InvalidScoreError, grade_one


def answered(source: str) -> bytes:
    there, back = os.pipe(), os.pipe()
    asking, row = Frames(back[0], there[1], 1000), Frames(there[0], back[1], 1000)
    asking.send(b'{"sample": {}, "item": {}}')
    grade_one(row, marshal.dumps(compile(source, "<grader>", "exec")))
    sys.modules.pop("grader")
    answer = asking.receive()
    asking.close()
    row.close()
    assert answer is not None
    return answer


@pytest.mark.parametrize("value", ["None", "'1'", "True", "float('nan')", "[]"])
def test_what_is_no_score_is_said_in_a_sentence_without_the_name_of_our_own_error(value: str) -> None:
    answer = answered(f"def grade(sample, item): return {value}")
    assert answer.startswith(ERROR + b"grade() returned ")
    assert InvalidScoreError.__name__.encode() not in answer


def test_a_number_is_a_score() -> None:
    assert answered("def grade(sample, item): return 1").startswith(SCORE)
