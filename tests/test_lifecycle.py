"""`lifecycle` by its words: what a plan says of each, what an apply leaves alone, and what a person does next."""

from __future__ import annotations

import pytest

from rftplan.address import Address
from rftplan.changes import Action, Plan, Reason
from rftplan.render.look import Look
from rftplan.render.plan_documents import plan_document
from rftplan.render.plan_text import plan_text
from tests.world import Small

S = "specs/main.yaml"
JOB, LIVE = Address("job", "review"), Address("deployment", "reviewer")
NEXT = "next: take that out of its spec, or undo what asks for it"


def said(plan: Plan) -> str:
    return plan_text(plan_document(plan), Look())


def protect(small: Small, words: str, *, of: Address = JOB) -> None:
    before = "    model: o4-mini" if of == JOB else "    checkpoint: best"
    small.edit(S, before, f"    lifecycle: {{{words}}}\n{before}")


@pytest.fixture
def trained(small: Small) -> Small:
    small.train()
    return small


def test_prevent_replace_keeps_a_job_that_was_edited(trained: Small) -> None:
    protect(trained, "prevent_replace: true")
    assert trained.verbs() == {}, "alone it changes nothing"
    trained.edit(S, "n_epochs: 2", "n_epochs: 3")
    change = trained.changes()["job.review"]
    assert (change.action, change.reason, change.hazards) == (Action.HOLD, Reason.PREVENTED, ())
    text = said(trained.plan())
    assert (
        "  ! job.review           held\n      its lifecycle in the specs forbids it: lifecycle.prevent_replace is set\n"
        in text
    )
    assert "n_epochs: 2 → 3\n" in text
    assert NEXT in text
    trained.apply()
    assert len(trained.jobs()) == 1
    trained.edit(S, "n_epochs: 3", "n_epochs: 2")
    assert trained.verbs() == {}


def test_prevent_replace_stands_before_replace_and_retry(trained: Small) -> None:
    protect(trained, "prevent_replace: true")
    change = trained.changes(replace=frozenset({JOB}))["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.PREVENTED)
    trained.apply(replace=frozenset({JOB}))
    assert len(trained.jobs()) == 1


def test_prevent_replace_keeps_what_is_live(trained: Small) -> None:
    live = trained.lock().resources[LIVE].id
    protect(trained, "prevent_replace: true", of=LIVE)
    trained.edit(S, "n_epochs: 2", "n_epochs: 3")
    assert trained.changes()["deployment.reviewer"].hazards == (), "nothing that is live would be replaced"
    trained.apply(wait=True)
    assert trained.lock().resources[LIVE].id == live
    text = said(trained.plan())
    assert f"lifecycle.prevent_replace keeps {live} live" in text
    assert NEXT in text


def test_prevent_destroy_keeps_a_job_and_destroy_takes_the_rest(trained: Small) -> None:
    protect(trained, "prevent_destroy: true")
    change = trained.changes(destroy=True)["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.PREVENTED)
    text = said(trained.plan(destroy=True))
    assert "its lifecycle in the specs forbids it: lifecycle.prevent_destroy is set\n" in text
    assert NEXT in text
    trained.apply(destroy=True)
    assert JOB in trained.lock().resources
    assert LIVE not in trained.lock().resources


def test_prevent_destroy_keeps_what_is_live(trained: Small) -> None:
    protect(trained, "prevent_destroy: true", of=LIVE)
    assert trained.changes(destroy=True)["deployment.reviewer"].reason is Reason.PREVENTED
    trained.apply(destroy=True)
    assert trained.lock().resources[LIVE].id is not None


def test_prevent_destroy_of_a_file_keeps_it_at_the_service(trained: Small) -> None:
    trained.edit(S, "data/train.jsonl}", "data/train.jsonl, lifecycle: {prevent_destroy: true, retain: false}}")
    trained.apply()
    assert trained.changes(destroy=True)["file.train"].reason is Reason.PREVENTED
    there = {file.id for file in trained.files()}
    trained.apply(destroy=True)
    assert {file.id for file in trained.files()} == there


@pytest.mark.parametrize(("word", "verb"), [("retain: true", "forget"), ("retain: false", "delete")])
def test_retain_keeps_a_file_that_a_job_was_trained_from(trained: Small, word: str, verb: str) -> None:
    trained.edit(S, "data/train.jsonl}", f"data/train.jsonl, lifecycle: {{{word}}}}}")
    trained.apply()
    file = trained.lock().resources[Address("file", "train")].id
    text = (trained.root / S).read_text()
    trained.write(S, text[: text.index("files:")])
    plan = trained.plan()
    (change,) = (one for one in plan.changes if str(one.address) == "file.train")
    assert change.verb == verb
    wanted = {
        "forget": f"no longer in the specs: {file} stays at the service: job.review was trained from it",
        "delete": f"deletes {file} at the service",
    }
    assert wanted[verb] in said(plan)
    trained.apply()
    assert (file in {one.id for one in trained.files()}) == (verb == "forget")


def test_without_a_word_a_file_is_retained_and_a_job_replaced(trained: Small) -> None:
    trained.edit(S, "n_epochs: 2", "n_epochs: 3")
    assert trained.changes()["job.review"].action is Action.REPLACE
    text = (trained.root / S).read_text()
    trained.write(S, text[: text.index("files:")])
    assert trained.verbs()["file.train"] == "forget forget"
