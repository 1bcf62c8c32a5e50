"""Estimates: unknown is written as unknown, in documents and in words, and a reviewer's digest does not bind them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.changes import Action, Change, Hazard, HazardOf, Leave, Reason
from rftplan.estimate import Estimate, JudgeEstimate, Range
from rftplan.render.estimates import estimate_document, estimate_lines
from rftplan.render.look import Look
from rftplan.render.plan_documents import plan_document
from rftplan.render.plan_text import plan_text
from tests.render.plans import JOB, plan_of

CAP = "nobody documents a cap"
UNKNOWN = Estimate(None, None, None, 2, None, None, None, (), None, CAP)
KNOWN = Estimate(100.0, "2026-11", "a guide", 4, Range(2.04, 3.5), 1.0, Range(204.0, 350.0), (), None, CAP)
JUDGE = JudgeEstimate(
    "answer/say", "gpt-4o", Range(1.2, 2.3456), 5.0, ("the answer", "its output"), "2026-03", "a copy of a page"
)


def lines(estimate: Estimate) -> list[str]:
    return estimate_lines(estimate_document(estimate), Look(), indent=0)


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (UNKNOWN, "price of an hour unknown, hours unknown (the lock has 2 comparable runs, 3 are needed)"),
        (replace(UNKNOWN, runs=1),
         "price of an hour unknown, hours unknown (the lock has 1 comparable run, 3 are needed)"),
        (KNOWN, "$100 an hour (a guide, 2026-11), 2.0 to 3.5 hours by 4 comparable runs: $204 to $350"),
        (replace(KNOWN, hour_usd=None, training_usd=None),
         "price of an hour unknown, 2.0 to 3.5 hours by 4 comparable runs"),
        (replace(KNOWN, growth=2.5),
         "$100 an hour (a guide, 2026-11), 2.0 to 3.5 hours by 4 comparable runs (by its rows this one may take 2.5 "
         "times as long as the largest): $204 to $350"),
        (replace(KNOWN, growth=None),
         "$100 an hour (a guide, 2026-11), 2.0 to 3.5 hours by 4 comparable runs (of how many rows is not known): "
         "$204 to $350"),
        (replace(KNOWN, read=None, source="policy.prices", hours=None, training_usd=None, runs=0),
         "$100 an hour (policy.prices), hours unknown (the lock has 0 comparable runs, 3 are needed)"),
    ],
)  # fmt: skip
def test_a_launch_has_one_line_that_says_what_is_known_and_what_is_not(estimate: Estimate, said: str) -> None:
    assert lines(estimate) == [f"cost: {said}; {CAP}"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "1,000 prompts to gpt-4o cost $1.20 to $2.35 (a copy of a page, 2026-03; 4 characters a token assumed); "
             "its output at most $5; unknown on top: the answer, its output"),
        ({"prompt_usd": Range(1.201, 1.202), "output_usd": None, "unknown": ()},
         "1,000 prompts to gpt-4o cost $1.20 (a copy of a page, 2026-03; 4 characters a token assumed)"),
        ({"prompt_usd": None, "output_usd": None, "unknown": ("its output",)},
         "1,000 prompts to gpt-4o cost unknown: the rows are not here (a copy of a page, 2026-03); "
         "unknown on top: its output"),
        ({"prompt_usd": None, "output_usd": None, "source": None},
         "1,000 calls of gpt-4o cost unknown: no price is known"),
    ],
)  # fmt: skip
def test_each_judge_has_a_line(fields: dict[str, Any], said: str) -> None:
    assert lines(replace(KNOWN, judges=(replace(JUDGE, **fields),)))[1] == f"judge answer/say: {said}"


def test_a_document_has_null_for_what_is_not_known_and_no_more_digits_than_it_knows() -> None:
    document = estimate_document(replace(UNKNOWN, judges=(JUDGE,)))
    assert (document["hour_usd"], document["hours"], document["training_usd"], document["cap_usd"]) == (None,) * 4
    assert (document["runs"], document["runs_needed"], document["characters_per_token"]) == (2, 3, 4)
    assert document["judges"][0]["prompt_usd"] == {"low": 1.2, "high": 2.3456}
    assert estimate_document(KNOWN)["hours"] == {"low": 2.04, "high": 3.5}


def launch(estimate: Estimate | None, leave: Leave = Leave.POLICY) -> Any:
    risk = HazardOf(Hazard.SPEND, "starts a paid run", leave)
    return plan_document(
        plan_of(Change(JOB, Action.CREATE, "launch", Reason.NOT_THERE, hazards=(risk,), estimate=estimate))
    )


def test_a_run_that_ended_meanwhile_does_not_overtake_a_review_but_who_may_spend_does() -> None:
    assert launch(UNKNOWN)["digest"] == launch(KNOWN)["digest"] == launch(None)["digest"]
    assert launch(KNOWN)["changes"][0]["estimate"]["runs"] == 4
    assert "estimate" not in launch(None)["changes"][0]
    person = launch(KNOWN, Leave.PERSON)
    assert person["digest"] != launch(KNOWN)["digest"]
    assert [hazard["leave"] for hazard in person["hazards"]] == ["person"]


@pytest.mark.parametrize("width", [80, 120])
def test_a_plan_shows_it_under_the_launch(width: int) -> None:
    text = plan_text(launch(replace(KNOWN, judges=(JUDGE,))), Look(width=width))
    assert (
        " ".join(text.split()).count("4 comparable runs: $204 to $350; nobody documents a cap judge answer/say: ") == 1
    )
    assert max(map(len, text.splitlines())) <= width
