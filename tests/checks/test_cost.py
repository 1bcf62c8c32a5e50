"""Findings about money: only where it is paid, only of what will be launched, and never of what nobody knows."""

from __future__ import annotations

from datetime import date

import pytest

from rftplan.address import Address
from rftplan.api.profiles import Profile, profile
from rftplan.checks.cost import OVER_BUDGET, RULES, over_budget
from rftplan.checks.preflight import Preflight
from rftplan.config import read_config
from rftplan.graph import KnownRows, build_graph, read_references
from rftplan.loading import Options, load
from rftplan.lockfile import Entry
from rftplan.source.root import Root
from tests.findings import edited, line_of, with_grader, with_job
from tests.kinds.builders import ran
from tests.world import SPEC, Small

AT = "specs/main.yaml"
OPENAI = profile("openai")
REVIEW = Address("job", "review")
BUDGETED = with_job("    budget: {max_hours: 2}\n")
JUDGED = with_grader(
    "    type: score_model\n    model: o3-mini-2025-01-31\n"
    "    input: [{role: user, content: '{{sample.output_text}}'}]\n"
)


def preflight(small: Small, spec: str, of: Profile, launched: frozenset[Address] = frozenset()) -> Preflight:
    small.write(AT, spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    return Preflight(config, of, date(2026, 11, 22), launched=launched)


def found(
    small: Small, spec: str = SPEC, *, of: Profile = OPENAI, launched: frozenset[Address] = frozenset()
) -> list[str]:
    given = preflight(small, spec, of, launched)
    return [line_of(one) for rule in RULES for one in rule(given)]


def broken(
    small: Small,
    hours: tuple[float, ...],
    spec: str = BUDGETED,
    *,
    of: Profile = OPENAI,
    begun: frozenset[Address] = frozenset(),
    knows: bool = False,
) -> list[str]:
    """C101 where the lock has runs of these lengths, and `knows` the very job."""
    given = preflight(small, spec, of)
    references = read_references(given.config)
    rows = KnownRows("a" * 64, "b")
    graph = build_graph(given.config, references, {a: rows for a in given.config.declared if a.kind == "file"})
    want = graph.resources[REVIEW]
    entries = ran(*hours, of=want)
    if knows:
        entries = {**entries, REVIEW: Entry(want.fingerprint, want.inputs, id="ftjob-9")}
    return [line_of(one) for one in over_budget(given, graph, entries, begun=begun)]


def test_a_launch_that_costs_more_than_its_budget_every_time_is_an_error(small: Small) -> None:
    (line,) = broken(small, (3, 4, 5))
    assert line.startswith(
        f"C101 {AT}:16:13 the budget is 2 hours, and 3 comparable runs took 3.0 to 5.0 hours | raise the budget, or "
    )
    assert OVER_BUDGET.severity == "error"


def test_what_may_keep_within_is_none_and_so_is_what_is_not_known(small: Small) -> None:
    assert broken(small, (1, 4, 5)) == []
    assert broken(small, (3, 4)) == []
    assert broken(small, (3, 4, 5), SPEC) == []
    assert broken(small, (3, 4, 5), of=profile("local")) == []


def test_what_will_not_be_launched_breaks_no_budget(small: Small) -> None:
    assert broken(small, (3, 4, 5), knows=True) == []
    assert broken(small, (3, 4, 5), begun=frozenset({REVIEW})) == []
    assert broken(small, (3, 4, 5), with_job("    budget: {max_hours: 2}\n    run: paused\n")) == []


def test_the_policys_budget_counts_for_a_job_that_says_none(small: Small) -> None:
    policy = SPEC + "policy: {budget: {max_usd: 250}}\n"
    assert len(broken(small, (3, 4, 5), policy)) == 1
    assert broken(small, (3, 4, 5), policy + "\n", of=profile("local")) == []


def test_a_budget_that_nobody_keeps_is_a_warning_for_each_job_that_will_run(small: Small) -> None:
    (line,) = found(small, BUDGETED)
    assert line.startswith(
        f"C102 {AT}:16:13 the budget of 2 hours is compared with what is known before the launch; once the job runs, "
        "rftplan does not watch it, and OpenAI documents no cap for one job"
    )
    (line,) = found(small, SPEC + "policy: {budget: {max_usd: 250}}\n")
    assert line.startswith(f"C102 {AT}:13:5 the budget of $250 is")
    assert [one[:4] for one in found(small, BUDGETED, launched=frozenset({REVIEW}))] == []
    assert found(small, SPEC) == []


def test_a_judge_that_reasons_is_noted_where_training_is_paid_by_the_hour(small: Small) -> None:
    (line,) = found(small, JUDGED)
    assert line.startswith(f"C103 {AT}:8:12 o3-mini-2025-01-31 reasons before it grades; ")
    assert found(small, edited(("o3-mini-2025-01-31", "gpt-4o-2024-08-06"), spec=JUDGED)) == []
    assert found(small, edited(("o3-mini-2025-01-31", "somebodys-model"), spec=JUDGED)) == []
    assert found(small, JUDGED, launched=frozenset({REVIEW})) == []


@pytest.mark.parametrize("spec", [BUDGETED, JUDGED])
def test_where_nothing_is_paid_nothing_is_said_of_cost(small: Small, spec: str) -> None:
    assert found(small, spec, of=profile("local")) == []
    small.write(AT, spec)
    assert [one.code for one in small.check() if one.code.startswith("C")] == []


def test_prices_of_the_specs_are_those_of_the_profile(small: Small) -> None:
    prices = "{training_hour: {mine: 80}, million_tokens: {gpt-9: {input: 1, output: 2.5}}}"
    small.write(AT, SPEC + f"policy: {{prices: {prices}, budget: {{max_hours: 3}}}}\n")
    loaded = load(Options(small.root))
    assert loaded.profile.prices.training["mine"].usd == 80
    assert (loaded.profile.prices.tokens["gpt-9"].input, loaded.profile.prices.tokens["gpt-9"].output) == (1, 2.5)
    assert loaded.budget is not None and loaded.budget.max_hours == 3


@pytest.mark.parametrize(
    "wrong", ["training_hour: {mine: -1}", "training_hour: {mine: '80'}", "million_tokens: {a: 1}"]
)
def test_a_price_is_a_number_from_nothing_up(small: Small, wrong: str) -> None:
    small.write(AT, SPEC + f"policy: {{prices: {{{wrong}}}}}\n")
    assert [one.code for one in small.check()] == ["S204"]
