"""Held-out rows, from the plan to the promotion: what is asked, what is kept, and what is never asked twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rftplan.address import Address
from rftplan.changes import Action, Basis, Hazard, Reason
from rftplan.events import Event, Graded
from tests.findings import edited
from tests.world import Small, rows

AT = Address("deployment", "reviewer")
GATE = "      - {metric: valid_reward_mean, at_least: 0.1}\n"
ROWS = "{held_out: {file: final, grader: match}, "


def gated(*gates: str) -> str:
    lines = "".join(f"      - {gate}\n" for gate in gates)
    declared = "  test: {path: data/test.jsonl}\n"
    return edited((declared, f"{declared}  final: {{path: data/final.jsonl, upload: never}}\n"), (GATE, lines))


class Asked:
    """Stands before the service and counts what is asked of which model; `after` so many it breaks."""

    def __init__(self, inner: Any, seen: Counter[tuple[str, str]], after: list[int]) -> None:
        self.inner, self.seen, self.after = inner, seen, after

    async def handle_async_request(self, request: Any) -> Any:
        if request.url.path.endswith("/chat/completions"):
            body = json.loads(await request.aread())
            if self.after and sum(self.seen.values()) >= self.after[0]:
                return httpx2.Response(400, json={"error": {"message": "no more", "type": "invalid_request_error"}})
            self.seen[body["model"], json.dumps(body["messages"])] += 1
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def project(root: Path, *gates: str, held: int = 40, after: list[int] | None = None) -> tuple[Small, Counter[Any]]:
    seen: Counter[Any] = Counter()
    small = Small.at(root, gated(*gates), wrap=lambda inner: Asked(inner, seen, after or []))
    small.write("specs/data/final.jsonl", rows(held, start=5000))
    return small, seen


def test_a_plan_says_what_is_asked_and_apply_judges_by_it(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}at_least: 0.0}}")
    heard: list[Event] = []
    small.apply()
    assert small.changes()[str(AT)].then == ("evaluate", "promote")
    results = small.results(wait=True, on_event=heard.append)
    assert results[str(AT)].outcome == "done" and results[str(AT)].verb == "promote"
    (evidence,) = results[str(AT)].evidence
    assert evidence.passed and evidence.basis is Basis.INDEPENDENT and evidence.rows == 40 and evidence.looks == 1
    assert evidence.value is not None and evidence.low is not None and evidence.high is not None
    assert evidence.low < evidence.value <= evidence.high
    assert set(seen.values()) == {1} and len(seen) == 40
    told = [event for event in heard if isinstance(event, Graded)]
    assert (told[-1].done, told[-1].total) == (40, 40)
    assert small.verbs() == {}
    kept = small.lock().resources[AT]
    assert kept.history[-1]["evidence"][0]["low"] == evidence.low  # type: ignore[index, call-overload]


def test_a_gate_that_is_edited_sees_the_same_figure_and_asks_nobody(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}at_least: 1.5}}")
    small.apply()
    held = small.results(wait=True)[str(AT)]
    assert (held.outcome, held.detail, sum(seen.values())) == ("held", "a gate failed", 40)
    change = small.changes()[str(AT)]
    assert (change.action, change.reason) == (Action.HOLD, Reason.GATE_FAILED)
    small.edit("specs/main.yaml", "at_least: 1.5", "at_least: 0.0")
    assert small.verbs() == {str(AT): "create promote"}
    small.apply()
    assert sum(seen.values()) == 40 and small.verbs() == {}


def test_what_was_answered_before_something_broke_is_never_asked_again(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}at_least: 0.0, samples: 2}}", after=(after := [30]))
    small.apply()
    failed = small.results(wait=True)[str(AT)]
    assert failed.outcome == "failed" and "no more" in str(failed.error)
    assert sum(seen.values()) == 30
    after.clear()
    assert small.verbs() == {str(AT): "create evaluate"}
    assert small.results()[str(AT)].outcome == "done"
    assert sum(seen.values()) == 80 and set(seen.values()) == {2}  # two samples of each row, and no third


def test_a_stop_keeps_what_is_answered(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}at_least: 0.0}}")
    stop = asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, Graded) and event.done >= 10:
            stop.set()

    small.apply()
    applied = small.apply(wait=True, on_event=hear, stop=stop)
    assert applied is not None and applied.interrupted
    done = sum(seen.values())
    assert 10 <= done < 40
    assert small.results()[str(AT)].outcome == "done"
    assert sum(seen.values()) == 40 and set(seen.values()) == {1}


def test_a_torn_line_is_asked_again_and_nothing_else(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}at_least: 1.5}}")
    small.apply()
    small.apply(wait=True)
    (kept,) = (small.root / ".rftplan/default/evaluations").glob("answers-*.jsonl")
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(kept.read_bytes()[:-5])
    for scores in kept.parent.glob("scores-*"):
        scores.unlink()
    small.write("rftplan.lock", (small.root / "rftplan.lock").read_text().replace('"held_out"', '"forgotten"'))
    small.apply()
    assert sum(seen.values()) == 41


def test_a_retrain_is_compared_row_by_row_with_what_is_live(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}better_than: live}}")
    small.apply()
    first = small.results(wait=True)[str(AT)]
    assert first.outcome == "done" and first.evidence[0].caveats[0] == "nothing is live to compare with"
    assert sum(seen.values()) == 0
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    small.apply()
    change = small.changes()[str(AT)]
    assert [hazard.hazard for hazard in change.hazards] == [Hazard.REPLACE_LIVE]
    held = small.results(wait=True)[str(AT)]
    assert held.outcome == "held" and not held.evidence[0].passed
    assert held.evidence[0].than == "live" and held.evidence[0].more_than == 0
    assert sum(seen.values()) == 80
    assert small.lock().resources[AT].id == first.id
    small.edit("specs/main.yaml", "better_than: live", "no_worse_than: live, by: 1")
    assert small.results()[str(AT)].outcome == "done"
    assert sum(seen.values()) == 80 and small.lock().resources[AT].id != first.id


def test_each_model_that_is_judged_on_the_rows_is_a_look(tmp_path: Path) -> None:
    small, _seen = project(tmp_path, f"{ROWS}at_least: 0.0}}")
    small.apply()
    small.apply(wait=True)
    for epochs, look in ((3, 2), (4, 3)):
        small.edit("specs/main.yaml", f"n_epochs: {epochs - 1}", f"n_epochs: {epochs}")
        (evidence,) = small.results(wait=True)[str(AT)].evidence
        assert evidence.looks == look
        assert f"widened for {look} models judged on them" in evidence.caveats[0]


@pytest.mark.parametrize(("held", "says"), [(19, "file.final has 19 rows, too few: 20 are needed")])
def test_too_few_rows_are_held_and_not_asked(tmp_path: Path, held: int, says: str) -> None:
    small, seen = project(tmp_path, f"{ROWS}at_least: 0.0}}", held=held)
    small.apply()
    result = small.results(wait=True)[str(AT)]
    assert (result.outcome, result.evidence[0].caveats[0]) == ("held", says)
    assert sum(seen.values()) == 0


def test_nothing_is_asked_where_another_gate_failed(tmp_path: Path) -> None:
    small, seen = project(tmp_path, "{metric: valid_reward_mean, at_least: 1.5}", f"{ROWS}at_least: 0.0}}")
    small.apply()
    held = small.results(wait=True)[str(AT)]
    assert held.outcome == "held" and held.evidence[1].caveats[0] == "not evaluated yet"
    assert sum(seen.values()) == 0


def test_the_base_model_is_a_rival_too(tmp_path: Path) -> None:
    small, seen = project(tmp_path, f"{ROWS}no_worse_than: base, by: 1}}")
    small.apply()
    result = small.results(wait=True)[str(AT)]
    assert result.outcome == "done" and {model for model, _ in seen} == {"o4-mini-2025-04-16", result.id}


def test_a_grader_that_fails_is_no_evidence_and_may_be_mended(tmp_path: Path) -> None:
    source = "def grade(sample, item):\n          return 1.0 / (int(item['answer']) < 0)\n"
    broken = f"  broken:\n    type: python\n    source: |\n      {source}"
    gate = gated("{held_out: {file: final, grader: broken}, at_least: 0.0}")
    spec = gate.replace("jobs:\n", f"{broken}jobs:\n")
    seen: Counter[Any] = Counter()
    small = Small.at(tmp_path, spec, wrap=lambda inner: Asked(inner, seen, []))
    small.write("specs/data/final.jsonl", rows(40, start=5000))
    small.apply()
    held = small.results(wait=True)[str(AT)]
    assert held.outcome == "held" and held.evidence[0].value is None
    assert "the grader failed on 40 answers" in held.evidence[0].caveats[0]
    small.edit("specs/main.yaml", "(int(item['answer']) < 0)", "(int(item['answer']) > 0)")
    assert small.results()[str(AT)].outcome == "done"
    assert sum(seen.values()) == 40  # the answers are kept: only the grading is new


def test_rows_that_the_job_trained_on_are_no_independent_evidence(tmp_path: Path) -> None:
    small, _seen = project(tmp_path, f"{ROWS}at_least: 0.0}}")
    small.write("specs/data/train.jsonl", rows(40))
    small.edit("specs/main.yaml", ", upload: never", "")
    small.write("specs/data/final.jsonl", rows(40))
    small.apply()
    (evidence,) = small.results(wait=True)[str(AT)].evidence
    assert evidence.basis is Basis.TRAINING and "the job trained on these rows" in evidence.caveats
