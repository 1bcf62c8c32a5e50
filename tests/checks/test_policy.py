"""What the team allows itself, found without a service and loosened by no option."""

from __future__ import annotations

import pytest

from rftplan.address import Address
from rftplan.checks.policy import GATE_MISSING, MODEL_NOT_ALLOWED, PROVIDER_NOT_ALLOWED, TOO_MANY_LAUNCHES
from rftplan.errors import Diagnostic, SpecError
from tests.world import SPEC, Small


def with_policy(small: Small, said: str, spec: str = SPEC) -> list[Diagnostic]:
    small.write("specs/main.yaml", f"{spec}policy: {{{said}}}\n")
    return [found for found in small.check() if found.code.startswith("P")]


@pytest.mark.parametrize(
    "said",
    [
        "models: [o4-mini-2025-04-16]",
        "models: [gpt-4o, o4-mini-2025-04-16]",
        "providers: [openai, local]",
        "required_gates: [valid_reward_mean]",
        "max_launches: 1",
        "shutdown_days: 30",
    ],
)
def test_what_is_allowed_is_no_finding(small: Small, said: str) -> None:
    assert with_policy(small, said) == []


@pytest.mark.parametrize(
    ("said", "code", "line", "address", "detail"),
    [
        (
            "models: [gpt-4o]",
            MODEL_NOT_ALLOWED,
            "model: o4-mini-2025-04-16",
            "job.review",
            "o4-mini-2025-04-16 is not in policy.models: gpt-4o",
        ),
        (
            "providers: [openai]",
            PROVIDER_NOT_ALLOWED,
            "provider: local",
            None,
            "provider local is not in policy.providers: openai",
        ),
        (
            "required_gates: [valid_reward_mean, train_reward_mean]",
            GATE_MISSING,
            "- {metric: valid_reward_mean",
            "deployment.reviewer",
            "no gate looks at train_reward_mean, so a checkpoint would be promoted whatever it is there",
        ),
        (
            "max_launches: 0",
            TOO_MANY_LAUNCHES,
            "model: o4-mini-2025-04-16",
            "job.review",
            "policy.max_launches is 0, and 1 job is about to be launched: job.review",
        ),
    ],
)
def test_what_breaks_the_policy_is_an_error_at_its_place(
    small: Small, said: str, code: object, line: str, address: str | None, detail: str
) -> None:
    (found,) = with_policy(small, said)
    assert (found.code, found.address, found.detail) == (getattr(code, "code", None), address, detail)
    assert found.place is not None
    assert line in SPEC.splitlines()[found.place.line - 1]
    with pytest.raises(SpecError):
        small.apply()
    assert small.jobs() == []


def test_what_is_launched_already_does_not_count(small: Small) -> None:
    small.apply()
    assert with_policy(small, "max_launches: 0") == []


@pytest.mark.parametrize("by", ["--replace", "retry"])
def test_a_launch_that_only_a_plan_knows_counts_too(small: Small, by: str) -> None:
    small.apply()
    (job,) = small.jobs()
    small.service(lambda port: port.cancel_job(job.id))
    again = SPEC.replace("    training_file: train", "    retry: {attempts: 2}\n    training_file: train")
    assert with_policy(small, "max_launches: 0", SPEC if by == "--replace" else again) == []
    replace = frozenset({Address("job", "review")} if by == "--replace" else ())
    for command in (small.plan, small.apply):
        with pytest.raises(SpecError) as raised:
            command(replace=replace)
        (found,) = raised.value.diagnostics
        assert (found.code, found.address) == (TOO_MANY_LAUNCHES.code, "job.review")
    assert len(small.jobs()) == 1
    small.edit("specs/main.yaml", "max_launches: 0", "max_launches: 1")
    small.apply(replace=replace)
    assert len(small.jobs()) == 2


def test_a_job_that_is_kept_from_running_may_name_any_model(small: Small) -> None:
    paused = SPEC.replace("    training_file: train", "    run: paused\n    training_file: train")
    assert with_policy(small, "models: [gpt-4o], max_launches: 0", paused) == []
