"""A part of a plan: what comes along, what is left out, and that an apply of it touches nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.changes import Action, Change, Reason
from rftplan.errors import Place, UsageError, UserError
from rftplan.graph import Graph
from rftplan.kinds.base import Ref, Resource
from rftplan.kinds.steps import MoveStep
from rftplan.lockfile import Entry
from rftplan.selecting import Selection, leave_move_out, leave_out, left_out, meant
from tests.world import Small

S = "specs/main.yaml"
SECOND = """\
  second:
    model: o4-mini-2025-04-16
    training_file: train
    validation_file: test
    method: {type: reinforcement, reinforcement: {grader: match, hyperparameters: {n_epochs: 3}}}
deployments:
  seconder: {job: second}
"""
NODES = [Address("job", name) for name in "abcdef"]


def only(*addresses: str) -> frozenset[Address]:
    return frozenset(map(Address.parse, addresses))


def graph_of(needs: Mapping[Address, Sequence[Address]]) -> Graph:
    found = {
        at: Resource(at, None, Place("a.yaml"), tuple(Ref((), other) for other in others), "v1:x", {})
        for at, others in needs.items()
    }
    return Graph(found, tuple(found))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Each refers to some of those before it."""
    needs = {at: draw(st.lists(st.sampled_from(NODES[:n]), unique=True)) if n else [] for n, at in enumerate(NODES)}
    return graph_of(needs)


NAMED = st.frozensets(st.sampled_from(NODES), max_size=2)


@given(graphs(), NAMED, NAMED, st.booleans())
def test_what_is_left_is_closed_and_no_less_than_was_asked_for(graph, target, exclude, destroy) -> None:
    without = left_out(Selection(destroy=destroy, target=target, exclude=exclude), graph, NODES)
    kept = set(NODES) - set(without)
    assert not kept & exclude
    for at in NODES:
        needed = {ref.address for ref in graph.resources[at].refs}
        if destroy:  # what stays may not lose what it refers to
            assert at in kept or not needed & kept
        else:
            assert at not in kept or needed <= kept
    if not exclude:
        assert target <= kept
    if not target and not exclude:
        assert not without


@given(graphs(), NAMED)
def test_a_target_and_the_exclusion_of_all_others_are_no_more_than_the_target(graph, target) -> None:
    part = left_out(Selection(target=target), graph, NODES)
    both = left_out(Selection(target=target, exclude=frozenset(part)), graph, NODES)
    assert not target or set(both) == set(part)


def test_a_job_with_variants_is_all_of_them_and_a_variant_is_itself() -> None:
    low, high = Address("job", "a", "low"), Address("job", "a", "high")
    known = [low, high, Address("job", "ab"), Address("deployment", "a")]
    assert meant(Address("job", "a"), known) == {low, high}
    assert meant(low, known) == {low}
    assert meant(Address("job", "b"), known) == frozenset()
    live = Address("deployment", "a")
    graph = graph_of({low: [], high: [], live: [low, high]})
    assert left_out(Selection(target=frozenset({live})), graph, [low, high, live]) == {}
    without = left_out(Selection(exclude=frozenset({Address("job", "a")})), graph, [low, high, live])
    assert without == {low: "--exclude names it", high: "--exclude names it", live: "--exclude names job.a.high"}


def test_why_something_is_left_out_says_the_name_that_did_it() -> None:
    file, job, live = Address("file", "train"), Address("job", "a"), Address("deployment", "a")
    graph = graph_of({file: [], job: [file], live: [job]})
    assert left_out(Selection(exclude=frozenset({file})), graph, [file, job, live]) == {
        file: "--exclude names it",
        job: "--exclude names file.train",
        live: "--exclude names file.train",
    }
    assert left_out(Selection(destroy=True, exclude=frozenset({live})), graph, [file, job, live]) == {
        file: "deployment.a, which --exclude names, depends on it",
        job: "deployment.a, which --exclude names, depends on it",
        live: "--exclude names it",
    }
    assert left_out(Selection(target=frozenset({file})), graph, [file, job]) == {job: "--target names others"}


def test_what_is_left_out_says_what_would_be_done_and_has_no_step() -> None:
    at = Address("job", "a")
    launch = Change(at, Action.CREATE, "launch", Reason.NOT_THERE, needs=(at,), then=("promote",), step=object())
    found = leave_out(launch, "--target names others")
    assert found == Change(at, Action.DEFER, "leave-out", Reason.LEFT_OUT, "--target names others; otherwise: launch")
    kept = Change(at, Action.NOOP, "keep", Reason.RUNNING, "it runs")
    assert leave_out(replace(kept, step=object(), closes=3), "why") == kept


