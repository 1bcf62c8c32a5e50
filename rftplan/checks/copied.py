"""Rules about right answers that stand in their own prompts: copying them scores, and nothing else is learnt. Pure.

Said only where it is certain: the prompt ends with what the grader compares, in nearly all rows, with different values,
and nothing else that the grader does looks at the row. The last of some options is the answer of some rows alone; what
cannot be told from a leak is a text to find the answer in that always ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.checks.formulas import combined, rises
from rftplan.checks.joins import sole_variable
from rftplan.checks.preflight import (
    Path,
    Preflight,
    Scorer,
    Written,
    grader_of,
    row_place,
    scorers,
    used_by,
    uses,
    view,
)
from rftplan.checks.probes.endings import ending_facts, endings_probe
from rftplan.checks.reads import reads
from rftplan.codes import finding, warning
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.grading.templates import Namespace
from rftplan.kinds.grader import GraderSpec, Multi, ScoreModel, StringCheck, TextSimilarity

ANSWER_IN_PROMPT: Final = warning("G116", "Prompt ends with the right answer")

NEARLY_ALL: Final = 0.9
_FEWEST_ROWS: Final = 10
_FEWEST_VALUES: Final = 2
_MOST_OF_ONE: Final = 0.8
"""Where nearly all answers are the same, a prompt that ends with this one as the last of its options is no leak."""


def ending_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Every field that is compared with the answer, in every file of the job."""
    for file in preflight.of_kind("file"):
        if paths := _compared_in(preflight, file):
            yield file.address, endings_probe(paths)


def answer_in_prompt(preflight: Preflight) -> Iterable[Diagnostic]:
    """`… Answer: 42`, and the reference is 42."""
    done: set[Address] = set()
    for use in uses(preflight):
        facts = preflight.facts.get(use.file.address)
        compared = _compared(preflight, use.job)
        if facts is None or not compared or use.file.address in done:
            continue
        endings = ending_facts(facts.found, _compared_in(preflight, use.file))
        leaking = [endings[path] for path in compared if path in endings]
        if len(leaking) < len(compared) or not all(
            one.rows >= _FEWEST_ROWS
            and one.all.count >= NEARLY_ALL * one.rows
            and one.different >= _FEWEST_VALUES
            and one.most <= _MOST_OF_ONE * one.all.count
            for one in leaking
        ):
            continue
        done.add(use.file.address)
        first, names = leaking[0], " and ".join(f"item.{'.'.join(map(str, path))}" for path in compared)
        said = f"{first.all.share(first.rows)}: the last message ends with {names}, which the grader takes for right"
        yield finding(
            ANSWER_IN_PROMPT,
            f"{said}; copying it scores",
            place=row_place(use.file, first.all.lines[0]),
            address=str(use.file.address),
            hint="take the answer out of the messages, and keep it in its own field",
        )


@view
def _compared_in(preflight: Preflight, file: Declared) -> frozenset[Path]:
    jobs = {use.job.address: use.job for use in used_by(preflight).get(file.address, ())}
    return frozenset(path for job in jobs.values() for path in _compared(preflight, job))


@view
def _compared(preflight: Preflight, job: Declared) -> tuple[Path, ...]:
    """The fields that answers are compared with; none if the grader looks at rows in any other way, too, or if it does
    not pay for being like them."""
    grader = grader_of(preflight, job)
    found: list[Path] = []
    for where, scorer in scorers(*grader) if grader else ():
        path = _reference(scorer)
        if path is not None and grader is not None and not _pays(grader, scorer):
            return ()
        if path is not None:
            found.append(path)
        elif not isinstance(scorer, ScoreModel) or _reads_rows(where, scorer):
            return ()
    return tuple(dict.fromkeys(found))


def _reference(scorer: Scorer) -> Path | None:
    if not isinstance(scorer, StringCheck | TextSimilarity) or getattr(scorer, "operation", "") == "ne":
        return None
    given, expected = sole_variable(scorer.input), sole_variable(scorer.reference)
    pair = {one.namespace: one.path for one in (given, expected) if one is not None}
    return pair.get(Namespace.ITEM) if len(pair) == 2 else None


def _pays(grader: tuple[Written, GraderSpec], scorer: Scorer) -> bool:
    """Whether the reward rises with this score, whatever the others are."""
    where, spec = grader
    if not isinstance(spec.root, Multi):
        return True
    whole = combined(where, spec)
    return whole is not None and any(rises(whole, name) for name, one in spec.root.graders.items() if one is scorer)


def _reads_rows(where: Written, scorer: Scorer) -> bool:
    return any(read.variable.namespace is Namespace.ITEM for read in reads(where, scorer))


RULES: Final = (answer_in_prompt,)
PROBES: Final = (ending_probes,)
