"""Many answers graded by one grader. Python graders get theirs several at a time; knows no other difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import tee

from rftplan.grading.graders import Grader, Item, Python
from rftplan.grading.judges import Judge
from rftplan.grading.multi import Multi
from rftplan.grading.result import Result
from rftplan.grading.sample import Sample


def grade_all(grader: Grader, answers: Iterable[tuple[Sample, Item]], judge: Judge) -> Iterator[Result]:
    """What `grader.grade` gives for each, in order, as far as somebody asks. Few more answers are taken than that: as
    many as are sent together. Raises RuntimeError if it refuses."""
    if isinstance(grader, Python):
        yield from grader.results(answers)
    elif isinstance(grader, Multi):
        turns, *copies = tee(answers, len(grader.members) + 1)
        asked = zip(grader.members.items(), copies, strict=True)
        by_member = {key: grade_all(member, copy, judge) for (key, member), copy in asked}
        for _ in turns:
            yield grader.combined({key: next(results) for key, results in by_member.items()})
    else:
        for sample, item in answers:
            yield grader.grade(sample, item, judge)
