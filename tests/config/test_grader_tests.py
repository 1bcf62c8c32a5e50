"""`tests:` in specs: read strictly, each misfit at its place with what to do."""

from __future__ import annotations

import json

import pytest

from rftplan.config import read_config
from rftplan.config.grader_tests import GraderTestSpec, RangeSpec, SampleSpec
from rftplan.loading import load
from rftplan.source.root import Root
from tests.findings import lines_of
from tests.world import SPEC, Small

M = "specs/main.yaml"
START = SPEC.count("\n") + 2
"""The line of the first test's name."""


def found(small: Small, test: str) -> list[str]:
    small.write("specs/main.yaml", f"{SPEC}tests:\n  one: {test}\n")
    return lines_of(load(small.options).diagnostics)


def read(small: Small, test: str) -> GraderTestSpec:
    assert found(small, test) == []
    config, _ = read_config(Root(small.root), "specs")
    spec = config.tests["one"].spec
    assert isinstance(spec, GraderTestSpec)
    return spec


GOOD = '{grader: match, item: {answer: "3"}, sample: "3", expect: 1}'


def test_a_test_is_a_grader_an_item_a_sample_and_a_score(small: Small) -> None:
    spec = read(small, GOOD)
    assert (spec.grader, spec.item, spec.sample, spec.expect) == ("match", {"answer": "3"}, "3", 1)


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        ("{output_text: '3'}", "3"),
        ("{output_json: {a: [1, null]}}", '{"a": [1, null]}'),
        ("{output_json: null}", "null"),
        ("{output_tools: [{type: function}]}", ""),
        ("{output_text: x, output_json: {a: 1}}", "x"),
    ],
)
def test_a_sample_may_be_an_object_with_its_parts(small: Small, sample: str, text: str) -> None:
    spec = read(small, GOOD.replace('sample: "3"', f"sample: {sample}"))
    assert isinstance(spec.sample, SampleSpec)
    assert (spec.sample.text, spec.sample.has_json) == (text, "output_json" in sample)


def test_the_grader_of_a_job_needs_a_name_first(small: Small) -> None:
    (line,) = found(small, GOOD.replace("grader: match", "grader: job.review"))
    assert line.endswith("| write the grader of job.review under graders:, and its name here and in the job")
    (line,) = found(small, GOOD.replace("grader: match", "grader: grader.match"))
    assert line.endswith("| write match")


def test_texts_and_structures_may_lie_in_files(small: Small) -> None:
    small.write("specs/answer.txt", "3\n")
    small.write("specs/item.json", json.dumps({"answer": "3"}))
    spec = read(small, "{grader: match, item: {file: item.json}, sample: {file: answer.txt}, expect: {min: 0.5}}")
    assert (spec.item, spec.sample, spec.expect) == ({"answer": "3"}, "3", RangeSpec(min=0.5))
    spec = read(small, GOOD.replace('sample: "3"', "sample: {output_json: {file: item.json}}"))
    assert isinstance(spec.sample, SampleSpec) and spec.sample.output_json == {"answer": "3"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("grader: match, ", "", f'S203 {M}:{START}:3 "grader" is required here | add grader:'),
        (", expect: 1", "", f'S203 {M}:{START}:3 "expect" is required here | add expect:'),
        ("grader: match", "grader: mtach", f'S207 {M}:{START}:17 grader points to "grader.mtach", which is not '
         'declared | did you mean "match"?'),
        ("grader: match", "grader: grader.match", f'S205 {M}:{START}:17 must be a name, not "grader.match" | '
         "write match"),
        ("expect: 1", "expct: 1", f'S202 {M}:{START}:58 "expct" is not a field here | did you mean "expect"?'),
        ('item: {answer: "3"}', "item: [3]", f"S204 {M}:{START}:30 item: must be a mapping, not [3] | "
         "give each item a name: `NAME: {…}`"),
        ('item: {answer: "3"}', 'item: {messages: [], answer: "3"}', f"S204 {M}:{START}:30 item: graders are not given "
         "messages | item is the row without them; take them out"),
        ('sample: "3"', "sample: 3", f'S204 {M}:{START}:53 sample: must be a text, not 3 | put quotes around it: "3"'),
        ('sample: "3"', "sample: {output_txt: x}", f'S202 {M}:{START}:54 "output_txt" is not a field here | '
         'did you mean "output_text"?'),
        ('sample: "3"', "sample: {}", f"S204 {M}:{START}:53 sample: must have output_text, output_json or "
         "output_tools"),
        ('sample: "3"', "sample: {output_tools: {}}", f"S204 {M}:{START}:68 sample.output_tools: must be a list, "
         "not {} | write a list: [{}]"),
        ('sample: "3"', "sample: {file: gone.txt}", f'S211 {M}:{START}:53 "specs/gone.txt" does not exist | '
         "check the spelling; a path is relative to its YAML file"),
        ("expect: 1", "expect: yes", f'S204 {M}:{START}:66 expect: must be a number, not "yes" | write a number'),
        ("expect: 1", "expect: true", f"S204 {M}:{START}:66 expect: must be a number, not true | write a number"),
        ("expect: 1", "expect: {}", f"S204 {M}:{START}:66 expect: must have min, max or both"),
        ("expect: 1", "expect: {min: 0.9, max: 0.1}", f"S204 {M}:{START}:66 expect: min 0.9 is above max 0.1: no score "
         "lies between | write the smaller one as min"),
        ("expect: 1", "expect: {at_least: 1}", f'S202 {M}:{START}:67 "at_least" is not a field here | '
         "fields here are min, max"),
    ],
)  # fmt: skip
def test_a_misfit_is_found_at_its_place_with_what_to_do(small: Small, old: str, new: str, says: str) -> None:
    assert old in GOOD
    assert found(small, GOOD.replace(old, new)) == [says]


def test_names_and_repeats_are_as_everywhere(small: Small) -> None:
    small.write("specs/more.yaml", f"tests: {{one: {GOOD}, No: {GOOD}}}\n")
    assert found(small, GOOD) == [
        f"S206 specs/more.yaml:1:9 test.one is declared at {M}:{START}:3 already | remove or rename one of them",
        'S205 specs/more.yaml:1:76 "No" cannot name a test | use lower-case letters, digits, - and _; start with a '
        "letter or digit; at most 63 characters",
    ]


def test_tests_are_part_of_no_plan_and_of_no_fingerprint(small: Small) -> None:
    small.train()
    lock = small.lock()
    small.write("specs/main.yaml", f"{SPEC}tests:\n  one: {GOOD}\n")
    assert small.verbs() == {}
    assert small.lock() == lock
