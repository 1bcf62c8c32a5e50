"""`lifecycle.ignore_rules`: what is ignored is counted, never lost; what others depend on is never ignored."""

from __future__ import annotations

import pytest

from rftplan.checks import CODES
from rftplan.errors import Diagnostic, Severity
from rftplan.ignoring import ignorable
from tests.world import Small, rows

S = "specs/main.yaml"


def found(small: Small, code: str) -> list[Diagnostic]:
    return [one for one in small.check() if one.code == code]


def ignore(small: Small, codes: str, *, of: str = "job") -> None:
    before = {"job": "    model: o4-mini", "deployment": "    checkpoint: best"}.get(of)
    if before is not None:
        small.edit(S, before, f"    lifecycle: {{ignore_rules: [{codes}]}}\n{before}")
    else:
        small.edit(S, "data/train.jsonl}", f"data/train.jsonl, lifecycle: {{ignore_rules: [{codes}]}}}}")


@pytest.fixture
def doubled(small: Small) -> Small:
    """A row is there twice: a warning at its file."""
    small.write("specs/data/train.jsonl", rows() + rows(1))
    assert [one.address for one in found(small, "D226")] == ["file.train"]
    return small


def test_what_is_ignored_is_not_told_and_is_counted_where_that_is_said(doubled: Small) -> None:
    ignore(doubled, "D226", of="file")
    assert found(doubled, "D226") == []
    (told,) = found(doubled, "S225")
    assert (told.severity, told.address) == (Severity.INFO, "file.train")
    assert told.detail == "1 finding is ignored by lifecycle.ignore_rules: D226"
    assert str(told.place) == "specs/main.yaml:3:61"
    assert [one for one in doubled.plan().diagnostics if one.code in ("D226", "S225")] == [told]


def test_another_address_is_told_all_the_same(doubled: Small) -> None:
    ignore(doubled, "D226")
    assert len(found(doubled, "D226")) == 1
    assert found(doubled, "S225") == []


def test_an_error_that_would_waste_a_run_may_be_ignored_and_the_plan_goes_on(small: Small) -> None:
    small.edit(S, 'input: "{{sample.output_text}}"', 'input: "{{item.anwser}}"')
    assert {"G103"} <= {one.code for one in small.check() if one.severity is Severity.ERROR}
    codes = ", ".join(sorted({one.code for one in small.check() if one.address == "grader.match"}))
    ignore(small, codes)
    (told,) = found(small, "S225")
    assert (told.address, "G103" in told.detail) == ("grader.match", True)
    assert small.verbs()["job.review"] == "create launch"


def test_a_grader_is_ignored_only_by_all_jobs_that_train_with_it(small: Small) -> None:
    small.edit(S, 'input: "{{sample.output_text}}"', 'input: "{{item.anwser}}"')
    text = (small.root / S).read_text()
    job = text[text.index("  review:\n    model") : text.index("deployments:")]
    small.edit(S, "deployments:\n", job.replace("review", "second").replace("2}", "3}") + "deployments:\n")
    small.edit(S, "  second:\n    model", "  second:\n    lifecycle: {ignore_rules: [G103]}\n    model")
    assert found(small, "G103") != []
    small.edit(S, "  review:\n    model", "  review:\n    lifecycle: {ignore_rules: [G103]}\n    model")
    assert found(small, "G103") == []


def test_several_are_counted_together(small: Small) -> None:
    small.write("specs/data/train.jsonl", rows() + "\n" + rows(2))
    ignore(small, "D226, D225", of="file")
    (told,) = found(small, "S225")
    assert told.detail == "2 findings are ignored by lifecycle.ignore_rules: D225, D226"


@pytest.mark.parametrize(
    ("code", "said", "hint"),
    [
        ("D22", '"D22" is no code of a finding', "did you mean D2"),
        ("quiet", '"quiet" is no code of a finding', "rftplan explain lists them"),
        ("S201", "S201 is told whatever a spec says", "take it out"),
        ("P101", "P101 is told whatever a spec says", "take it out"),
        ("C101", "C101 is told whatever a spec says", "take it out"),
        ("J109", "J109 is told whatever a spec says", "take it out"),
        ("D101", "D101 is told whatever a spec says", "take it out"),
    ],
)
def test_what_is_none_or_never_ignored_is_an_error_at_its_place(small: Small, code: str, said: str, hint: str) -> None:
    ignore(small, f"J110, {code}")
    (wrong,) = found(small, "S224")
    assert wrong.severity is Severity.ERROR
    assert said in wrong.detail
    assert str(wrong.hint).startswith(hint)
    assert (str(wrong.place), wrong.address) == ("specs/main.yaml:13:38", "job.review")


def test_specs_policy_costs_and_held_out_rows_are_never_ignored() -> None:
    never = {code for code in CODES if not ignorable(code)}
    assert {code for code in CODES if code[0] in "SPC"} <= never
    assert {"J109", "J116", "G101", "G140", "G150", "D101", "D106"} <= never
    assert {code[0] for code in CODES if ignorable(code)} == set("DGJM")
    assert not ignorable("X999")
