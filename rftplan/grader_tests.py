"""The `tests:` of the specs, run on this machine like unit tests. Asks no service, and decides no exit code.

A test that only the stand-in could judge is skipped: it compares words, so neither its yes nor its no means anything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rftplan.codes import DATA_MISSING
from rftplan.config import Declared
from rftplan.config.grader_tests import GraderTestSpec, RangeSpec, SampleSpec
from rftplan.errors import Diagnostic, Place, Severity, SpecError, UserError
from rftplan.events import OnEvent, ignore
from rftplan.grading import Flag, Grader, GraderError, GraderType, Judge, Namespace, Result, Sample, VariableError
from rftplan.grading.scores import judged, members
from rftplan.loading import Options, load
from rftplan.spelling import close_names
from rftplan.trial import Subject, find_subject, response_format_of
from rftplan.wiring import Bench, World, bench, real_world

_EXACT: Final = 1e-9
"""Scores are sums of decimals: 0.1 + 0.2 is what 0.3 expects."""
_OF_THE_ANSWER: Final = frozenset({Flag.SAMPLE_PARSE, Flag.INVALID_VARIABLE})
"""What an answer can be to blame for: the service gives it 0 for that, which a test may well expect."""
_MOST_NAMES: Final = 10


class Verdict(StrEnum):
    """What became of one test."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Expected(Struct, frozen=True):
    """From `low` to `high`, both included."""

    low: float
    high: float

    def holds(self, score: float) -> bool:
        return self.low - _EXACT <= score <= self.high + _EXACT

    @classmethod
    def of(cls, written: float | RangeSpec) -> Expected:
        if not isinstance(written, RangeSpec):
            return cls(written, written)
        low = -math.inf if written.min is None else written.min
        return cls(low, math.inf if written.max is None else written.max)


class RanTest(Struct, frozen=True, kw_only=True):
    """One test. `result` is None where nothing was graded; `reason` says why it failed or was skipped. `seconds` are
    those of the grading."""

    name: str
    grader: str
    place: Place
    expected: Expected
    verdict: Verdict
    result: Result | None = None
    reason: str | None = None
    hint: str | None = None
    seconds: float = 0.0


class RanTests(Struct, frozen=True):
    """Those that were asked for, in the order of the specs. `judge` is who judges for `score_model` here; None if no
    test needs one."""

    tests: Sequence[RanTest]
    judge: Judge | None

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.tests)


