"""Promoting, granting and revoking at the real local service."""

from __future__ import annotations

import pytest

from rftplan.address import Address
from rftplan.changes import Action, Basis, Hazard, Reason
from rftplan.kinds.deployment.spec import grants_of
from rftplan.lockfile import Entry
from tests.world import Small

AT = Address("deployment", "reviewer")


def with_projects(small: Small, *projects: str) -> None:
    spec = (small.root / "specs/main.yaml").read_text()
    kept = "".join(line for line in spec.splitlines(keepends=True) if "projects:" not in line)
    small.write("specs/main.yaml", kept + f"    projects: [{', '.join(projects)}]\n" if projects else kept)


def live(small: Small) -> Entry:
    return small.lock().resources[AT]


def granted(small: Small, model: str | None) -> set[str]:
    """Who may use the model, as the service says."""
    found = small.service(lambda port: port.list_permissions(str(model)))
    return {permission.project_id for permission in found}


def test_who_may_use_a_model_may_do_so_once_it_is_live(small: Small) -> None:
    with_projects(small, "proj_a", "proj_b")
    small.train()
    assert granted(small, live(small).id) == {"proj_a", "proj_b"}
    assert small.verbs() == {}


def test_projects_come_and_go_and_the_model_stays(small: Small) -> None:
    with_projects(small, "proj_a", "proj_b")
    small.train()
    model = live(small).id
    with_projects(small, "proj_b", "proj_c")
    small.apply()
    assert granted(small, model) == {"proj_b", "proj_c"}
    assert live(small).id == model and len(live(small).history) == 1
    assert small.verbs() == {}


def test_what_somebody_else_granted_is_neither_taken_nor_revoked(small: Small) -> None:
    with_projects(small, "proj_a")
    small.train()
    model = live(small).id
    small.service(lambda port: port.grant_permission(str(model), "proj_theirs"))
    with_projects(small)
    small.apply()
    assert granted(small, model) == {"proj_theirs"}


@pytest.mark.parametrize("revoked_by_hand", [False, True])
def test_removed_from_the_specs_only_our_grants_go_and_the_model_stays(small: Small, revoked_by_hand: bool) -> None:
    with_projects(small, "proj_a")
    small.train()
    model = str(live(small).id)
    if revoked_by_hand:
        (permission,) = small.service(lambda port: port.list_permissions(model))
        small.service(lambda port: port.revoke_permission(model, permission.id))
    spec = (small.root / "specs/main.yaml").read_text()
    small.write("specs/main.yaml", spec[: spec.index("deployments:")])
    small.apply()
    assert AT not in small.lock().resources
    assert granted(small, model) == set()


def test_a_second_promotion_is_a_second_revision_with_its_evidence(small: Small) -> None:
    small.let_selection_replace()
    small.train()
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.train()
    first, second = live(small).history
    assert (first["revision"], second["revision"]) == (1, 2)
    assert second["model"] == live(small).id != first["model"]
    assert second["job_fingerprint"] != first["job_fingerprint"]
    for revision in (first, second):
        (evidence,) = revision["evidence"]  # type: ignore[misc]
        assert evidence["passed"] and "SIMULATED" in evidence["caveats"]
        assert "at_most" not in evidence


@pytest.mark.parametrize("wait", [False, True])
def test_who_may_use_what_is_live_is_settled_before_another_training_ends(small: Small, wait: bool) -> None:
    """A project that was taken out must not keep the model for the hours of a training."""
    small.let_selection_replace()
    with_projects(small, "proj_a")
    small.train()
    model = live(small).id
    with_projects(small, "proj_b")
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    change = small.changes()[str(AT)]
    assert (change.action, change.verb, change.then) == (Action.UPDATE, "permit", ("promote",))
    assert "grant proj_b, revoke proj_a" in change.detail and "is launched first" in change.detail
    assert {h.hazard for _, h in small.plan().hazards()} == {Hazard.DELETE, Hazard.REPLACE_LIVE}
    small.apply(wait=wait)
    assert granted(small, model) == {"proj_b"}
    assert (live(small).id != model) is wait
    small.train()
    assert live(small).id != model and granted(small, live(small).id) == {"proj_b"}
    assert small.verbs() == {}


def test_a_job_that_a_person_has_to_decide_about_keeps_nobody_from_losing_access(small: Small) -> None:
    with_projects(small, "proj_a")
    small.train()
    model = live(small).id
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.launch_until_step()
    job = next(job for job in small.jobs() if not job.status.ended)
    small.service(lambda port: port.cancel_job(job.id))
    with_projects(small)
    assert small.verbs() == {"job.review": "hold hold", str(AT): "update permit"}
    small.apply()
    assert granted(small, model) == set() and live(small).id == model


def test_a_gate_that_fails_keeps_nobody_from_losing_access(small: Small) -> None:
    with_projects(small, "proj_a")
    small.train()
    model = live(small).id
    with_projects(small)
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 1.1")
    change = small.changes()[str(AT)]
    assert (change.verb, [e.passed for e in change.evidence]) == ("permit", [False])
    small.apply()
    assert granted(small, model) == set() and live(small).id == model
    assert small.verbs() == {str(AT): "hold hold"}


