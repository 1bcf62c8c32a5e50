"""A request checked with all rules, where there is no project: every path is the user's own, and nothing is written."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rftplan.checking.request import RequestCheck, RequestFiles, check_request
from rftplan.config.request import DataNames
from rftplan.errors import UserError
from tests.config.test_request import BODY, MATCH
from tests.findings import lines_of
from tests.world import rows

OPEN = date(2026, 1, 1)
"""Everything is still open."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.jsonl").write_text(rows(12))
    (tmp_path / "v.jsonl").write_text(rows(60, start=100))
    return tmp_path


def with_grader(grader: Any) -> dict[str, Any]:
    return {**BODY, "method": {"type": "reinforcement", "reinforcement": {"grader": grader}}}


def check(
    here: Path,
    body: Any,
    train: str | None = "t.jsonl",
    valid: str | None = "v.jsonl",
    today: date = OPEN,
    provider: str | None = None,
) -> RequestCheck:
    text = body if isinstance(body, bytes) else json.dumps(body, indent=1).encode()
    (here / "job.json").write_bytes(text)
    files = RequestFiles("job.json", DataNames(train, valid))
    return check_request(files, provider=provider, today=lambda: today)


READS = {**MATCH, "reference": "{{item.answr}}"}


def test_grader_and_rows_are_held_against_each_other(here: Path) -> None:
    assert check(here, with_grader({**MATCH, "reference": "{{item.answer}}"})).diagnostics == ()
    found = lines_of(check(here, with_grader(READS)).diagnostics)
    assert [line.partition(" in ")[0] for line in found] == 2 * ["G103 job.json:13:18 {{item.answr}} is missing"]
    assert all(line.endswith('did you mean "item.answer"?') for line in found)


def test_rows_are_named_as_the_user_wrote_them(here: Path, tmp_path: Path) -> None:
    (here / "link.jsonl").symlink_to(here / "t.jsonl")
    (here / "t.jsonl").write_text(rows(11) + "{\n")
    for written in ("t.jsonl", str(here / "t.jsonl"), "link.jsonl", "./t.jsonl", f"../{here.name}/t.jsonl"):
        (line,) = lines_of(check(here, with_grader(MATCH | {"reference": "{{item.answer}}"}), written).diagnostics)
        assert line.startswith(f"D101 {written.removeprefix('./')}:12:")


def test_nothing_is_written(here: Path) -> None:
    check(here, BODY)
    assert sorted(path.name for path in here.iterdir()) == ["job.json", "t.jsonl", "v.jsonl"]


def test_what_was_not_given_is_said_to_be_unchecked(here: Path) -> None:
    assert check(here, BODY).unchecked == ()
    assert check(here, BODY, None, None).unchecked == (
        "the rows of the training file (--train FILE)",
        "the rows of the validation file (--valid FILE)",
    )
    assert check(here, {"model": 3}).unchecked == (
        "what rules say of the request, until the errors in its form are mended",
    )
    assert check(here, b"jobs: {}").unchecked == ()


def test_the_limits_are_the_vendors_unless_somebody_says_otherwise(here: Path) -> None:
    closed = date(2026, 11, 22)
    body = with_grader({**MATCH, "reference": "{{item.answer}}"})
    codes = [found.code for found in check(here, body, today=closed).diagnostics]
    assert codes == ["M101"]
    local = check(here, body, today=closed, provider="local")
    assert (local.diagnostics, local.service.profile.type) == ((), "local")
    with pytest.raises(UserError, match="not supported yet"):
        check(here, body, provider="azure")


def test_nothing_is_said_about_the_job_around_a_grader(here: Path) -> None:
    grader = {**MATCH, "input": "{{sample.output_json.answer}}", "reference": "{{item.answer}}"}
    found = check(here, grader, today=date(2026, 11, 22))
    assert found.diagnostics == ()
    assert found.unchecked == (
        "whether the answers have the JSON that the grader reads: that says the response_format of a request",
    )
    assert [d.code for d in check(here, READS).diagnostics][:1] == ["G103"]


BAD_DATA = [
    ("gone.jsonl", 'S212 gone.jsonl "gone.jsonl" does not exist'),
    ("job.jsonl", 'S212 job.jsonl "job.jsonl" does not exist | check the spelling'),
    ("t.jsnl", 'S212 t.jsnl "t.jsnl" does not exist | did you mean "t.jsonl"?'),
    (".", 'S212 . "." is a directory, not a file | name a file inside it'),
    ("empty", "D105 empty it has no bytes | write one JSON object a line"),
    ("latin", "D103 latin:1:8 the byte 0xe9 is not UTF-8"),
    ("job.json", "D101 job.json:1:2 "),
]


@pytest.mark.parametrize(("written", "expected"), BAD_DATA, ids=[written for written, _ in BAD_DATA])
def test_data_that_cannot_be_used(here: Path, written: str, expected: str) -> None:
    (here / "empty").write_bytes(b"")
    (here / "latin").write_bytes('{"a": "é"}\n'.encode("latin-1"))
    found = lines_of(check(here, BODY, written).diagnostics)
    assert any(line.startswith(expected) for line in found), found


def test_a_request_that_cannot_be_read(here: Path) -> None:
    for written, said in (("gone.json", "gone.json does not exist"), (".", ". is a directory, not a file")):
        with pytest.raises(UserError, match=said):
            check_request(RequestFiles(written, DataNames()))
    (found,) = check(here, b" " * (9 * 1024 * 1024)).diagnostics
    assert (found.code, str(found.place)) == ("S106", "job.json")
