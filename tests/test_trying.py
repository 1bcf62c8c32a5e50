"""A grader tried: which rows and answers, the judge's part in the verdict, Python, and what stops it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.checking.python_runs import run_python
from rftplan.checks.preflight import Role
from rftplan.errors import SpecError, UsageError, UserError
from rftplan.events import Event, Graded, ignore
from rftplan.grading import Flag, Isolation, PythonWorker
from rftplan.loading import load
from rftplan.trial import SAMPLE, Answer, Verdict, Why
from rftplan.trying import Trial, Wanted, grade
from tests.world import SPEC, Small

MATCH = SPEC[SPEC.index("    type: string_check") : SPEC.index("jobs:")]
JUDGE = """\
    type: score_model
    model: gpt-4o-2024-08-06
    input: [{role: user, content: "Is {{sample.output_text}} the same as {{item.answer}}?"}]
"""
LENGTH = """\
    type: python
    source: |
      def grade(sample, item):
          return min(1.0, len(sample["output_text"]) / 100)
"""
SAME = """\
    type: multi
    graders:
      same:
        type: string_check
        input: "{{sample.output_text}}"
        operation: eq
        reference: "{{item.answer}}"
      second:
        type: python
        source: |
          def grade(sample, item):
              if not sample["output_text"]:
                  raise ValueError("nothing there")
              return 1.0 if sample["output_text"] == item["answer"] else 0.0
    calculate_output: 0.5 * same + 0.5 * second
