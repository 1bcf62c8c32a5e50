"""`grade --out`: what it writes is read wherever samples are; its report is not, and says what is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rftplan.cli.boundary import main
from rftplan.errors import SamplesError
from rftplan.trial import SAMPLE, Answer
from rftplan.trying import Wanted, grade
from tests.world import Small


def written(small: Small, *words: str) -> Path:
    """What `grade --out` writes, where a spec may name it."""
    out = small.root / "specs" / "data" / "recorded.jsonl"
    assert main(["-C", str(small.root), "grade", *words, "--out", str(out)]) == 0
    return out


def test_what_grade_writes_is_graded_again_and_simulated(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    out = written(small, "--train")
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    assert {entry["answer"] for entry in entries} >= {Answer.RIGHT.value, Answer.OTHER_ROW.value}
    assert all(entry["score"] == (entry["answer"] in ("right",)) for entry in entries if entry["answer"] != "constant")
    again = grade(small.options, Wanted(samples=out), world=small.world)
    assert again.scored.column(SAMPLE).count == len(entries)
    small.edit("specs/main.yaml", "files:\n", "files:\n  recorded: {path: data/recorded.jsonl}\n")
    small.edit(
        "specs/main.yaml",
        "    validation_file: test\n",
        "    validation_file: test\n    simulate: {candidates: recorded}\n",
    )
    assert [found.code for found in small.check() if found.code in ("D101", "D301", "D302")] == []
    small.train()
    assert "belong to no row" not in capsys.readouterr().err


def test_samples_are_written_with_their_messages_and_their_new_score(small: Small) -> None:
    given = {"sample": {"output_text": "1"}, "item": {"answer": "1"}, "messages": [{"role": "user", "content": "?"}]}
    small.write("samples.jsonl", json.dumps({**given, "score": 0.5, "other": 1}) + "\n")
    out = written(small, "--samples", str(small.root / "samples.jsonl"))
    assert [json.loads(line) for line in out.read_text().splitlines()] == [{**given, "score": 1.0}]


def test_a_file_that_is_there_is_not_written_over(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    out = written(small)
    before = out.read_bytes()
    assert main(["-C", str(small.root), "grade", "--out", str(out)]) == 1
    assert "exists already, and is left as it is" in capsys.readouterr().err and out.read_bytes() == before


@pytest.mark.parametrize("many_lines", [True, False])
def test_the_report_of_grade_is_no_file_of_samples_and_the_hint_says_what_is(
    small: Small, capsys: pytest.CaptureFixture[str], many_lines: bool
) -> None:
    assert main(["-C", str(small.root), "grade", "--json"]) == 0
    report = capsys.readouterr().out
    small.write("report.json", report if many_lines else json.dumps(json.loads(report)) + "\n")
    with pytest.raises(SamplesError) as refused:
        grade(small.options, Wanted(samples=small.root / "report.json"), world=small.world)
    (found,) = refused.value.diagnostics
    assert found.code == ("D101" if many_lines else "D301") and "rftplan grade --out FILE" in str(found.hint)