def test_a_move_is_left_out_with_where_it_leads() -> None:
    old, new = Address("job", "old"), Address("job", "new")
    move = Change(old, Action.UPDATE, "move", Reason.MOVED, step=MoveStep(new, Entry("v1:x", {})))
    assert leave_move_out(move, {}) == move
    assert leave_move_out(move, {new: "why"}).reason is Reason.LEFT_OUT


@pytest.fixture
def two(small: Small) -> Small:
    """Two jobs from the same files, and a deployment of each."""
    small.edit(S, "deployments:\n", SECOND)
    return small


def launched(small: Small) -> set[str]:
    return {job.metadata["rftplan_address"].rpartition("/")[2] for job in small.jobs()}


def test_an_apply_of_a_target_launches_it_with_its_files_and_nothing_else(two: Small) -> None:
    changes = two.changes(target=only("job.second"))
    assert {a: c.verb for a, c in changes.items() if c.action.acts} == {
        "file.test": "upload",
        "file.train": "upload",
        "grader.match": "validate",
        "job.second": "launch",
    }
    left = {a for a, c in changes.items() if c.reason is Reason.LEFT_OUT}
    assert left == {"job.review", "deployment.reviewer", "deployment.seconder"}
    two.apply(target=only("job.second"))
    assert launched(two) == {"job.second"}
    assert {str(a) for a in two.lock().resources} == {"file.test", "file.train", "grader.match", "job.second"}
    assert two.verbs(target=only("job.second"))["job.review"] == "defer leave-out"
    two.apply()
    assert launched(two) == {"job.second", "job.review"}


def test_waiting_follows_and_promotes_the_part_alone(two: Small) -> None:
    two.apply()
    results = two.results(wait=True, target=only("deployment.seconder"))
    assert {a: r.verb for a, r in results.items()} == {"job.second": "train", "deployment.seconder": "promote"}
    assert two.lock().resources[Address("deployment", "seconder")].id is not None
    assert Address("deployment", "reviewer") not in two.lock().resources
    kept = two.lock().resources[Address("job", "review")]
    assert "status" not in kept.resolved or kept.resolved["status"] != "succeeded", "nothing is recorded of the rest"


def test_a_target_without_its_deployment_is_trained_and_not_promoted(two: Small) -> None:
    two.apply(wait=True, target=only("job.review"))
    assert two.status()["job.review"].state == "succeeded"
    assert Address("deployment", "reviewer") not in two.lock().resources


def test_what_is_excluded_takes_along_what_depends_on_it(two: Small) -> None:
    verbs = two.verbs(exclude=only("job.review"))
    assert verbs["job.review"] == verbs["deployment.reviewer"] == "defer leave-out"
    assert verbs["job.second"] == "create launch"
    verbs = two.verbs(exclude=only("file.test"))
    assert {a for a, v in verbs.items() if v != "defer leave-out"} == {"grader.match"}


def test_a_held_job_outside_the_part_stops_nothing_and_inside_it_does(two: Small) -> None:
    two.launch_until_step()
    for job in two.jobs():
        two.service(lambda port, id=job.id: port.cancel_job(id))
    two.edit(S, "n_epochs: 3", "n_epochs: 4")
    assert two.verbs()["job.review"] == "hold hold"
    assert not two.plan(target=only("job.second")).held
    assert two.verbs(target=only("deployment.reviewer"))["job.review"] == "hold hold"
    assert two.verbs(target=only("deployment.reviewer"))["deployment.reviewer"] == "defer wait"


def test_hazards_are_those_of_the_part(two: Small) -> None:
    two.launch_until_step()
    two.edit(S, "n_epochs: 2", "n_epochs: 4")
    two.edit(S, "n_epochs: 3", "n_epochs: 5")
    assert {str(a) for a, _ in two.plan().hazards()} == {"job.review", "job.second"}
    assert {str(a) for a, _ in two.plan(target=only("job.second")).hazards()} == {"job.second"}


def test_what_left_the_specs_is_a_target_by_its_name_in_the_lock(two: Small) -> None:
    two.apply()
    text = (two.root / S).read_text()
    two.write(S, text[: text.index("jobs:")])
    gone = two.verbs(target=only("job.second"))
    assert gone.pop("job.second") == "delete cancel"
    assert set(gone.values()) == {"defer leave-out"}
    two.apply(target=only("job.second"))
    assert Address("job", "second") not in two.lock().resources
    assert Address("job", "review") in two.lock().resources


