"""What a provider cannot do is a finding before anything is planned."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from rftplan.api.profiles import Capability, Profile, profile
from rftplan.checks import Preflight
from rftplan.checks.provider import RULES
from rftplan.config import read_config
from rftplan.source.root import Root
from tests.findings import edited, line_of, with_grader, with_job
from tests.world import SPEC, Small

LOCAL = profile("local")
WITHOUT_PYTHON = replace(LOCAL, grader_types=LOCAL.grader_types - {"python"})
PYTHON = "    type: python\n    source: 'def grade(sample, item): return float(len(item))'\n"


def preflight_of(small: Small, spec: str, profile: Profile = LOCAL) -> Preflight:
    small.write("specs/main.yaml", spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    return Preflight(config, profile, date(2026, 11, 22))


def found(small: Small, spec: str, profile: Profile = LOCAL) -> list[str]:
    preflight = preflight_of(small, spec, profile)
    return sorted(line_of(one) for rule in RULES for one in rule(preflight))


def test_what_the_provider_can_do_is_no_finding(small: Small) -> None:
    assert found(small, SPEC) == []


def test_a_method_that_is_not_trained_names_those_that_are(small: Small) -> None:
    narrow = replace(LOCAL, methods=frozenset({"dpo", "supervised"}))
    assert found(small, SPEC, narrow) == [
        "S214 specs/main.yaml:17:13 provider local does not train with method reinforcement"
        " | it trains with dpo, supervised"
    ]


def test_a_job_without_a_method_is_supervised(small: Small) -> None:
    spec = edited((SPEC[SPEC.index("    method:") : SPEC.index("deployments:")], ""))
    narrow = replace(LOCAL, methods=frozenset({"reinforcement"}))
    (line,) = found(small, spec, narrow)
    assert "does not train with method supervised" in line


def test_a_grader_that_is_not_run_is_found_at_its_type(small: Small) -> None:
    (line,) = found(small, with_grader(PYTHON), WITHOUT_PYTHON)
    assert line.startswith("S214 specs/main.yaml:7:11 provider local does not run python graders | it runs multi, ")
    assert found(small, with_grader(PYTHON)) == found(small, with_grader(PYTHON), profile("openai")) == []


def test_a_grader_inside_another_is_found_at_its_own_type(small: Small) -> None:
    inner = "{type: python, source: 'def grade(sample, item): return float(len(item))'}"
    multi = f"    type: multi\n    graders:\n      one: {inner}\n    calculate_output: one\n"
    (line,) = found(small, with_grader(multi), WITHOUT_PYTHON)
    assert line.startswith("S214 specs/main.yaml:9:19 provider local does not run python graders")


def test_a_grader_in_place_is_found_in_its_job(small: Small) -> None:
    inner = "{type: python, source: 'def grade(sample, item): return float(len(item))'}"
    spec = SPEC[: SPEC.index("graders:")] + SPEC[SPEC.index("jobs:") :].replace("grader: match", f"grader: {inner}")
    preflight = preflight_of(small, spec, WITHOUT_PYTHON)
    (finding,) = (one for rule in RULES for one in rule(preflight))
    assert (finding.address, finding.place and finding.place.line) == ("job.review", 13)


@pytest.mark.parametrize(
    ("capability", "spec", "says"),
    [
        (Capability.PAUSE, with_job("    run: paused\n"), "provider local cannot pause a job"),
        (
            Capability.PERMISSIONS,
            edited(("    checkpoint: best\n", "    checkpoint: best\n    projects: [proj_a]\n")),
            "provider local has no permissions for checkpoints",
        ),
        (
            Capability.SIMULATION,
            with_job("    simulate: {candidates: {id: file-1}}\n"),
            "provider local trains a model and simulates nothing",
        ),
        (
            Capability.MODEL_DELETION,
            SPEC + "removed: [{address: job.old, delete_model: true}]\n",
            "provider local deletes no models",
        ),
    ],
)
def test_a_missing_capability_is_a_finding_exactly_where_it_is_needed(
    small: Small, capability: Capability, spec: str, says: str
) -> None:
    lacking = replace(LOCAL, capabilities=LOCAL.capabilities - {capability})
    (line,) = found(small, spec, lacking)
    assert line.startswith("S214 specs/main.yaml:") and says in line
    assert found(small, spec) == []


@pytest.mark.parametrize(
    "capability", [Capability.PAUSE, Capability.PERMISSIONS, Capability.SIMULATION, Capability.MODEL_DELETION]
)
def test_a_capability_that_nothing_needs_may_be_missing(small: Small, capability: Capability) -> None:
    assert found(small, SPEC, replace(LOCAL, capabilities=LOCAL.capabilities - {capability})) == []