"""


def tried(small: Small, name: str | None = None, *, trust: bool = False, **wanted: Any) -> Trial:
    return grade(small.options, Wanted(name, **wanted), trust=trust, world=small.world)


def with_grader(small: Small, grader: str) -> Small:
    small.edit("specs/main.yaml", MATCH, grader)
    return small


def test_an_exact_match_separates_on_the_validation_rows(small: Small) -> None:
    trial = tried(small)
    assert (trial.grader, trial.job, trial.python, trial.judge) == ("grader.match", "job.review", None, None)
    assert (trial.source.path, trial.source.rows, trial.source.used) == ("specs/data/test.jsonl", 50, 50)
    assert trial.judgement.verdict is Verdict.SEPARATES
    assert trial.detail == "the right answer scores more than every wrong one that it was compared with"
    means = {name: column.mean for name, column in trial.scored.columns.items()}
    assert (means[Answer.RIGHT], means[Answer.OTHER_ROW], means[Answer.EMPTY]) == (1.0, 0.0, 0.0)
    assert Answer.MALFORMED not in means, "of plain text only an empty one is malformed"


@pytest.mark.parametrize("name", ["match", "grader.match", "review", "job.review"])
def test_a_grader_has_several_names(small: Small, name: str) -> None:
    assert tried(small, name, limit=3).grader == "grader.match"


def test_rows_are_some_evenly_and_the_same_each_time(small: Small) -> None:
    one, two = tried(small, limit=7), tried(small, limit=7)
    assert one.source.used == one.scored.column(Answer.RIGHT).count == 7
    assert one.scored.columns[Answer.OTHER_ROW].rewards == two.scored.columns[Answer.OTHER_ROW].rewards


def test_the_training_file_on_request_and_where_there_is_no_other(small: Small) -> None:
    assert tried(small, roles=(Role.TRAINING,)).source.path == "specs/data/train.jsonl"
    (small.root / "specs/data/test.jsonl").unlink()
    trial = tried(small)
    assert trial.source.path == "specs/data/train.jsonl"
    assert "the specs have 1 error" in trial.remarks[-1]


def test_the_stand_in_judge_decides_nothing(small: Small) -> None:
    trial = tried(with_grader(small, JUDGE))
    assert trial.judge is not None and trial.judge.stand_in
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.CANNOT_TELL, Why.STAND_IN)
    assert trial.hint is not None and "project.provider.judge" in trial.hint


def test_no_right_answer_is_made_up_for_a_python_grader_over_plain_text(small: Small) -> None:
    trial = tried(with_grader(small, LENGTH))
    assert trial.judgement.why is Why.NO_RIGHT_ANSWER
    assert trial.python == "kept-in"
    assert trial.scored.columns[Answer.EMPTY].mean == 0.0


def test_a_grader_that_fails_on_whatever_can_be_made_does_not_separate(small: Small) -> None:
    trial = tried(with_grader(small, LENGTH.replace("return", "return sample['output_jsn'] and")))
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.DOES_NOT_SEPARATE, Why.FAILS)
    assert "fails on all 100 answers that could be made" in trial.detail


def test_a_grader_that_takes_answers_apart_may_be_right_to_fail_on_all_that_can_be_made(small: Small) -> None:
    trial = tried(with_grader(small, LENGTH.replace("return", "return int(sample['output_text']) ==")))
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.CANNOT_TELL, Why.NO_RIGHT_ANSWER)


def test_a_package_that_is_only_missing_here_says_nothing_of_the_grader(small: Small) -> None:
    source = "          def grade(sample, item):\n"
    trial = tried(with_grader(small, SAME.replace(source, f"{source}              import not_installed_here\n")))
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.CANNOT_TELL, Why.NOT_INSTALLED)
    assert "No module named 'not_installed_here'" in trial.detail
    assert trial.hint is not None
    assert trial.hint.startswith("do without it: the service's image lacks not_installed_here, too; it has ast-grep-py")


def test_the_histogram_has_no_answer_among_the_wrong_that_happens_to_be_right(small: Small) -> None:
    trial = tried(small)
    constant = trial.scored.columns[Answer.CONSTANT]
    assert max(constant.rewards) == 1.0 and max(constant.compared) < 1.0
    assert any("has something right in" in remark for remark in trial.remarks)


def test_python_in_a_multi_is_graded_and_its_errors_told_once_with_a_count(small: Small) -> None:
    trial = tried(with_grader(small, SAME))
    assert trial.judgement.verdict is Verdict.SEPARATES
    empty = trial.scored.columns[Answer.EMPTY]
    assert (empty.failed, empty.flags[Flag.PYTHON_RUNTIME]) == (50, 50)
    assert "nothing there" in empty.details[Flag.PYTHON_RUNTIME]


def test_a_grader_that_pays_for_anything_does_not_separate(small: Small) -> None:
    small.edit("specs/main.yaml", "operation: eq", "operation: ilike")
    small.edit("specs/main.yaml", 'input: "{{sample.output_text}}"', 'input: "{{sample.output_text}} {{item.answer}}"')
    paid = SAME.replace("0.5 * same + 0.5 * second", "min(1, same + 1)")
    small.edit("specs/main.yaml", small_grader(small), paid)
    trial = tried(small)
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.DOES_NOT_SEPARATE, Why.NOT_ABOVE)
    assert "as much in 50" in trial.detail
    assert any(remark.startswith("the constant answer") for remark in trial.remarks)


def small_grader(small: Small) -> str:
    text = (small.root / "specs/main.yaml").read_text()
    return text[text.index("    type: string_check") : text.index("jobs:")]


def test_a_grader_that_fails_on_right_answers_does_not_separate(small: Small) -> None:
    trial = tried(with_grader(small, SAME.replace("if not sample", "if sample")))
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.DOES_NOT_SEPARATE, Why.FAILS)
    assert "50 of 50 right answers" in trial.detail


VERDICTS = """\
    type: string_check
    input: "{{sample.output_json.verdict}}"
    operation: eq
    reference: "{{item.verdict}}"
