"""What closes: models and the platform, by the day, and only for what is still to be launched."""

from __future__ import annotations

from datetime import date

import pytest

from rftplan.address import Address
from rftplan.api.profiles import PROFILES, Profile, profile
from rftplan.api.profiles.life import LifeTable
from rftplan.checks.models import PROMOTED_CLOSING, PROMOTED_GONE, RULES, base_model, promoted_model
from rftplan.checks.preflight import Preflight, Told
from rftplan.config import read_config
from rftplan.loading import Options, load
from rftplan.source.root import Root
from tests.findings import edited, line_of, with_grader, with_job
from tests.world import SPEC, Small

AT = "specs/main.yaml"
OPENAI = profile("openai")
TODAY = date(2026, 11, 22)
REVIEW = Address("job", "review")
MADE = "ft:gpt-4o-2024-08-06:acme::abc"
BASED = "ft:o4-mini-2025-04-16:acme::abc"
LATER = SPEC.replace("o4-mini-2025-04-16", "gpt-4o-2024-08-06")


def life() -> LifeTable:
    assert OPENAI.life is not None
    return OPENAI.life


def found(
    small: Small,
    spec: str = SPEC,
    *,
    today: date = TODAY,
    of: Profile = OPENAI,
    launched: frozenset[Address] = frozenset(),
) -> list[str]:
    small.write(AT, spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    preflight = Preflight(config, of, today, launched=launched)
    return [line_of(one) for rule in RULES for one in rule(preflight)]


def codes(
    small: Small, spec: str = SPEC, *, today: date = TODAY, launched: frozenset[Address] = frozenset()
) -> list[str]:
    return [line[:4] for line in found(small, spec, today=today, launched=launched)]


def test_a_base_model_that_is_gone_says_since_when_and_where_reinforcement_goes_on(small: Small) -> None:
    (gone,) = found(small)
    assert gone == (
        f"M101 {AT}:13:12 o4-mini-2025-04-16 was shut down on 2026-10-23 (OpenAI's deprecations page, as of November "
        "2026), so the service refuses the job | reinforcement fine-tuning goes on at Azure AI Foundry and Amazon "
        "Bedrock, which rftplan cannot talk to yet; provider: local rehearses the run"
    )


def test_what_concerns_every_new_job_is_told_while_one_can_be_launched(small: Small) -> None:
    (few,) = found(small, today=date(2026, 9, 22))
    assert few.startswith(f"M107 {AT}:1:33 since 2026-07-02 (OpenAI's API reference, as of 2026-11-10) provider openai")


def test_a_model_that_is_shut_down_is_no_cure_for_one_that_is_not_trained(small: Small) -> None:
    spec = SPEC.replace("o4-mini-2025-04-16", "gpt-9").replace("provider: local", "provider: openai")
    small.write("specs/main.yaml", spec)
    for today, said, cure in (
        (date(2026, 6, 1), "and not gpt-9", "otherwise name o4-mini-2025-04-16"),
        (TODAY, "and not gpt-9; none of those is left", "goes on at Azure AI Foundry"),
    ):
        findings = load(Options(small.root), today=lambda today=today: today).diagnostics  # type: ignore[misc]
        (one,) = [one for one in findings if one.code == "J104"]
        assert one.detail.endswith(said) and cure in str(one.hint)


@pytest.mark.parametrize("model", ["o4-mini", "ft:o4-mini-2025-04-16:acme::abc"])
def test_an_alias_and_a_fine_tuned_model_end_with_their_base(small: Small, model: str) -> None:
    assert codes(small, SPEC.replace("o4-mini-2025-04-16", model)) == ["M101"]


def test_the_whole_command_says_so_on_the_day_it_is_given(small: Small) -> None:
    findings = load(Options(small.root, provider="openai"), today=lambda: TODAY).diagnostics
    assert "M101" in {one.code for one in findings}
    before = load(Options(small.root, provider="openai"), today=lambda: date(2026, 6, 1)).diagnostics
    assert not {"M101", "M103", "M107"} & {one.code for one in before}


def test_the_protocol_at_another_host_has_other_models(small: Small) -> None:
    small.edit(AT, "provider: local", "provider: {type: openai, base_url: 'https://models.example.com/v1'}")
    assert load(Options(small.root), today=lambda: date(2027, 2, 1)).diagnostics == ()


def test_the_local_service_has_no_such_table(small: Small) -> None:
    assert PROFILES["local"].life is None
    assert found(small, of=PROFILES["local"], today=date(2030, 1, 1)) == []


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 7, 1), []),
        (date(2026, 9, 22), ["M107"]),
        (date(2026, 9, 23), ["M103", "M107"]),
        (date(2026, 10, 22), ["M103", "M107"]),
        (date(2026, 10, 23), ["M101"]),
        (date(2026, 12, 7), ["M101", "M106"]),
        (date(2027, 1, 6), ["M101", "M105"]),
    ],
)
def test_each_day_has_its_findings(small: Small, today: date, expected: list[str]) -> None:
    assert codes(small, today=today) == expected


def test_how_many_days_before_is_a_matter_of_policy(small: Small) -> None:
    def told(days: int) -> list[str]:
        return codes(small, LATER + f"policy: {{shutdown_days: {days}}}\n")

    assert (told(0), told(44), told(45), told(53)) == (
        ["M107"],
        ["M107"],
        ["M106", "M107"],
        ["M103", "M106", "M107"],
    )
    soon, *_ = found(small, LATER + "policy: {shutdown_days: 60}\n")
    assert "gpt-4o-2024-08-06 shuts down on 2027-01-14" in soon
    assert "in 53 days, within policy.shutdown_days: 60, and" in soon