def run_tests(
    options: Options,
    names: Sequence[str] = (),
    *,
    on_event: OnEvent = ignore,
    world: World | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> RanTests:
    """Grade each test's sample. SpecError if the specs have errors; those of data files do not count, which no test
    reads. UserError for a name that no test has. `clock` is in seconds."""
    loaded = load(options, on_event)
    if errors := [found for found in loaded.diagnostics if _matters(found)]:
        raise SpecError(errors)
    chosen = _chosen(loaded.preflight.config.tests, names)
    with bench(loaded, world or real_world()) as at:
        graders = {name: find_subject(loaded.preflight, f"grader.{name}") for name in _graders_of(chosen)}
        ready = {name: _Ready.of(at, subject) for name, subject in graders.items()}
        asked = any(one.judged for one in ready.values())
        ran = [ready[test.spec.grader].run(test, at.judge, clock) for test in chosen]
        return RanTests(ran, at.judge if asked else None)


def _matters(found: Diagnostic) -> bool:
    """Data, models, jobs and budgets decide nothing about what a grader scores."""
    elsewhere = found.code[0] in "DMJC" or found.code == DATA_MISSING.code
    return found.severity is Severity.ERROR and not elsewhere


def _chosen(tests: Mapping[str, Declared], names: Sequence[str]) -> Sequence[Declared]:
    wanted = [name.removeprefix("test.") for name in names]
    for name in wanted:
        if name not in tests:
            close = close_names(name, tests)
            known = ", ".join(list(tests)[:_MOST_NAMES]) or "none"
            more = f" and {len(tests) - _MOST_NAMES} more" if len(tests) > _MOST_NAMES else ""
            hint = f"did you mean {close[0]}?" if close else f"there is {known}{more}"
            raise UserError(f'there is no test "{name}"', hint=hint)
    return [test for name, test in tests.items() if not wanted or name in wanted]


def _graders_of(chosen: Sequence[Declared]) -> Sequence[str]:
    return list(dict.fromkeys(test.spec.grader for test in chosen))


class _Ready(Struct, frozen=True):
    """A grader as it grades here, or why it does not. `with_json`: whether its jobs ask for JSON, so that the service
    fills `sample.output_json`."""

    of_name: str
    grader: Grader | None
    refusal: str | None
    with_json: bool

    @classmethod
    def of(cls, at: Bench, subject: Subject) -> _Ready:
        jobs = subject.jobs
        with_json = not jobs or any(response_format_of(job) is not None for job in jobs)
        try:
            grader = at.read_grader(subject.body)
        except GraderError as error:
            return cls(subject.where.of, None, str(error), with_json)
        skipped = judged(grader) and at.judge.stand_in
        return cls(subject.where.of, grader, None if skipped else grader.refusal, with_json)

    @property
    def judged(self) -> bool:
        return self.grader is not None and judged(self.grader)

    def run(self, test: Declared, judge: Judge, clock: Callable[[], float]) -> RanTest:
        spec: GraderTestSpec = test.spec
        began = clock()
        verdict, result, reason, hint = self._outcome(spec, judge)
        return RanTest(
            name=test.address.name,
            grader=self.of_name,
            place=test.place,
            expected=Expected.of(spec.expect),
            verdict=verdict,
            result=result,
            reason=reason,
            hint=hint,
            seconds=clock() - began,
        )

    def _outcome(self, spec: GraderTestSpec, judge: Judge) -> tuple[Verdict, Result | None, str | None, str | None]:
        if self.judged and judge.stand_in:
            reason = f"{self.of_name} asks a model, and here is only the {judge.name}"
            return Verdict.SKIPPED, None, reason, "name a judge in project.provider.judge"
        if self.grader is None or self.refusal is not None:
            return Verdict.FAILED, None, self.refusal, _way_out(self.grader)
        result = self.grader.grade(sample_of(spec.sample, with_json=self.with_json), spec.item, judge)
        if not Expected.of(spec.expect).holds(result.reward):
            return Verdict.FAILED, result, None, None
        if _broken(self.grader, result, spec):
            return Verdict.FAILED, result, "the score is what an error leaves, not what the answer earned", None
        return Verdict.PASSED, result, None, None


def sample_of(written: str | SampleSpec, *, with_json: bool) -> Sample:
    """The answer as graders see it. What is given as `output_json` is taken as given, whatever the text says."""
    read = Sample.of_text if with_json else Sample.of_plain_text
    if isinstance(written, str):
        return read(written)
    made = read(written.text, tools=written.output_tools)
    return Sample(made.output_text, written.output_json, made.output_tools) if written.has_json else made


def _broken(grader: Grader, result: Result, spec: GraderTestSpec) -> bool:
    """Whether an error that is not the answer's own made the score: then `expect: 0` would hold for any answer."""
    if not result.errors:
        return False
    return not result.errors.keys() <= _OF_THE_ANSWER or not _item_is_complete(grader, spec)


def _item_is_complete(grader: Grader, spec: GraderTestSpec) -> bool:
    try:
        for reference in grader.references:
            if reference.namespace is Namespace.ITEM:
                reference.value(Sample(""), spec.item)
    except VariableError:
        return False
    return True


def _way_out(grader: Grader | None) -> str | None:
    if grader is None:
        return "rftplan check says where"
    refused = {member.type for member in members(grader).values() if member.refusal is not None}
    return "--trust-python runs it with your own rights; read it first" if GraderType.PYTHON in refused else None