"""
FORMAT = "{type: json_schema, json_schema: {name: a, schema: {type: object, properties: {verdict: {}, reason: {}}}}}"


def with_verdicts(small: Small, grader: str) -> Small:
    rows = [{"messages": [], "verdict": "yes" if n % 3 else "no", "reason": f"Because of {n}."} for n in range(60)]
    for name in ("train", "test"):
        small.write(f"specs/data/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    small.edit("specs/main.yaml", "grader: match", f"response_format: {FORMAT}\n        grader: match")
    return with_grader(small, grader)


def test_code_that_takes_a_made_up_part_apart_is_not_said_to_fail(small: Small) -> None:
    source = "def grade(sample, item): return 0.5 + int(sample['output_json']['reason'])"
    with_verdicts(small, f'    type: python\n    source: "{source}"\n')
    for name in ("train", "test"):
        small.edit(f"specs/data/{name}.jsonl", '"reason"', '"other"')
    trial = tried(small)
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.CANNOT_TELL, Why.MADE_UP)
    assert "fails on 60 of 60 right answers, but 60 of 60 have parts" in trial.detail and "--samples" in str(trial.hint)
    assert [one.code for one in run_python(load(small.options), small.world)] == ["G162"]


def with_made_up_reasons(small: Small, source: str, *, except_in: int = 0) -> Small:
    """A Python grader over rows that say no reason, but for some."""
    with_verdicts(small, f"    type: python\n    source: |\n{textwrap.indent(source, '      ')}")
    rows = [{"messages": [], "verdict": f"v{n}", **({"reason": f"r{n}"} if n < except_in else {})} for n in range(60)]
    for name in ("train", "test"):
        small.write(f"specs/data/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return small


INVERTED = "def grade(sample, item): return float(sample['output_json']['verdict'] != item['verdict'])\n"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (INVERTED, Why.NOT_ABOVE),
        (INVERTED.replace("item[", "undefined(item)["), Why.FAILS),
        (INVERTED.replace("output_json", "output_jsn"), Why.FAILS),
    ],
)
@pytest.mark.parametrize("said", [0, 30, 59])
def test_what_no_made_up_part_brings_about_is_not_excused_by_one(
    small: Small, source: str, why: Why, said: int
) -> None:
    trial = tried(with_made_up_reasons(small, source, except_in=said))
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.DOES_NOT_SEPARATE, why)
    assert trial.scored.made_up == 60 - said


@pytest.mark.parametrize("said", [0, 30])
def test_a_grader_that_wants_more_of_a_made_up_part_is_not_condemned(small: Small, said: int) -> None:
    source = INVERTED.replace("!=", "==").replace("\n", " * sample['output_json']['reason'].startswith('r')\n")
    trial = tried(with_made_up_reasons(small, source, except_in=said))
    assert (trial.judgement.verdict, trial.judgement.why) == (Verdict.CANNOT_TELL, Why.MADE_UP)
    assert "does not prefer right answers" in trial.detail


def test_an_answer_that_is_right_in_what_is_compared_is_held_against_nobody(small: Small) -> None:
    trial = tried(with_verdicts(small, VERDICTS))
    assert trial.judgement.verdict is Verdict.SEPARATES
    assert trial.scored.columns[Answer.CONSTANT].mean == pytest.approx(2 / 3)
    assert trial.scored.columns[Answer.CONSTANT].pairs.total == 20
    assert trial.scored.columns[Answer.NEAR].pairs.total == 0, "the reason is not compared"
    assert any("scores 0.67, right answers 1.00" in remark for remark in trial.remarks)


def test_a_python_grader_is_compared_where_all_parts_differ(small: Small) -> None:
    source = "def grade(sample, item): return float(sample['output_json']['verdict'] == item['verdict'])"
    trial = tried(with_verdicts(small, f'    type: python\n    source: "{source}"\n'))
    assert trial.judgement.verdict is Verdict.SEPARATES
    assert trial.scored.columns[Answer.OTHER_ROW].mean == 0.0


def test_without_a_response_format_the_grader_gets_no_json_and_that_is_said(small: Small) -> None:
    with_verdicts(small, VERDICTS)
    small.edit("specs/main.yaml", f"response_format: {FORMAT}\n        ", "")
    trial = tried(small)
    assert trial.judgement.why is Why.FAILS
    assert "job.review has no response_format, so its grader is given no sample.output_json" in trial.remarks


def test_what_the_stand_in_cannot_change_is_decided_all_the_same(small: Small) -> None:
    judge = textwrap.indent(
        JUDGE.replace("output_text", "output_json.reason").replace("item.answer", "item.reason"), "    "
    )
    multi = f"    type: multi\n    graders:\n      same:\n{textwrap.indent(VERDICTS, '    ')}      why:\n{judge}"
    trial = tried(with_verdicts(small, multi + "    calculate_output: 0.5 * same + 0.5 * why\n"))
    assert trial.judgement.verdict is Verdict.SEPARATES
    assert any("the scores are the stand-in's" in remark for remark in trial.remarks)


def test_samples_are_graded_one_by_one_as_the_job_would_hand_them_over(small: Small) -> None:
    path = small.root / "samples.jsonl"
    rows = [
        {"sample": "7", "item": {"answer": "7"}},
        {"sample": "8", "item": {"answer": "7"}},
        {"sample": "", "item": {}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    trial = tried(small, samples=path)
    assert [(one.line, one.result.reward) for one in trial.scored.listed] == [(1, 1.0), (2, 0.0), (3, 0.0)]
    assert trial.scored.column(SAMPLE).failed == 1
    assert trial.judgement.why is Why.UNMARKED
    assert tried(small, samples=path, limit=1).source.used == 1


def test_samples_are_read_as_the_job_would_even_if_its_files_are_not_managed_here(small: Small) -> None:
    path = small.root / "samples.jsonl"
    path.write_text('{"sample": "{\\"verdict\\": \\"yes\\"}", "item": {"verdict": "yes"}}\n')
    with_verdicts(small, VERDICTS)
    for name in ("training_file: train", "validation_file: test"):
        small.edit("specs/main.yaml", name, name.partition(" ")[0] + " {id: file-abc}")
    trial = tried(small, samples=path)
    assert (trial.job, trial.scored.column(SAMPLE).mean) == ("job.review", 1.0)
    small.edit("specs/main.yaml", f"response_format: {FORMAT}\n        ", "")
    trial = tried(small, samples=path)
    assert trial.judgement.why is Why.FAILS
    assert any("has no response_format" in remark for remark in trial.remarks)


def test_samples_that_all_score_the_same_are_told(small: Small) -> None:
    path = small.root / "samples.jsonl"
    path.write_text('{"sample": "8", "item": {"answer": "7"}}\n' * 3)
    assert "every sample scores 0" in tried(small, samples=path).remarks[0]


def test_whoever_listens_hears_how_far_it_is(small: Small) -> None:
    heard: list[Event] = []
    grade(small.options, Wanted(limit=3), on_event=heard.append, world=small.world)
    assert [event for event in heard if isinstance(event, Graded)] == [Graded("grader.match", n, 3) for n in (1, 2, 3)]


def test_a_system_that_keeps_nothing_in_refuses_python_and_trust_runs_it(small: Small) -> None:
    class Nowhere(PythonWorker):
        @property
        def refusal(self) -> str | None:
            return "Python graders are not run here: this system does not give namespaces."

    with_grader(small, LENGTH)
    world = replace(small.world, new_runner=Nowhere)
    with pytest.raises(UserError, match="does not give namespaces") as caught:
        grade(small.options, Wanted(), world=world)
    assert caught.value.hint is not None and "--trust-python" in caught.value.hint
    assert grade(small.options, Wanted(limit=2), trust=True, world=world).python == "trusted"


@pytest.mark.parametrize("ends", ["normally", "by Ctrl-C"])
def test_no_worker_outlives_the_command(small: Small, ends: str) -> None:
    workers: list[PythonWorker] = []

    def new_runner() -> PythonWorker:
        workers.append(PythonWorker(Isolation.TRUSTED))
        return workers[-1]

    def interrupt(event: Event) -> None:
        if ends == "by Ctrl-C" and isinstance(event, Graded):
            raise KeyboardInterrupt

    with_grader(small, LENGTH)
    try:
        grade(small.options, Wanted(), on_event=interrupt, world=replace(small.world, new_runner=new_runner))
    except KeyboardInterrupt:
        assert ends == "by Ctrl-C"
    assert [worker._process for worker in workers] == [None]


def test_what_cannot_be_graded_says_why_and_what_to_do(small: Small, tmp_path: Path) -> None:
    small.edit("specs/main.yaml", "jobs:", f"  other:\n{MATCH}jobs:".replace("deployments", "x"))

    def refused(name: str | None, kind: type[Exception] = UserError) -> Any:
        with pytest.raises(kind) as caught:
            grade(small.options, Wanted(name), on_event=ignore, world=small.world)
        return caught.value

    assert "grader.match, grader.other" in refused(None, UsageError).hint
    assert refused("matsch").hint == "did you mean grader.match?"
    assert refused("a b.c", UsageError).hint == "name a grader of the specs, or job.NAME"
    assert "--samples" in refused("other").hint
    small.edit("specs/main.yaml", "type: reinforcement\n", "type: supervised\n")
    small.edit("specs/main.yaml", "  other:\n    type: string_check", "  other:\n    type: strong_check")
    assert isinstance(refused("other", SpecError), SpecError)
