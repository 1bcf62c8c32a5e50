"""Held-out rows: what a gate on them says is checked before anything is asked, and no job may know them."""

from __future__ import annotations

import pytest

from rftplan.checks.held_out import FEWEST_HELD_OUT
from rftplan.checks.probes.repeats import MOST_ROWS
from rftplan.kinds import KINDS
from tests.checks.rows_of import BY_METHOD, TRAIN, good, jsonl
from tests.findings import edited, found_in
from tests.world import SPEC, Small

FINAL = "specs/data/final.jsonl"
GATE = "{metric: valid_reward_mean, at_least: 0.1}"
HELD_OUT = "{held_out: {file: final, grader: strict}, at_least: 0.8}"
STRICT = """\
  strict:
    type: string_check
    name: another name
    input: "{{sample.output_text}}"
    operation: OPERATION
    reference: "{{item.answer}}"
jobs:
"""
OTHER = edited(
    ("graders:\n", "  final: {path: data/final.jsonl}\ngraders:\n"),
    ("jobs:\n", STRICT.replace("OPERATION", "ilike")),
)
GATED = edited((GATE, HELD_OUT), spec=OTHER)
AT = "specs/main.yaml:33:"


def held(count: int = FEWEST_HELD_OUT, start: int = 5000, method: str = "reinforcement") -> str:
    return jsonl([good(method, number) for number in range(start, start + count)])


def test_a_good_gate_on_held_out_rows_is_no_finding(small: Small) -> None:
    assert found_in(small, GATED, **{FINAL: held()}) == []
    assert found_in(small, OTHER, **{FINAL: held()}) == []


def test_unknown_names_are_found_where_they_stand(small: Small) -> None:
    spec = edited(("file: final, grader: strict", "file: finl, grader: strct"), spec=GATED)
    assert found_in(small, spec, **{FINAL: held()}) == [
        f'S207 {AT}27 gates[0].held_out.file points to "file.finl", which is not declared | did you mean "final"?',
        f'S207 {AT}41 gates[0].held_out.grader points to "grader.strct", which is not declared '
        '| did you mean "strict"?',
    ]


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (
            "{at_least: 0.1}",
            "a gate has one subject: metric, gap, grader_errors or held_out | add metric: valid_reward_mean",
        ),
        (
            HELD_OUT.replace("{held", "{metric: m, held"),
            "a gate has one subject: metric, gap, grader_errors or held_out | write a gate",
        ),
        ("{held_out: {file: final, grader: strict}}", "a gate needs at_least or at_most, or both, or better_than"),
        ("{held_out: {file: final}, at_least: 1}", '"grader" is required here | add grader:'),
        (
            "{held_out: {file: {id: file-abc}, grader: strict}, at_least: 1}",
            "S205 specs/main.yaml:33:27 must be a name, not",
        ),
    ],
)
def test_a_gate_has_one_subject_and_a_bound(small: Small, gate: str, says: str) -> None:
    (line,) = found_in(small, edited((GATE, gate), spec=OTHER), **{FINAL: held()})
    assert says in line and line.split()[1].startswith(AT)


def test_a_bound_that_the_grader_cannot_reach_is_found(small: Small) -> None:
    lines = found_in(small, edited(("at_least: 0.8", "at_least: 1.5"), spec=GATED), **{FINAL: held()})
    assert lines == [
        f"J111 {AT}61 held_out file.final by grader.strict lies between 0 and 1, and at least 1.5 is asked for "
        "| a gate may be edited at any time; nothing is trained again for it"
    ]


@pytest.mark.parametrize(("count", "few"), [(1, True), (FEWEST_HELD_OUT - 1, True), (FEWEST_HELD_OUT, False)])
def test_fewer_rows_than_a_promotion_needs_are_a_warning(small: Small, count: int, few: bool) -> None:
    lines = found_in(small, GATED, **{FINAL: held(count)})
    assert [line[:4] for line in lines] == ["J114"] * few
    if few:
        assert f"J114 {AT}27 file.final has {count} row" in lines[0] and lines[0].endswith(" | use 20 or more")


def test_the_grader_of_the_training_is_noted_under_another_name_too(small: Small) -> None:
    spec = edited(("operation: ilike", "operation: eq"), spec=GATED)
    lines = found_in(small, spec, **{FINAL: held()})
    assert lines[0].startswith(f"J113 {AT}42 grader.strict is, names aside, the grader that job.review is trained ")
    lines = found_in(small, GATED.replace("grader: strict}", "grader: match}"), **{FINAL: held()})
    assert lines[0].startswith(f"J113 {AT}42 grader.match is the grader that job.review is trained to please: ")


@pytest.mark.parametrize(
    ("checkpoint", "why"), [("best", "the best checkpoint is chosen by it"), ("final", "it is what people look at")]
)
def test_the_validation_file_is_not_held_out(small: Small, checkpoint: str, why: str) -> None:
    spec = GATED.replace("file: final", "file: test").replace("checkpoint: best", f"checkpoint: {checkpoint}")
    lines = found_in(small, spec, **{FINAL: held()})
    assert [line[:4] for line in lines] == ["J115"]
    assert lines[0].startswith(f"J115 {AT}27 file.test is the validation file of job.review: {why}")


def test_the_training_file_is_not_held_out(small: Small) -> None:
    lines = found_in(small, GATED.replace("file: final", "file: train"), **{FINAL: held()})
    assert [line[:4] for line in lines] == ["D230", "J114"]
    assert lines[0].startswith(f"D230 {AT}27 file.train is what job.review trains on | ")


