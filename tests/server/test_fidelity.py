"""The table of what is proven and what is policy."""

from __future__ import annotations

from rftplan.server.fidelity import BEHAVIOURS, PROVEN, Source


def test_every_behaviour_is_listed_once_under_one_area() -> None:
    keys = [(behaviour.area, behaviour.what) for behaviour in BEHAVIOURS]
    assert len(keys) == len(set(keys))


def test_a_policy_or_a_report_is_no_proof() -> None:
    assert Source.POLICY not in PROVEN
    assert Source.REPORTED not in PROVEN
    assert {behaviour.proven for behaviour in BEHAVIOURS} == {True, False}
