"""What a job says to the service, and what comes of it: each rule fires where it should and nowhere else."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from rftplan.api.profiles import Capability, Profile, profile
from rftplan.checks.jobs import RULES
from rftplan.checks.preflight import Preflight
from rftplan.config import read_config
from rftplan.source.root import Root
from tests.findings import edited, line_of, with_job
from tests.world import SPEC, Small

LOCAL = profile("local")
OPENAI = profile("openai")
AT = "specs/main.yaml"


def found(small: Small, spec: str, of: Profile = LOCAL) -> list[str]:
    small.write(AT, spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    preflight = Preflight(config, of, date(2026, 11, 22))
    return [line_of(one) for rule in RULES for one in rule(preflight)]


def supervised(fields: str = "") -> str:
    method = SPEC[SPEC.index("    method:") : SPEC.index("deployments:")]
    return edited((method, fields or "    seed: 1\n"))


@pytest.mark.parametrize("of", [LOCAL, OPENAI], ids=lambda of: of.type)
def test_a_good_job_is_no_finding(small: Small, of: Profile) -> None:
    assert found(small, SPEC, of) == []


def test_reinforcement_needs_a_validation_file_and_the_other_methods_do_not(small: Small) -> None:
    (line,) = found(small, edited(("    validation_file: test\n", "")))
    assert line.startswith(f"J101 {AT}:16:13 the service refuses the job, ")
    assert found(small, supervised().replace("    validation_file: test\n", "")) == []
    assert found(small, edited(("validation_file: test", "validation_file: {id: file-abc}"))) == []


@pytest.mark.parametrize(("file", "role"), [("train", "training_file"), ("test", "validation_file")])
def test_a_job_cannot_start_from_a_file_that_stays_here(small: Small, file: str, role: str) -> None:
    (line,) = found(small, edited((f"data/{file}.jsonl", f"data/{file}.jsonl, upload: never")))
    number, column = (14, 20) if file == "train" else (15, 22)
    assert line.startswith(f"J109 {AT}:{number}:{column} file.{file} has upload: never, and what a job ")
    assert line.endswith(f" | name another file, or take upload: never out of file.{file}")
    unused = edited(
        (f"data/{file}.jsonl}}\n", f"data/{file}.jsonl}}\n  final: {{path: data/final.jsonl, upload: never}}\n")
    )
    assert found(small, unused) == []


@pytest.mark.parametrize(("value", "out"), [(0, True), (2, False), (10, False), (11, True), ("auto", False)])
def test_a_value_outside_of_the_providers_range_is_an_error_and_auto_is_none(
    small: Small, value: int | str, out: bool
) -> None:
    narrow = replace(LOCAL, ranges={"reinforcement.eval_samples": (2, 10), "dpo.n_epochs": (1, 1)})
    spec = edited(("{n_epochs: 2}", f"{{n_epochs: 2, eval_samples: {value or 1}}}"))
    lines = found(small, spec, narrow)
    assert bool(lines) is out
    for line in lines:
        assert line.startswith(f"J102 {AT}:20:") and line.endswith("; provider local takes 2 to 10")
    assert found(small, spec) == []


def test_hyperparameters_beside_a_method_are_ignored_and_without_one_they_count(small: Small) -> None:
    (line,) = found(small, with_job("    hyperparameters: {n_epochs: 3}\n"))
    assert line.startswith(f"J103 {AT}:16:") and line.endswith("| move them to method.reinforcement.hyperparameters")
    assert found(small, supervised("    hyperparameters: {n_epochs: 3}\n")) == []


@pytest.mark.parametrize("model", ["gpt-4o-2024-08-06", "o3-mini", "ft:gpt-4o-2024-08-06:acme::abc"])
def test_a_model_that_the_provider_does_not_name_for_the_method_is_a_warning(small: Small, model: str) -> None:
    spec = edited(("model: o4-mini-2025-04-16", f"model: {model}"))
    (line,) = found(small, spec, OPENAI)
    assert line.startswith(
        f"J104 {AT}:13:12 provider openai names o4-mini-2025-04-16 for reinforcement, and not {model}"
    )
    assert found(small, spec) == [], "the local service trains what it is given"


@pytest.mark.parametrize("model", ["o4-mini", "ft:o4-mini-2025-04-16:acme:x:abc"])
def test_an_alias_and_a_fine_tuned_model_are_known_by_their_base(small: Small, model: str) -> None:
    assert found(small, edited(("model: o4-mini-2025-04-16", f"model: {model}")), OPENAI) == []


def test_where_no_models_are_named_every_model_may_be_trained(small: Small) -> None:
    assert found(small, supervised().replace("o4-mini-2025-04-16", "gpt-9"), OPENAI) == []


def test_one_suffix_on_one_base_model_is_told_once(small: Small) -> None:
    job = "  other: {model: MODEL, training_file: train, suffix: mine}\n"
    both = with_job("    suffix: mine\n").replace("deployments:\n", job + "deployments:\n")
    (line,) = found(small, both.replace("MODEL", "o4-mini-2025-04-16"))
    assert line.startswith(f"J105 {AT}:22:") and "job.review has it too" in line
    assert found(small, both.replace("MODEL", "gpt-4o-2024-08-06")) == []


def test_an_empty_setting_of_an_integration_is_found_at_its_place(small: Small) -> None:
    wandb = "    integrations:\n      - {type: wandb, wandb: {project: p, entity: '', tags: [a, '']}}\n"
    lines = found(small, with_job(wandb))
    assert [line.partition(" is empty")[0] for line in lines] == [
        f"J106 {AT}:17:51 wandb.entity",
        f"J106 {AT}:17:61 wandb.tags",
    ]
    assert found(small, with_job("    integrations: [{type: wandb, wandb: {project: p, tags: [a]}}]\n")) == []


@pytest.mark.parametrize(
    ("field", "code", "hint"),
    [
        ("test_file", "J107", "write validation_file"),
        ("etest_samples", "J107", "write method.reinforcement.hyperparameters.eval_samples"),
        ("response_format", "J108", "write it under method.reinforcement"),
        ("reasoning_effort", "J108", "write it under hyperparameters of the method"),
        ("beta", "J108", "write it under hyperparameters of the method"),
        ("run", "J108", "write it beside extra_body: it is never sent"),
        ("trainingType", "J108", "take it out: it is a field of Azure's"),
    ],
)
def test_a_further_field_that_is_known_elsewhere_says_where(small: Small, field: str, code: str, hint: str) -> None:
    (line,) = found(small, with_job(f"    extra_body: {{{field}: x}}\n"))
    assert line.startswith(f"{code} {AT}:16:") and line.endswith(f"| {hint}")


def test_a_field_that_nobody_here_knows_is_sent_as_it_is(small: Small) -> None:
    assert found(small, with_job("    extra_body: {brand_new: {n_epochs: 3}}\n")) == []


def test_a_seed_of_the_specs_is_told_only_where_launches_are_known_by_it(small: Small) -> None:
    seeded, bare = with_job("    seed: 1\n"), replace(LOCAL, capabilities=LOCAL.capabilities - {Capability.METADATA})
    (line,) = found(small, seeded, bare)
    assert line.startswith(f"J117 {AT}:16:11 this service is not known to keep metadata")
    assert found(small, SPEC, bare) == found(small, seeded) == []
