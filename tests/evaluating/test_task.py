"""What an answer and a score depend on, and which rows are asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.data import DataError, read_facts
from rftplan.evaluating.task import Task, rows_of_task
from tests.world import rows

TASK = Task("ft:x", Path("final.jsonl"), "digest", {"type": "string_check"}, "stand-in")


@pytest.mark.parametrize(
    ("changed", "answers", "scores"),
    [
        ({"model": "ft:y"}, True, True),
        ({"rows_digest": "other"}, True, True),
        ({"response_format": {"type": "json_object"}}, True, True),
        ({"params": {"reasoning_effort": "low"}}, True, True),
        ({"grader": {"type": "python"}}, False, True),
        ({"judge": "another"}, False, True),
        ({"samples": 3}, False, False),
        ({"path": Path("moved.jsonl")}, False, False),
    ],
)
def test_what_matters_is_in_the_key_and_nothing_else(changed: dict[str, Any], answers: bool, scores: bool) -> None:
    other = replace(TASK, **changed)
    assert (other.answers_key != TASK.answers_key, other.scores_key != TASK.scores_key) == (answers, scores)


def test_a_prompt_ends_before_the_answer_that_a_row_has() -> None:
    asked, answer = {"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}
    question = TASK.question(6, {"messages": [asked, answer], "tools": [{"type": "function"}], "n": 1})
    assert (question.messages, question.tools, question.about) == (
        [asked],
        [{"type": "function"}],
        "row 7 of final.jsonl",
    )
    assert question.item is not None and question.item["n"] == 1 and question.grader is None
    assert replace(TASK, base=True).question(0, {"messages": [asked]}).grader == {"type": "string_check"}


def test_rows_are_those_that_the_plan_saw(tmp_path: Path) -> None:
    path = tmp_path / "final.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + rows(3).replace("\n", "\r\n\r\n").encode())
    task = replace(TASK, path=path, rows_digest=read_facts(path).rows_digest)
    assert [row["answer"] for row in rows_of_task(task)] == ["1", "3", "5"]
    path.write_text(rows(4))
    with pytest.raises(DataError, match="has changed since the plan was made"):
        rows_of_task(task)
    path.write_text(rows(2) + "[]\n")
    with pytest.raises(DataError, match=r"final\.jsonl, line 3, is no row"):
        rows_of_task(task)
    path.unlink()
    with pytest.raises(DataError):
        rows_of_task(task)
