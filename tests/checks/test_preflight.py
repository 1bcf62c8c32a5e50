"""The views of a project that rules share."""

from __future__ import annotations

from datetime import date

import pytest

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


IN_FILES = """
  match:
    type: multi
    graders:
      code: {type: python, source: {file: grade.py}}
      here: {type: python, source: "def grade(sample, item):\\n    return item['anwser'] in sample['output_text']"}
      loose: {type: python, source: {file: "code/none.py"}}
      said: {type: string_check, input: {file: said.txt}, operation: eq, reference: "{{item.answer}}"}
    calculate_output: 0.25 * code + 0.25 * here + 0.25 * loose + 0.25 * said
"""
SOURCE = "import torch\n\n\ndef grade(sample, item):\n    return float(item['anwser'] in sample['output_text'])\n"
SCHEMA = """{
  "type": "json_schema",
  "json_schema": {
    "name": "answer", "strict": true,
    "schema": {"type": "object", "properties": {
        "a": {"type": "string"},
        "b": {"type": "object", "properties": {}, "required": []}
      }, "required": ["a", "b"], "additionalProperties": false}
  }
}
"""


def test_what_stands_in_a_file_of_its_own_is_found_there(small: Small) -> None:
    spec = SPEC.replace(SPEC[SPEC.index("  match:") : SPEC.index("jobs:")], IN_FILES.lstrip("\n"))
    spec = spec.replace("grader: match", "grader: match\n        response_format: {file: answer.json}")
    files = {"grade.py": SOURCE, "code/none.py": "SCORE = 1\n", "said.txt": "{{sample.output_txt}}\n"}
    for path, text in {**files, "answer.json": SCHEMA, "main.yaml": spec}.items():
        small.write(f"specs/{path}", text)
    places = {(one.code, str(one.place)) for one in small.check()}
    assert ("G152", "specs/grade.py:1:1") in places
    assert ("G169", "specs/grade.py:5:1") in places
    assert ("G169", "specs/main.yaml:10:36") in places
    assert ("G151", "specs/code/none.py") in places
    assert ("G102", "specs/said.txt") in places
    assert ("G125", "specs/answer.json:7:14") in places
    (torch,) = [one.detail for one in small.check() if one.code == "G152"]
    assert torch.startswith("torch is neither")


@pytest.mark.parametrize("nested", [True, False])
def test_a_schema_in_a_spec_or_a_file_is_found_at_its_part(small: Small, nested: bool) -> None:
    inner = "name: answer, strict: true, schema: {file: schema.json}"
    written = f"{{type: json_schema, json_schema: {{{inner}}}}}" if nested else f"{{type: json_schema, {inner}}}"
    small.write("specs/main.yaml", SPEC.replace("grader: match", f"grader: match\n        response_format: {written}"))
    small.write("specs/schema.json", '{"type": "object", "required": ["a/b"],\n "properties": {"a/b": {}}}\n')
    assert {str(one.place) for one in small.check() if one.code == "G125"} == {"specs/schema.json:1:1"}