def beside(small: Small, *projects: str) -> None:
    """A second deployment of the same checkpoint, for these projects."""
    spec = (small.root / "specs/main.yaml").read_text()
    first = spec[spec.index("  reviewer:") :]
    kept = "".join(line for line in first.splitlines(keepends=True) if "projects:" not in line)
    second = kept.replace("reviewer:", "second:") + f"    projects: [{', '.join(projects)}]\n"
    small.write("specs/main.yaml", spec + second)


def without_first(small: Small) -> None:
    spec = (small.root / "specs/main.yaml").read_text()
    small.write("specs/main.yaml", spec[: spec.index("  reviewer:")] + spec[spec.index("  second:") :])


SECOND = Address("deployment", "second")


def test_who_may_use_a_model_through_two_deployments_keeps_it_until_the_last_one_goes(small: Small) -> None:
    with_projects(small, "proj_a", "proj_b")
    small.train()
    beside(small, "proj_a")
    small.apply()
    model = live(small).id
    without_first(small)
    change = small.changes()["deployment.reviewer"]
    assert change.detail.endswith("revokes 1 permissions that were granted from here; proj_a keeps it through "
                                  "deployment.second")  # fmt: skip
    small.apply()
    assert granted(small, model) == {"proj_a"}
    assert small.verbs() == {}
    assert list(grants_of(small.lock().resources[SECOND])[str(model)]) == ["proj_a"]
    small.edit("specs/main.yaml", "    projects: [proj_a]\n", "")
    small.apply()
    assert granted(small, model) == set(), "it was handed on, so that it can still be revoked from here"


def test_a_deployment_under_another_name_takes_nothing_from_its_projects(small: Small) -> None:
    with_projects(small, "proj_a")
    small.train()
    model = live(small).id
    small.edit("specs/main.yaml", "  reviewer:", "  second:")
    assert small.verbs() == {"deployment.second": "create promote", "deployment.reviewer": "forget forget"}
    small.apply()
    assert granted(small, model) == {"proj_a"}
    assert small.verbs() == {}
    small.apply(destroy=True)
    assert granted(small, model) == set()


def test_a_project_taken_out_of_one_deployment_keeps_what_another_gives_it(small: Small) -> None:
    with_projects(small, "proj_a", "proj_b")
    small.train()
    beside(small, "proj_a")
    small.apply()
    model = live(small).id
    small.edit("specs/main.yaml", "    projects: [proj_a, proj_b]\n", "")
    change = small.changes()["deployment.reviewer"]
    assert (change.detail, len(change.hazards)) == ("revoke proj_b", 1)
    small.apply()
    assert granted(small, model) == {"proj_a"}
    assert small.verbs() == {}
    small.edit("specs/main.yaml", "    projects: [proj_a]\n", "")
    assert small.verbs() == {"deployment.reviewer": "update permit"}
    small.apply()
    assert granted(small, model) == set()


@pytest.mark.parametrize("protected", [False, True])
def test_destroying_one_of_two_deployments_keeps_what_the_other_gives(small: Small, protected: bool) -> None:
    with_projects(small, "proj_a", "proj_b")
    small.train()
    beside(small, "proj_a")
    if protected:
        small.edit("specs/main.yaml", "  second:\n", "  second:\n    lifecycle: {prevent_destroy: true}\n")
    small.apply()
    model = live(small).id
    small.apply(destroy=True, target=frozenset({AT} if not protected else {AT, SECOND}))
    assert granted(small, model) == {"proj_a"}
    small.apply(destroy=True)
    assert granted(small, model) == ({"proj_a"} if protected else set())


def test_a_retrain_that_only_what_chose_it_speaks_for_does_not_replace_what_is_live(small: Small) -> None:
    small.train()
    model = live(small).id
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    held = small.results(wait=True)[str(AT)]
    assert (held.outcome, held.evidence[0].passed, held.evidence[0].basis) == ("held", True, Basis.SELECTION)
    assert "no gate that it passed looks at rows which were used neither to train nor to choose it" in held.detail
    change = small.changes()[str(AT)]
    assert (change.action, change.reason, live(small).id) == (Action.HOLD, Reason.SELECTION_ONLY, model)
    assert f"{model} stays live" in change.detail
    small.let_selection_replace()
    assert small.verbs() == {str(AT): "update promote"}


def test_the_last_checkpoint_is_chosen_by_nothing_so_validation_speaks_for_it(small: Small) -> None:
    small.edit("specs/main.yaml", "checkpoint: best", "checkpoint: final")
    small.train()
    model = live(small).id
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.train()
    assert live(small).id != model
    (evidence,) = live(small).history[-1]["evidence"]  # type: ignore[misc]
    assert evidence["basis"] == "independent"


@pytest.mark.parametrize("gate", ["{gap: reward, at_most: 1}", "{grader_errors: share, at_most: 0}"])
def test_other_figures_of_the_job_are_seen_too(small: Small, gate: str) -> None:
    small.edit("specs/main.yaml", "{metric: valid_reward_mean, at_least: 0.1}", gate)
    small.train()
    (evidence,) = live(small).history[-1]["evidence"]  # type: ignore[misc]
    assert evidence["passed"] and evidence["value"] is not None
