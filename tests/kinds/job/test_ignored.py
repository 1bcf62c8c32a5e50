"""`lifecycle.ignore_changes`: an edit in the fields that it names launches nothing again; any other does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.canonical import fingerprint
from rftplan.changes import Action, Reason
from rftplan.errors import Place
from rftplan.kinds.base import Resource
from rftplan.kinds.job.ignored import ignored_edits
from rftplan.kinds.job.launch import identity
from rftplan.kinds.job.spec import JobSpec
from rftplan.lockfile import Entry
from tests.world import Small, rows

S = "specs/main.yaml"
JOB = Address("job", "review")
GRADER = {"type": "string_check", "input": "a", "reference": "b", "operation": "eq"}


def ignore(small: Small, fields: str) -> None:
    small.edit(S, "    model: o4-mini", f"    lifecycle: {{ignore_changes: [{fields}]}}\n    model: o4-mini")


def seed(small: Small, number: int) -> None:
    small.edit(S, "    model: o4-mini", f"    seed: {number}\n    model: o4-mini")


N_EPOCHS = "method.reinforcement.hyperparameters.n_epochs"


def test_an_edit_of_an_ignored_field_keeps_the_job_and_is_said(small: Small) -> None:
    small.train()
    ignore(small, f"seed, {N_EPOCHS}, training_file")
    assert small.verbs() == {}
    seed(small, 9)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.write("specs/data/train.jsonl", rows(15))
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.NOOP, Reason.EDIT_IGNORED)
    assert [f.path for f in change.fields] == [N_EPOCHS, "seed", "training.rows"]
    assert [(f.before, f.after) for f in change.fields[:2]] == [(2, 3), (None, 9)]
    assert small.verbs() == {}, "no file is uploaded, and nothing is promoted"
    small.apply()
    assert len(small.jobs()) == 1


def test_the_first_launch_and_every_other_take_what_the_specs_say(small: Small) -> None:
    ignore(small, "seed")
    seed(small, 9)
    small.apply()
    assert [job.seed for job in small.jobs()] == [9]
    small.edit(S, "seed: 9", "seed: 10")
    assert small.verbs() == {"deployment.reviewer": "defer wait"}
    small.apply(replace=frozenset({JOB}))
    assert sorted(job.seed for job in small.jobs()) == [9, 10]
    assert small.lock().resources[JOB].inputs["seed"] == 10
    assert small.changes()["job.review"].reason is Reason.RUNNING


def test_an_edit_of_another_field_beside_it_launches_again(small: Small) -> None:
    small.train()
    ignore(small, "seed")
    seed(small, 9)
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.REPLACE, Reason.CONTENT_CHANGED)
    assert [f.path for f in change.fields] == [N_EPOCHS, "seed"]


def test_a_job_that_runs_goes_on_and_is_followed_and_promoted(small: Small) -> None:
    small.apply()
    ignore(small, "seed")
    seed(small, 9)
    change = small.changes()["job.review"]
    assert (change.reason, change.detail.endswith("is queued")) == (
        Reason.EDIT_IGNORED,
        True,
    ) or change.step is not None
    results = small.results(wait=True)
    assert {a: (r.verb, r.outcome) for a, r in results.items()} == {
        "job.review": ("train", "done"),
        "deployment.reviewer": ("promote", "done"),
    }
    assert small.lock().resources[JOB].inputs.get("seed") is None


def test_a_retry_takes_what_the_specs_say(small: Small) -> None:
    small.launch_until_step()
    for job in small.jobs():
        small.service(lambda port, id=job.id: port.cancel_job(id))
    small.edit(S, "    model: o4-mini", "    retry: {attempts: 2}\n    model: o4-mini")
    ignore(small, "seed")
    seed(small, 9)
    small.apply()
    assert sorted((job.seed == 9, str(job.status)) for job in small.jobs())[1][0]
    assert small.lock().resources[JOB].inputs["seed"] == 9


def cancel_by_hand(small: Small) -> None:
    """Every job that has not ended, by somebody else."""
    for job in small.jobs():
        if not job.status.ended:
            small.service(lambda port, id=job.id: port.cancel_job(id))


@pytest.mark.parametrize("edit", ["seed", "snapshot"])
def test_an_edit_that_is_let_stand_buys_no_further_retry(small: Small, edit: str) -> None:
    small.edit(S, "    model: o4-mini", "    retry: {attempts: 2}\n    model: o4-mini")
    ignore(small, "seed")
    if edit == "snapshot":
        small.edit(S, "model: o4-mini-2025-04-16", "model: o4-mini")
    small.apply()
    cancel_by_hand(small)
    if edit == "snapshot":
        small.edit(S, "model: o4-mini", "model: o4-mini-2025-04-16")
    else:
        seed(small, 9)
    assert small.changes()["job.review"].detail.endswith("launch 2 of 2")
    small.apply()
    cancel_by_hand(small)
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.HOLD, Reason.CANCELLED_ELSEWHERE)
    small.apply()
    assert len(small.jobs()) == 2


def test_a_retry_after_an_edit_is_found_again_where_its_journal_was_lost(small: Small) -> None:
    small.edit(S, "    model: o4-mini", "    retry: {attempts: 5}\n    model: o4-mini")
    ignore(small, "seed")
    for _ in range(2):
        small.apply()
        cancel_by_hand(small)
    before = (small.root / "rftplan.lock").read_bytes()
    seed(small, 9)
    small.apply()
    there = {job.id: job.status for job in small.jobs()}
    small.write("rftplan.lock", before)
    change = small.changes()["job.review"]
    assert (change.action, change.reason) == (Action.ADOPT, Reason.FOUND_AT_SERVICE)
    small.apply()
    assert {job.id for job in small.jobs()} == there.keys()
    assert small.verbs() == {"deployment.reviewer": "defer wait"}


def test_what_a_person_accepted_stays_accepted(small: Small) -> None:
    import asyncio

    from rftplan.accepting import accept

    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    asyncio.run(accept(small.options, JOB, "the figures are good", world=small.world))
    ignore(small, "seed")
    seed(small, 9)
    before = small.lock()
    assert small.changes()["job.review"].reason is Reason.EDIT_IGNORED
    small.apply()
    assert small.lock() == before


def resource(body: dict[str, Any], ignored: list[str]) -> Resource:
    spec = JobSpec.model_validate(
        {"model": "m", "training_file": {"id": "file-1"}, "lifecycle": {"ignore_changes": ignored}, **body}
    )
    inputs = identity(spec, {})
    return Resource(JOB, spec, Place("a.yaml"), (), fingerprint(inputs), inputs)


VALUES: dict[str, list[dict[str, Any]]] = {
    "seed": [{}, {"seed": 1}, {"seed": 2}],
    "suffix": [{}, {"suffix": "a"}],
    "validation_file": [{}, {"validation_file": {"id": "file-2"}}, {"validation_file": {"id": "file-3"}}],
    "integrations": [{}, {"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}],
    "extra_body": [{}, {"extra_body": {"a": None, "b": {"c": 1}}}, {"extra_body": {"b": {"c": 2}}}],
    "extra_body.b.c": [{}, {"extra_body": {"b": {"c": 1}}}, {"extra_body": {"b": {"c": 2}}}],
    "hyperparameters.n_epochs": [{}, {"hyperparameters": {"n_epochs": 3}}, {"hyperparameters": {"n_epochs": "auto"}}],
    "method.supervised.hyperparameters": [
        {"method": {"type": "supervised"}},
        {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": 2}}}},
    ],
    "method.reinforcement.grader.operation": [
        {"method": {"type": "reinforcement", "reinforcement": {"grader": {**GRADER, "operation": one}}}}
        for one in ("eq", "ne")
    ],
    "method": [
        {},
        {"method": {"type": "dpo"}},
        {"method": {"type": "reinforcement", "reinforcement": {"grader": GRADER}}},
    ],
}


@pytest.mark.parametrize("field", VALUES)
@given(data=st.data())
def test_one_field_alone_is_told_from_all_others(field: str, data: st.DataObject) -> None:
    before, after = (data.draw(st.sampled_from(VALUES[field])) for _ in range(2))
    launched, want = resource(before, []), resource(after, [field])
    entry = Entry(launched.fingerprint, launched.inputs, id="ftjob-1")
    differs = launched.fingerprint != want.fingerprint
    assert bool(ignored_edits(entry, want)) == differs
    assert ignored_edits(entry, resource(after, [])) == ()
    assert ignored_edits(entry, resource({**after, "model": "n"}, [field])) == ()
    if differs:
        assert ignored_edits(entry, resource(after, ["model"])) == ()
        assert ignored_edits(replace(entry, fingerprint="v1:" + "0" * 64), want) == ()


@pytest.mark.parametrize(
    ("field", "said", "hint"),
    [
        ("sead", '"sead" is not a field of a job', "did you mean seed?"),
        ("n_epochs", '"n_epochs" is not a field of a job', f"did you mean {N_EPOCHS}?"),
        ("training", '"training" is not a field of a job', "did you mean training_file?"),
        ("qqqqqq", '"qqqqqq" is not a field of a job', "such as model, training_file, validation_file, seed, suffix, "),
        ("metadata", '"metadata" is no part of what makes a job what it is', "take it out: nothing is launched again"),
        ("seed.x", '"seed.x" is not a field of a job', "did you mean seed?"),
    ],
)
def test_a_field_that_there_is_not_is_a_finding_with_its_place(small: Small, field: str, said: str, hint: str) -> None:
    ignore(small, field)
    (found,) = (one for one in small.check() if one.severity == "error")
    assert found.code == "S204"
    assert said in found.detail
    assert str(found.hint).startswith(hint)
    assert str(found.place).startswith("specs/main.yaml:13:")
