"""The views of a project that rules share."""

from __future__ import annotations

from datetime import date

from rftplan.api.profiles import profile
from rftplan.checks.preflight import Method, Preflight, Role, grader_of, method_of, scorers, uses, written_graders
from rftplan.checks.reads import item_fields, job_reads, slots
from rftplan.config import read_config
from rftplan.source.root import Root
from tests.findings import edited, with_grader
from tests.world import SPEC, Small

MULTI = (
    "    type: multi\n    graders:\n"
    '      one: {type: string_check, input: "{{sample.output_text}}", operation: eq, reference: "{{item.answer}}"}\n'
    "      two: {type: score_model, model: m, input: [{role: user, content: "
    '[{type: input_text, text: "{{item.a}} {{ item.a }}"}]}]}\n'
    "    calculate_output: one + two\n"
)


def preflight_of(small: Small, spec: str) -> Preflight:
    small.write("specs/main.yaml", spec)
    config, _ = read_config(Root(small.root), "specs")
    return Preflight(config, profile("local"), date(2026, 11, 22))


def test_uses_are_the_files_of_each_job_in_their_roles(small: Small) -> None:
    found = [
        (str(use.job.address), use.method, use.role, str(use.file.address)) for use in uses(preflight_of(small, SPEC))
    ]
    assert found == [
        ("job.review", Method.REINFORCEMENT, Role.TRAINING, "file.train"),
        ("job.review", Method.REINFORCEMENT, Role.VALIDATION, "file.test"),
    ]


def test_a_raw_id_and_a_name_that_is_not_declared_are_no_use(small: Small) -> None:
    spec = edited(("training_file: train", "training_file: {id: file-abc}"), ("_file: test", "_file: nowhere"))
    assert list(uses(preflight_of(small, spec))) == []


def test_a_job_without_a_method_is_supervised(small: Small) -> None:
    spec = edited((SPEC[SPEC.index("    method:") : SPEC.index("deployments:")], ""))
    (job,) = preflight_of(small, spec).of_kind("job")
    assert method_of(job) is Method.SUPERVISED
    assert grader_of(preflight_of(small, spec), job) is None


def test_each_grader_is_there_once_and_scorers_have_their_names(small: Small) -> None:
    preflight = preflight_of(small, with_grader(MULTI))
    ((written, spec),) = written_graders(preflight)
    assert [where.of for where, _ in scorers(written, spec)] == ["grader.match/one", "grader.match/two"]


def test_a_grader_in_place_belongs_to_its_job(small: Small) -> None:
    inner = '{type: string_check, input: a, operation: eq, reference: "{{item.answer}}"}'
    preflight = preflight_of(small, edited(("grader: match", f"grader: {inner}")))
    assert [written.of for written, _ in written_graders(preflight)] == ["grader.match", "job.review"]
    (job,) = preflight.of_kind("job")
    used = grader_of(preflight, job)
    assert used is not None and used[0].of == "job.review"
    assert str(used[0].place("reference")) == "specs/main.yaml:19:74"


def test_reads_are_every_variable_of_every_text_once_a_text(small: Small) -> None:
    preflight = preflight_of(small, with_grader(MULTI))
    (job,) = preflight.of_kind("job")
    found = [(read.where.of, read.slot.path, str(read.variable)) for read in job_reads(preflight, job)]
    assert found[:2] == [
        ("grader.match/one", ("input",), "sample.output_text"),
        ("grader.match/one", ("reference",), "item.answer"),
    ]
    assert {name for _, _, name in found[2:]} == {"item.a"}
    (file, _) = preflight.of_kind("file")
    assert item_fields(preflight, file) == {("answer",), ("a",)}


def test_a_text_that_is_no_template_is_a_slot_and_no_read(small: Small) -> None:
    preflight = preflight_of(small, edited(("{{item.answer}}", "{{item.answer")))
    (job,) = preflight.of_kind("job")
    ((_, spec),) = written_graders(preflight)
    assert [slot.text for slot in slots(spec.root)] == ["{{sample.output_text}}", "{{item.answer"]  # type: ignore[arg-type]
    assert [str(read.variable) for read in job_reads(preflight, job)] == ["sample.output_text"]