def test_a_file_that_left_the_specs_stays_while_a_job_outside_the_part_goes_on_from_it(two: Small) -> None:
    two.edit(S, "data/train.jsonl}", "data/train.jsonl, lifecycle: {retain: false}}")
    two.apply()
    text = (two.root / S).read_text()
    two.write(S, text[: text.index("files:")])
    assert two.verbs()["file.train"] == "delete delete"
    assert two.changes(target=only("file.train"))["file.train"].reason is Reason.STILL_USED


@pytest.mark.parametrize("name", ["job.review", "job.renamed"])
def test_a_move_comes_along_with_either_of_its_names_and_not_without(two: Small, name: str) -> None:
    two.apply()
    two.edit(S, "jobs:\n  review:", "jobs:\n  renamed:")
    two.edit(S, "    job: review", "    job: renamed")
    two.edit(S, "graders:\n", "moved:\n  - {from: job.review, to: job.renamed}\ngraders:\n")
    assert two.verbs(exclude=only(name))["job.review"] == "defer leave-out"
    two.apply(target=only("job.second"))
    assert Address("job", "review") in two.lock().resources
    two.apply(target=only(name))
    assert Address("job", "review") not in two.lock().resources
    assert len(two.jobs()) == 2


def test_destroy_of_a_part_takes_what_depends_on_it_and_leaves_what_it_depends_on(two: Small) -> None:
    two.train()
    verbs = two.verbs(destroy=True, target=only("job.review"))
    assert (verbs["deployment.reviewer"], verbs["job.review"]) == ("forget forget", "forget forget")
    assert verbs["file.train"] == verbs["job.second"] == "defer leave-out"
    verbs = two.verbs(destroy=True, exclude=only("deployment.reviewer"))
    assert verbs["job.second"] == verbs["deployment.seconder"] == "forget forget"
    assert verbs["job.review"] == verbs["file.train"] == "defer leave-out"
    two.apply(destroy=True, target=only("job.review"))
    assert {str(a) for a in two.lock().resources if a.kind in ("job", "deployment")} == {
        "job.second",
        "deployment.seconder",
    }


def test_a_part_has_findings_about_everything(two: Small) -> None:
    assert two.plan(target=only("grader.match")).diagnostics == two.plan().diagnostics


def test_an_offline_plan_may_be_of_a_part(two: Small) -> None:
    from rftplan import project

    planned = project.plan_offline(two.options, selection=Selection(target=only("job.second")), world=two.world)
    assert [str(a) for a in planned.plan.left_out] == ["job.review", "deployment.reviewer", "deployment.seconder"]


@pytest.mark.parametrize(
    ("selection", "said", "hint"),
    [
        ({"target": only("job.secnod")}, "neither the specs nor the lock know job.secnod", "did you mean job.second?"),
        ({"exclude": only("jobs.second")}, "know jobs.second", "did you mean job.second?"),
        ({"exclude": only("file.qqqqqqq")}, "know file.qqqqqqq", "rftplan plan has every address"),
    ],
)
def test_what_there_is_not_is_an_error_with_what_is_near(two: Small, selection, said, hint) -> None:
    with pytest.raises(UserError) as caught:
        two.plan(**selection)
    assert said in caught.value.message
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("selection", "said", "hint"),
    [
        (
            {"replace": only("job.review"), "target": only("job.second")},
            "--replace asks for job.review, and the same command leaves it out: --target names others",
            "add --target job.review",
        ),
        (
            {"replace": only("job.review"), "exclude": only("file.train")},
            "--replace asks for job.review, and the same command leaves it out: --exclude names file.train",
            "take one of the two out",
        ),
        (
            {"target": only("deployment.seconder"), "exclude": only("job.second")},
            "--target asks for deployment.seconder, and the same command leaves it out: --exclude names job.second",
            "take one of the two out",
        ),
        (
            {"exclude": only("file.train", "file.test", "grader.match")},
            "--exclude leaves nothing",
            "take some of it out",
        ),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(two: Small, selection, said, hint) -> None:
    with pytest.raises(UsageError) as caught:
        two.plan(**selection)
    assert (caught.value.message, caught.value.hint) == (said, hint)


def test_a_replacement_inside_the_part_is_one(two: Small) -> None:
    two.train()
    verbs = two.verbs(replace=only("job.review"), target=only("deployment.reviewer"))
    assert verbs["job.review"] == "replace relaunch"
