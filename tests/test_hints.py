"""What people write first and wrongly, and the hint that each gets; and keys, which are shown to nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rftplan.api.credentials import exposed_key_file
from rftplan.api.profiles import profile
from rftplan.render.documents import finding_document
from rftplan.render.look import Look
from rftplan.render.text import findings_text
from tests.world import Small, rows

WRITTEN = [
    ("training_file: train", "training_file: data/train.jsonl", "declare it under files: and write its name here"),
    ("training_file: train", "training_file: file.train", "write train"),
    ("training_file: train", "training_file: file-abc123", "if it is an id, write {id: file-abc123}"),
    ("grader: match", "grader: grader.match", "write match"),
    ("job: review", "job: job.review", "write review"),
    ("grader: match", "grader: [match]", "write match, without brackets"),
    ("data/train.jsonl", "data/trian.jsonl", 'did you mean "data/train.jsonl"?'),
    ("data/train.jsonl", "specs/data/train.jsonl", 'did you mean "data/train.jsonl"?'),
]


@pytest.mark.parametrize(("right", "wrong", "hint"), WRITTEN, ids=[wrong for _, wrong, _ in WRITTEN])
def test_what_people_write_first_has_a_hint(small: Small, right: str, wrong: str, hint: str) -> None:
    small.edit("specs/main.yaml", right, wrong)
    (found,) = small.check()
    assert (found.hint or "").startswith(hint)


DATA = [
    (rows(3).replace("}\n", "},\n").encode(), 3, "remove the comma at the end"),
    (b"question,answer\n1,2\n3,4\n", 1, "this looks like CSV; write one JSON object a line"),
    (json.dumps({"a": "\xe4"}, ensure_ascii=False).encode("latin1") + b"\n", 1, "save the file as UTF-8; if it is "),
    (
        (json.dumps({"a": "\xe4"}, ensure_ascii=False) + "\n").encode("latin1") * 9,
        1,
        "save the file as UTF-8; if it is ",
    ),
]


@pytest.mark.parametrize(("content", "count", "hint"), DATA, ids=["comma", "csv", "latin1", "much latin1"])
def test_data_of_another_form_is_named(small: Small, content: bytes, count: int, hint: str) -> None:
    small.write("specs/data/train.jsonl", content)
    found = small.check()
    assert len(found) == count
    assert all((one.hint or "").startswith(hint) for one in found)


SECRET = "sk-proj-never-to-be-seen"
LEAKS = [
    ("  review:\n", f"  review:\n    api_key: {SECRET}\n"),
    ("  review:\n", f"  review:\n    extra_body: {{api_key: {SECRET}}}\n"),
    ("provider: local", f"provider: {{type: openai, key: {SECRET}}}"),
    ("provider: local", f"provider: {{type: local, judge: {{base_url: http://localhost, model: m, key: {SECRET}}}}}"),
    ("project:", f"api_key: {SECRET}\nproject:"),
]


@pytest.mark.parametrize(("old", "new"), LEAKS)
def test_a_key_in_a_spec_is_sent_where_keys_belong(small: Small, old: str, new: str) -> None:
    small.edit("specs/main.yaml", old, new)
    text = findings_text(map(finding_document, small.check()), Look())
    variable = "RFTPLAN_JUDGE_KEY" if "judge" in new else "OPENAI_API_KEY"
    assert f"keys never go into specs: set {variable}" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "old", ["provider: local", "model: o4-mini-2025-04-16", "training_file: train", "type: string_check"]
)
def test_a_key_in_the_wrong_place_is_not_repeated(small: Small, old: str) -> None:
    for value in (SECRET, f"[{SECRET}]", f"{{password: {SECRET}}}"):
        small.edit("specs/main.yaml", old, f"{old.split(':')[0]}: {value}")
        text = findings_text(map(finding_document, small.check()), Look())
        assert SECRET not in text
        small.edit("specs/main.yaml", f"{old.split(':')[0]}: {value}", old)


def test_a_key_file_that_others_can_read_is_noticed(tmp_path: Path) -> None:
    openai, key = profile("openai"), tmp_path / "key"
    key.write_text("sk-x")
    named = {"RFTPLAN_KEY_FILE": str(key)}
    key.chmod(0o600)
    assert exposed_key_file(openai, named, None) is None
    key.chmod(0o644)
    assert exposed_key_file(openai, named, None) == key
    assert exposed_key_file(openai, {**named, "OPENAI_API_KEY": "sk-y"}, None) is None