EVERYTHING_SOON = (
    LATER.replace(
        "  match:\n",
        "  match:\n    type: multi\n    calculate_output: judge\n    graders:\n"
        "      judge: {type: score_model, model: gpt-4o-2024-08-06, input: [{role: user, content: x}]}\n  unused:\n",
    )
    + "policy: {shutdown_days: 365}\n"
)


@pytest.mark.parametrize("said", ["policy: {shutdown_days: 365}\n", ""])
def test_every_warning_of_what_closes_has_a_place_names_whom_it_concerns_and_the_window_that_was_set(
    small: Small, said: str
) -> None:
    small.write(AT, EVERYTHING_SOON.replace("policy: {shutdown_days: 365}\n", said))
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    today = date(2026, 12, 20)
    told = Told(shutdowns={MADE.replace("4o", "5"): date(2027, 1, 10)}, promoted={"reviewer": MADE.replace("4o", "5")})
    preflight = Preflight(config, OPENAI, today, told=told)
    soon = {one.code: one for rule in RULES for one in rule(preflight) if one.code in ("M103", "M104", "M106", "M111")}
    concerned = {code: f"{one.address} {one.detail}" for code, one in soon.items()}
    assert sorted(soon) == ["M103", "M104", "M106", "M111"]
    assert all(one.place is not None and one.place.line > 0 for one in soon.values()), soon
    assert "job.review" in concerned["M103"] and "job.review" in concerned["M106"]
    assert "grader.match" in concerned["M104"] and "deployment.reviewer" in concerned["M111"]
    assert all(("within policy.shutdown_days: 365" in text) is bool(said) for text in concerned.values()), concerned


JUDGED = with_grader(
    "    type: multi\n    graders:\n"
    "      judge: {type: score_model, model: JUDGE, input: [{role: user, content: x}]}\n"
    "    calculate_output: judge\n"
)


def test_a_graders_model_is_found_where_it_is_written(small: Small) -> None:
    spec = edited(("o4-mini-2025-04-16", "other"), ("JUDGE", "gpt-4.1-nano"), spec=JUDGED)
    gone, _ = found(small, spec)
    assert gone.startswith(f"M102 {AT}:9:41 gpt-4.1-nano was shut down on 2026-10-23 ")
    assert gone.endswith("| still there, until 2027-01-14: " + ", ".join(life().left(TODAY)))
    assert len(life().left(TODAY)) == 4
    spec = edited(("gpt-4.1-nano", "gpt-4o"), spec=spec)
    assert codes(small, spec) == ["M107"]
    assert codes(small, spec, today=date(2026, 12, 20)) == ["M104", "M106", "M107"]


def test_a_grader_that_no_job_will_use_asks_nobody(small: Small) -> None:
    spec = edited(("JUDGE", "o4-mini"), ("grader: match", "grader: other"), spec=JUDGED).replace(
        "jobs:\n", "  other: {type: string_check, input: a, operation: eq, reference: b}\njobs:\n"
    )
    assert codes(small, spec, launched=frozenset({REVIEW})) == ["M108"]
    assert codes(small, spec) == ["M101"]


def test_a_job_that_was_launched_is_a_warning_and_one_that_shall_not_run_is_nothing(small: Small) -> None:
    (line,) = found(small, launched=frozenset({REVIEW}))
    assert line.startswith(f"M108 {AT}:13:12 ") and "cannot be launched again" in line
    assert codes(small, with_job("    run: paused\n")) == []
    assert codes(small, with_job("    run: cancelled\n")) == []


def test_when_all_have_closed_no_model_is_named(small: Small) -> None:
    spec = SPEC[: SPEC.index("    method:")].replace("o4-mini", "gpt-4.1-nano").replace("2025-04-16", "2025-04-14")
    gone, *_ = found(small, spec, today=date(2028, 1, 1))
    assert gone.endswith("| name a model that is still there")


def test_every_date_has_a_source_and_every_alias_a_model() -> None:
    dated = [*life().models.values(), life().few_jobs, life().no_jobs]
    assert all("as of" in closing.source for closing in dated)
    assert set(life().aliases.values()) <= set(life().models)


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ({}, []),
        (
            {MADE: date(2026, 12, 1)},
            [f"{PROMOTED_CLOSING.code} deployment.reviewer {MADE} shuts down on 2026-12-01, in 9 days"],
        ),
        (
            {MADE: date(2026, 11, 1)},
            [
                f"{PROMOTED_GONE.code} deployment.reviewer whoever asks {MADE} gets an error: "
                "it was shut down on 2026-11-01"
            ],
        ),
        ({MADE: date(2027, 12, 1)}, []),
    ],
)
def test_a_promoted_model_that_the_service_shuts_down(
    small: Small, closes: dict[str, date], expected: list[str]
) -> None:
    small.write(AT, LATER)
    config, _ = read_config(Root(small.root), "specs")
    told = Told(shutdowns=closes, promoted={"reviewer": MADE})
    preflight = Preflight(config, OPENAI, TODAY, launched=frozenset({REVIEW}), told=told)
    assert [f"{one.code} {one.address} {one.detail}" for one in promoted_model(preflight)] == expected


def test_a_promoted_model_goes_with_its_base_and_that_is_said_once(small: Small) -> None:
    config, _ = read_config(Root(small.root), "specs")
    told = Told(shutdowns={BASED: date(2026, 11, 1)}, promoted={"reviewer": BASED})
    preflight = Preflight(config, OPENAI, TODAY, launched=frozenset({REVIEW}), told=told)
    assert list(promoted_model(preflight)) == []
    assert [found.code for found in base_model(preflight)] == ["M108"]
