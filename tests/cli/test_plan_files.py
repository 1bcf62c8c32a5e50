"""Saved plans from the command line: where they may lie, what of them is refused, and that nothing else is done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rftplan.cli.boundary import main
from tests.world import Small

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFTPLAN_LOCAL_SPEED", "100000")


def run(small: Small, capsys: Capture, *words: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert main(["-C", str(small.root), *words]) == code, capsys.readouterr()
    return capsys.readouterr()


def saved(small: Small, capsys: Capture, *words: str) -> Path:
    path = small.root / "p.json"
    run(small, capsys, "plan", "--out", str(path), *words)
    return path


def digest(path: Path) -> str:
    document: Any = json.loads(path.read_text())
    return str(document["plan"]["digest"])


def test_show_prints_what_plan_printed_and_asks_nobody(
    small: Small, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.root / "p.json"
    text, said = run(small, capsys, "plan", "--out", str(path))
    document, _ = run(small, capsys, "plan", "--out", str(path), "--json")
    (small.root / "specs/main.yaml").unlink()
    monkeypatch.setattr("rftplan.wiring.connected", None)
    assert run(small, capsys, "show", str(path)) == (text, said)
    assert run(small, capsys, "show", str(path), "--json")[0] == document
    assert text.endswith(f"rftplan -C {small.root} apply {path} --wait --digest {digest(path)}\n")


def test_a_saved_plan_is_applied_without_a_question_and_only_once(small: Small, capsys: Capture) -> None:
    path = saved(small, capsys)
    out, _ = run(small, capsys, "apply", str(path), "--wait", "--digest", digest(path).upper())
    assert "5 done" in out
    _, err = run(small, capsys, "apply", str(path), code=1)
    assert f"{path} was applied already" in err
    refused, _ = run(small, capsys, "apply", str(path), "--json", code=1)
    assert json.loads(refused)["code"] == "refused-plan"


def test_another_digest_refuses_before_anything_is_asked(small: Small, capsys: Capture) -> None:
    path = saved(small, capsys)
    _, err = run(small, capsys, "apply", str(path), "--digest", "0" * 64, code=1)
    assert "is not the plan that was reviewed" in err
    _, err = run(small, capsys, "apply", str(path), "--digest", digest(path)[:12], code=64)
    assert "--digest takes a whole digest: 64 hex digits" in err
    assert not (small.root / "rftplan.lock").exists()


def test_leave_is_saved_and_shown_and_what_lacks_it_says_how(small: Small, capsys: Capture) -> None:
    run(small, capsys, "apply", "--yes", "--wait")
    path = small.root / "p.json"
    words = ("plan", "--destroy", "--out", str(path))
    text, _ = run(small, capsys, *words, "--detailed-exitcode", code=2)
    assert "Needs your leave" in text
    assert text.endswith(f"plan --destroy --out {path} --allow delete\n")
    _, err = run(small, capsys, "apply", str(path), code=1)
    assert "the plan has hazards that nobody allowed" in err
    assert f"hint: save it with that leave: rftplan -C {small.root} plan --destroy --out {path} --allow delete\n" in err
    text, _ = run(small, capsys, *words, "--allow", "delete")
    assert "Has leave\n  delete  deployment.reviewer  allowed by --allow\n" in text
    done, _ = run(small, capsys, "apply", str(path), "--json")
    assert json.loads(done)["command"] == "destroy"


def test_leave_that_only_what_follows_needs_is_needed_with_wait_alone(small: Small, capsys: Capture) -> None:
    run(small, capsys, "apply", "--yes", "--wait")
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    path = small.root / "p.json"
    text, _ = run(small, capsys, "plan", "--out", str(path))
    assert "Needs your leave\n  replace-live  deployment.reviewer  with --wait\n" in text
    again = f"rftplan -C {small.root} plan --out {path} --allow replace-live"
    assert text.endswith(
        f"Saved as {path}. Without --wait it needs no leave: rftplan -C {small.root} apply {path} "
        f"--digest {digest(path)}\nFor --wait it lacks leave; with it: {again}\n"
    )
    _, err = run(small, capsys, "apply", str(path), "--wait", code=1)
    assert err.endswith(f"hint: save it with that leave: {again}\n")
    out, _ = run(small, capsys, "apply", str(path), "--digest", digest(path))
    assert "Apply: 1 done, 1 waits." in out


def test_a_saved_plan_says_its_digest_whatever_it_lacks(small: Small, capsys: Capture) -> None:
    path = small.root / "p.json"
    for words in ((), ("--offline",), ("--destroy",)):
        text, _ = run(small, capsys, "plan", "--out", str(path), *words)
        assert text.count(digest(path)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "--allow", "spend"), "--allow is what a saved plan may do, and none is saved"),
        (("plan", "--out", "{root}/p.json", "--allow", "riches"), '--allow does not know "riches"'),
        (("plan", "--destroy", "--replace", "job.review"), "--destroy and --replace exclude each other"),
        (("apply", "--digest", "0" * 64), "--digest is of a saved plan"),
        (("apply", "{root}/p.json", "--allow", "spend"), "a saved plan says itself what is allowed"),
        (("apply", "{root}/p.json", "--replace", "job.review"), "a saved plan says itself what is allowed"),
        (("plan", "--out", "{root}/rftplan.lock"), "is a place of the project's own"),
        (("plan", "--out", "{root}/specs/p.json"), "is a place of the project's own"),
        (("plan", "--out", "{root}/notes.txt"), "is there and no saved plan, so it is not written over"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(small: Small, capsys: Capture, words: tuple[str, ...], said: str) -> None:
    saved(small, capsys)
    small.write("notes.txt", "mine")
    _, err = run(small, capsys, *(word.format(root=small.root) for word in words), code=64)
    assert said in " ".join(err.split())
    assert (small.root / "notes.txt").read_text() == "mine"


def test_a_saved_plan_an_empty_file_and_a_new_folder_are_written(small: Small, capsys: Capture) -> None:
    path = saved(small, capsys)
    before = path.read_bytes()
    saved(small, capsys)
    assert path.read_bytes() == before
    path.write_text("")
    saved(small, capsys)
    assert path.read_bytes() == before
    run(small, capsys, "plan", "--out", str(small.root / "deep/er/p.json"))
    assert (small.root / "deep/er/p.json").read_bytes() == before
    assert [p.name for p in small.root.iterdir() if p.name.endswith(".tmp")] == []


def test_no_plan_is_saved_of_specs_that_cannot_be_planned(small: Small, capsys: Capture) -> None:
    small.edit("specs/main.yaml", "jobs:", "jbos:")
    run(small, capsys, "plan", "--out", str(small.root / "p.json"), code=1)
    assert not (small.root / "p.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="pipes have names")
def test_what_is_no_plain_file_is_neither_read_nor_written(small: Small, capsys: Capture) -> None:
    pipe = small.root / "pipe"
    os.mkfifo(pipe)
    for words in (("plan", "--out"), ("apply",), ("show",)):
        _, err = run(small, capsys, *words, str(pipe), code=1)
        assert "is a pipe, a device or a socket" in err
    for words in (("plan", "--out"), ("apply",), ("show",)):
        _, err = run(small, capsys, *words, str(small.root / "specs"), code=1)
        assert "is a directory" in err
    _, err = run(small, capsys, "show", str(small.root / "none.json"), code=1)
    assert "does not exist" in err


def test_a_huge_file_and_bytes_are_no_plan(small: Small, capsys: Capture) -> None:
    huge = small.root / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    assert "more than 64 MB" in run(small, capsys, "show", str(huge), code=1)[1]
    small.write("bytes.json", b"\xff\xfe\x00")
    assert "is no saved plan: it is UTF-16" in run(small, capsys, "show", str(small.root / "bytes.json"), code=1)[1]


def test_no_key_is_in_a_saved_plan(small: Small, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-planted-0123456789")
    text = saved(small, capsys).read_text()
    assert "planted" not in text
    assert str(small.root) not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "--offline", "--destroy"), "--offline and --destroy exclude each other"),
        (("plan", "--offline", "--refresh-only"), "--offline and --refresh-only exclude each other"),
        (("plan", "--refresh-only", "--replace", "job.review"), "--refresh-only looks at nothing of the specs"),
        (("plan", "--refresh-only", "--target", "job.review"), "--refresh-only looks at nothing of the specs"),
        (("apply", "--refresh-only", "--exclude", "job.review"), "--refresh-only records what is there"),
        (("apply", "{root}/p.json", "--target", "job.review"), "says itself what is allowed, replaced and left out"),
        (("plan", "--refresh-only", "--out", "{root}/p.json"), "what --refresh-only would record is not saved"),
        (("apply", "--refresh-only", "--wait"), "--refresh-only records what is there, and does nothing else"),
        (("apply", "{root}/p.json", "--refresh-only"), "--refresh-only records what is there, and does nothing else"),
    ],
)
def test_plans_of_other_kinds_are_not_mixed(small: Small, capsys: Capture, words: tuple[str, ...], said: str) -> None:
    _, err = run(small, capsys, *(word.format(root=small.root) for word in words), code=64)
    assert said in " ".join(err.split())


def test_an_offline_plan_says_so_first_and_is_not_applied(small: Small, capsys: Capture) -> None:
    path = small.root / "p.json"
    out, _ = run(small, capsys, "plan", "--offline", "--out", str(path), "--detailed-exitcode", code=2)
    assert out.startswith("The service was not asked. ")
    assert out.endswith(f"Saved as {path}, to be looked at: what the service was not asked for is not applied.\n")
    assert run(small, capsys, "show", str(path))[0] == out
    _, err = run(small, capsys, "apply", str(path), code=1)
    assert "was made without asking the service, so it cannot be applied" in err
    document, _ = run(small, capsys, "plan", "--offline", "--json")
    assert json.loads(document)["mode"] == "offline"


def test_a_refresh_shows_asks_for_nothing_else_and_records(small: Small, capsys: Capture) -> None:
    run(small, capsys, "apply", "--yes", "--wait")
    out, _ = run(small, capsys, "plan", "--refresh-only", "--detailed-exitcode")
    assert out.startswith("What the service says now against the lock.")
    assert "No changes. The lock says what the service says." in out
    done, _ = run(small, capsys, "apply", "--refresh-only", "--yes", "--json")
    assert json.loads(done)["results"] == []
