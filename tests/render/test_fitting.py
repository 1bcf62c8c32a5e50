"""Whether strange JSON has the shape of a document."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.render.fitting import misfits
from rftplan.render.plan_documents import plan_document
from rftplan.render.shapes import EvidenceDocument, HazardDocument, PlanDocument
from tests.render.plans import FIRST, GATE, RELAUNCH

HAZARD = {"code": "spend", "address": "job.a", "detail": "", "leave": "policy"}


def test_our_own_documents_fit() -> None:
    for plan in (FIRST, RELAUNCH):
        assert list(misfits(plan_document(plan), PlanDocument)) == []


@pytest.mark.parametrize(
    ("value", "shape", "said"),
    [
        ({**HAZARD, "more": 1}, HazardDocument, []),
        ({**HAZARD, "code": 1}, HazardDocument, ["code has another type"]),
        ({k: v for k, v in HAZARD.items() if k != "leave"}, HazardDocument, ["leave is missing"]),
        ([], HazardDocument, ["it is no mapping"]),
        ([1, "a", True], list[int], ["[1] has another type", "[2] has another type"]),
        ({"a": 1.5, "b": 2, "c": "3"}, dict[str, float], [".c has another type"]),
        ("x", list[str], ["it is no list"]),
        ("x", dict[str, str], ["it is no mapping"]),
        (True, float, ["it has another type"]),
        (None, str | None, []),
        (3, str | None, ["it has another type"]),
    ],
)
def test_each_misfit_is_named_by_its_place(value: Any, shape: Any, said: list[str]) -> None:
    assert list(misfits(value, shape)) == said


def test_a_figure_may_be_whole_and_may_be_none() -> None:
    evidence = {
        "metric": GATE.metric, "value": None, "at_least": 1, "at_most": 0.5, "passed": True, "source": "",
        "caveats": [],
    }  # fmt: skip
    assert list(misfits(evidence, EvidenceDocument)) == []