@pytest.mark.parametrize("method", ["reinforcement", "supervised", "dpo"])
@pytest.mark.parametrize("gated", [True, False], ids=["a gate", "upload: never"])
def test_rows_that_a_job_uses_are_found_with_the_lines_of_both(small: Small, method: str, gated: bool) -> None:
    declared = "graders:\n", "  final: {path: data/final.jsonl, upload: never}\ngraders:\n"
    spec = edited(declared, spec=BY_METHOD[method])
    if gated:
        spec = (
            spec.replace(", upload: never", "")
            .replace(
                "    checkpoint: best\n",
                "    checkpoint: best\n    gates: [{held_out: {file: final, grader: match}, at_least: 1}]\n",
            )
            .replace("    gates:\n      - {metric: valid_reward_mean, at_least: 0.1}\n", "")
        )
    files = {TRAIN: held(12, 0, method), "specs/data/test.jsonl": held(50, 100, method)}
    rows = [*(good(method, n) for n in range(5000, 5018)), good(method, 11), good(method, 149)]
    lines = [line for line in found_in(small, spec, **files, **{FINAL: jsonl(rows)}) if line.startswith("D230")]
    what = "the prompt" if method == "reinforcement" else "the text"
    assert lines == [
        f"D230 {FINAL}:19:1 1 of 20 rows have {what} of a row of file.train, which job.review trains on, but for "
        "spaces and case: line 19 that of line 12 | take them out of file.train, or out of file.final",
        f"D230 {FINAL}:20:1 1 of 20 rows have {what} of a row of file.test, which job.review validates with, but for "
        "spaces and case: line 20 that of line 50 | take them out of file.test, or out of file.final",
    ]


@pytest.mark.parametrize("asked", ["What is \u00e9?", " what  IS\ne\u0301?"])
def test_spaces_case_and_forms_make_no_other_row_and_likeness_makes_no_same_one(small: Small, asked: str) -> None:
    spec = SPEC.replace("graders:\n", "  final: {path: data/final.jsonl, upload: never}\ngraders:\n")

    def row(text: str) -> str:
        return jsonl([{"messages": [{"role": "user", "content": text}], "answer": "3"}])

    train = held(12, 0) + row("What is \u00e9?")
    (line,) = found_in(small, spec, **{TRAIN: train, FINAL: held(19) + row(asked)})
    assert line.startswith(f"D230 {FINAL}:20:1 1 of 20 rows") and "line 20 that of line 13" in line
    assert found_in(small, spec, **{TRAIN: train, FINAL: held(19) + row("What is e?")}) == []


def test_a_file_that_a_gate_names_is_compared_with_the_job_of_that_gate_alone(small: Small) -> None:
    other = SPEC[SPEC.index("  review:") : SPEC.index("deployments:")].replace("  review:", "  other:")
    spec = GATED.replace("deployments:\n", other.replace("file: train", "file: more") + "deployments:\n").replace(
        "graders:\n", "  more: {path: data/more.jsonl}\ngraders:\n", 1
    )
    files = {FINAL: held(), "specs/data/more.jsonl": held()}
    assert not [line for line in found_in(small, spec, **files) if line.startswith("D230")]
    unnamed = spec.replace(HELD_OUT, GATE).replace("final.jsonl", "final.jsonl, upload: never")
    (line,) = found_in(small, unnamed, **{**files, "specs/data/more.jsonl": held(21)})
    assert line.startswith(f"D230 {FINAL}:1:1 20 of 20 rows have the prompt of a row of file.more, which job.other")


def test_held_out_rows_that_are_not_compared_are_told(small: Small) -> None:
    spec = BY_METHOD["supervised"].replace("graders:\n", "  final: {path: data/final.jsonl, upload: never}\ngraders:\n")
    row = '{"messages":[{"role":"user","content":"%d"},{"role":"assistant","content":"a"}]}\n'
    files = {TRAIN: held(12, 0, "supervised"), "specs/data/test.jsonl": held(50, 100, "supervised")}
    files[FINAL] = "".join(row % number for number in range(MOST_ROWS + 1))
    assert found_in(small, spec, **files) == [
        f"D229 {FINAL} the first 262,144 of 262,145 held-out rows are compared with others"
    ]


def test_a_deployment_refers_to_what_its_gates_name() -> None:
    kind = KINDS["deployment"]
    gates = [{"metric": "m", "at_least": 0}, {"held_out": {"file": "final", "grader": "strict"}, "at_least": 0.8}]
    spec = kind.adapter.validate_python({"job": "review", "gates": gates})
    assert [(ref.path, str(ref.address)) for ref in kind.refs(spec)] == [
        (("job",), "job.review"),
        (("gates", 1, "held_out", "file"), "file.final"),
        (("gates", 1, "held_out", "grader"), "grader.strict"),
    ]


def test_rows_that_stay_here_are_not_uploaded_under_another_name(small: Small) -> None:
    spec = edited(("  final: {path: data/final.jsonl}", "  final: {path: data/final.jsonl, upload: never}"), spec=OTHER)
    lines = found_in(small, spec, **{TRAIN: held(30, 0), FINAL: held(30, 0).replace(",", " , ")})
    assert [line for line in lines if line.startswith(("D230", "J116"))] == [
        "J116 specs/main.yaml:5:43 it has upload: never, and file.train, which job.review trains on, has its rows | "
        "hold out other rows, or let the job name another file than file.train"
    ]


def test_rows_that_may_be_uploaded_are_held_out_by_a_gate_alone(small: Small) -> None:
    lines = found_in(small, GATED, **{TRAIN: held(30, 0), FINAL: held(30, 0)})
    assert [line[:4] for line in lines if line.startswith(("D230", "J116"))] == ["D230"]
