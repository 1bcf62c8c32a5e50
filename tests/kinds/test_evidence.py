"""What gates see of a candidate, and what that is worth."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.api.port import Checkpoint, JobEvent, Simulation
from rftplan.changes import Basis, Evidence
from rftplan.kinds.evidence import Known, OnRows, Seen, failing_shares, judge
from rftplan.kinds.gates import Gate
from rftplan.kinds.selectors import AtStep, ByMetric, Chosen, Pick, Take


def point(step: int, simulation: Simulation | None = None, **metrics: float) -> Checkpoint:
    return Checkpoint(f"ckpt-{step}", f"ft:{step}", "ftjob-1", step, 0, metrics, simulation)


VERDICTS = [
    ({"at_least": 0.5}, 0.5, True),
    ({"at_least": 0.5}, 0.4999, False),
    ({"at_most": 0.5}, 0.5, True),
    ({"at_most": 0.5}, 0.5001, False),
    ({"at_least": 0.2, "at_most": 0.5}, 0.3, True),
    ({"at_least": 0.2, "at_most": 0.5}, 0.6, False),
    ({"at_least": 0}, 0.0, True),
    ({"at_least": -1}, None, False),
    ({"at_most": 1}, None, False),
    ({"at_most": 1}, math.nan, False),
    ({"at_least": 0}, math.inf, False),
    ({"at_most": 1}, -math.inf, False),
]


@pytest.mark.parametrize(("bounds", "value", "passes"), VERDICTS)
def test_a_gate(bounds: dict[str, float], value: float | None, passes: bool) -> None:
    metrics = {} if value is None else {"reward": value}
    gate = Gate.model_validate({"metric": "reward", **bounds})
    (evidence,) = judge((gate,), known(Pick.FINAL, point(4, **metrics)))
    assert evidence.passed is passes
    assert evidence.value == (value if value is not None and math.isfinite(value) else None)
    assert evidence.source == "checkpoint step 4"


def known(selector: Chosen, *points: Checkpoint, **rest: Any) -> Known:
    """The first of the points is the candidate."""
    return Known(points[0], selector, points, **rest)


def seen(selector: Chosen, metric: str, count: int, simulation: Simulation | None = None, **rest: Any) -> Evidence:
    points = [point(step, simulation, **{metric: 1.0}) for step in range(1, count + 1)]
    gate = Gate.model_validate({"metric": metric, "at_least": 0})
    (evidence,) = judge((gate,), known(selector, *points, **rest))
    return evidence


SEEN = Seen(0.8, 0.7, 0.9, 40, 1, "bca bootstrap")
LIVE = {"better_than": "live"}
WORTH = "95 % interval by bca bootstrap, 40 rows"
ON_ROWS = [
    ("the low end is enough", {"at_least": 0.7}, OnRows(40, seen=SEEN), True, WORTH),
    ("the mean alone is not", {"at_least": 0.75}, OnRows(40, seen=SEEN), False, WORTH),
    ("the high end is too high", {"at_most": 0.85}, OnRows(40, seen=SEEN), False, WORTH),
    ("both ends lie within", {"at_least": 0.6, "at_most": 0.9}, OnRows(40, seen=SEEN), True, WORTH),
    ("later looks are said", {"at_least": 0.7}, OnRows(40, seen=replace(SEEN, look=3)), True,
     f"{WORTH}, widened for 3 models judged on them"),
    ("not evaluated", {"at_least": 0}, OnRows(40), False, "not evaluated yet"),
    ("no rows", {"at_least": 0}, OnRows(None), False, "the rows of file.final are not here"),
    ("few rows", {"at_least": 0}, OnRows(19), False, "file.final has 19 rows, too few: 20 are needed"),
    ("the grader failed", {"at_least": 0}, OnRows(40, seen=replace(SEEN, failed=2, why="no reply")), False,
     "the grader failed on 2 answers: no reply"),
    ("better by enough", {**LIVE, "by": 0.69}, OnRows(40, rival="ft:0", seen=SEEN), True, WORTH),
    ("just as much is no more", {**LIVE, "by": 0.7}, OnRows(40, rival="ft:0", seen=SEEN), False, WORTH),
    ("not worse by much", {"no_worse_than": "live", "by": 0.1},
     OnRows(40, rival="ft:0", seen=replace(SEEN, value=0.0, low=-0.09)), True, WORTH),
    ("worse by too much", {"no_worse_than": "live", "by": 0.1},
     OnRows(40, rival="ft:0", seen=replace(SEEN, value=0.0, low=-0.11)), False, WORTH),
    ("nothing is live", LIVE, OnRows(40), True, "nothing is live to compare with"),
    ("it is live", LIVE, OnRows(40, rival="ft:4"), True, "it is that model itself"),
    ("not compared yet", LIVE, OnRows(40, rival="ft:0"), False, "not evaluated yet"),
]  # fmt: skip


@pytest.mark.parametrize(("gate", "on", "passes", "says"), [r[1:] for r in ON_ROWS], ids=[r[0] for r in ON_ROWS])
def test_a_gate_on_held_out_rows_goes_by_the_end_of_the_interval_that_speaks_against_it(
    gate: dict[str, Any], on: OnRows, passes: bool, says: str
) -> None:
    written = Gate.model_validate({"held_out": {"file": "final", "grader": "strict"}, **gate})
    (evidence,) = judge((written,), known(Pick.BEST, point(4), held_out={0: on}))
    assert (evidence.passed, evidence.caveats) == (passes, (says,))
    assert evidence.basis is (Basis.INDEPENDENT if on.seen else None)


@pytest.mark.parametrize(
    ("basis", "says"),
    [(Basis.TRAINING, "the job trained on these rows"), (Basis.SELECTION, "these rows chose it: selection only")],
)
def test_rows_that_were_used_before_are_said_to_be(basis: Basis, says: str) -> None:
    gate = Gate.model_validate({"held_out": {"file": "final", "grader": "strict"}, "at_least": 0})
    (evidence,) = judge((gate,), known(Pick.BEST, point(4), held_out={0: OnRows(40, basis, seen=SEEN)}))
    assert (evidence.basis, evidence.caveats) == (basis, (WORTH, says))


REWARD, LEAST_LOSS = "valid_reward_mean", ByMetric(metric="train_loss", take=Take.MIN)
BASES = [
    ("best of several, by itself", Pick.BEST, REWARD, 3, Basis.SELECTION,
     ("selected on it, best of 3 checkpoints: selection only",)),
    ("best of several, by the same rows", Pick.BEST, "full_valid_mean_reward", 3, Basis.INDEPENDENT, ()),
    ("the only one", Pick.BEST, REWARD, 1, Basis.INDEPENDENT, ()),
    ("of training", Pick.BEST, "completion_tokens_mean", 3, Basis.TRAINING, ()),
    ("the last", Pick.FINAL, REWARD, 3, Basis.INDEPENDENT, ()),
    ("a named step", AtStep(step=1), REWARD, 3, Basis.SELECTION,
     ("selection only: the step was named, of 3 checkpoints",)),
    ("by training, seen on validation", LEAST_LOSS, REWARD, 3, Basis.INDEPENDENT, ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("selector", "metric", "count", "basis", "caveats"), [c[1:] for c in BASES], ids=[c[0] for c in BASES]
)
def test_what_a_figure_was_used_for_before(
    selector: Chosen, metric: str, count: int, basis: Basis, caveats: tuple[str, ...]
) -> None:
    evidence = seen(selector, metric, count)
    assert (evidence.basis, evidence.caveats) == (basis, caveats)


def test_other_figures_of_the_rows_that_chose_are_no_better() -> None:
    points = [point(step, valid_reward_mean=step, full_valid_mean_reward=step) for step in (2, 1)]
    gate = Gate.model_validate({"metric": "full_valid_mean_reward", "at_least": 0})
    (evidence,) = judge((gate,), known(Pick.BEST, *points, rows=50))
    assert evidence.basis is Basis.SELECTION
    assert evidence.caveats == ("selected on the same rows, best of 2 checkpoints, by 50 rows: selection only",)


@pytest.mark.parametrize(
    ("metrics", "value", "passed"),
    [
        ({"train_reward_mean": 0.9, "valid_reward_mean": 0.75}, 0.15, False),
        ({"train_reward_mean": 0.8, "valid_reward_mean": 0.75}, 0.05, True),
        ({"train_reward_mean": 0.8}, None, False),
        ({"train_reward_mean": math.nan, "valid_reward_mean": 0.75}, None, False),
    ],
)
def test_the_gap_is_train_minus_valid(metrics: dict[str, float], value: float | None, passed: bool) -> None:
    gate = Gate.model_validate({"gap": "reward", "at_most": 0.1})
    (evidence,) = judge((gate,), known(Pick.FINAL, point(4, **metrics)))
    assert evidence.value == (pytest.approx(value) if value is not None else None) and evidence.passed is passed
    assert evidence.metric == "gap of reward, train minus valid"
    if "valid_reward_mean" not in metrics:
        assert evidence.caveats == ("this checkpoint has no valid_reward_mean",)


def metrics_event(step: int, *graders: dict[str, Any], **data: Any) -> JobEvent:
    return JobEvent(f"e{step}", 0, "info", "", "metrics", {"step": step, "errors": {"graders": list(graders)}, **data})


@pytest.mark.parametrize(
    ("failing", "value", "passed"), [({4: 0.01}, 0.01, True), ({4: 0.2}, 0.2, False), ({3: 0.0}, None, False),
                                     (None, None, False)],
)  # fmt: skip
def test_grader_errors_are_those_of_that_very_step(
    failing: dict[int, float] | None, value: float | None, passed: bool
) -> None:
    gate = Gate.model_validate({"grader_errors": "share", "at_most": 0.05})
    (evidence,) = judge((gate,), known(Pick.FINAL, point(4), failing=failing))
    assert (evidence.value, evidence.passed, evidence.basis) == (value, passed, None)
    said = "the job's events do not tell of its graders at that step"
    assert evidence.caveats == (() if value is not None else (said,))


def test_the_worst_grader_counts_and_answers_that_it_cannot_read_do_not() -> None:
    good = {"name": "a", "valid_model_grader_server_error_mean": 0.1, "train_model_grader_server_error_mean": 0.9}
    worse = {"name": "b", "valid_other_error_mean": 0.3, "valid_sample_parse_error_mean": 0.8}
    trained = {"name": "c", "train_other_error_mean": 0.2, "valid_other_error_mean": None}
    events = [
        metrics_event(3, trained),
        metrics_event(2, good, worse),
        metrics_event(1),
        JobEvent("x", 0, "info", "", "metrics", {"step": 7}),
        JobEvent("y", 0, "info", "", "message", {"step": 8, "errors": {"graders": []}}),
    ]
    assert failing_shares(events) == {3: 0.2, 2: 0.3, 1: 0.0}


def test_simulated_evidence_and_its_judge_are_named() -> None:
    simulation = Simulation("local", "stand-in judge: text overlap")
    assert seen(Pick.FINAL, "x", 1, simulation).caveats == ("SIMULATED", "stand-in judge: text overlap")
    assert seen(Pick.FINAL, "x", 1, Simulation("local"), caveat="grader errors: all").caveats == (
        "SIMULATED",
        "grader errors: all",
    )
