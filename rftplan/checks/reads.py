"""What graders read: every variable of every template, and where it is written. Reads no rows."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from rftplan.checks.preflight import Path, Preflight, Scorer, Written, grader_of, scorers, used_by, view
from rftplan.checks.probes.fields import FieldFacts, field_facts
from rftplan.config import Declared
from rftplan.grading.templates import Namespace, Reference, TemplateError, parse_template
from rftplan.kinds.grader import Message, Part, ScoreModel, StringCheck, TextSimilarity


class Slot(Struct, frozen=True):
    """A text of a grader that may hold variables, and the path of it inside the grader."""

    path: Path
    text: str


class Read(Struct, frozen=True):
    """One variable, as one grader reads it."""

    where: Written
    scorer: Scorer
    slot: Slot
    variable: Reference


def slots(scorer: Scorer) -> Iterator[Slot]:
    """Every template of a grader that scores by itself. A Python grader has none: it reads what its code reads."""
    if isinstance(scorer, StringCheck | TextSimilarity):
        yield Slot(("input",), scorer.input)
        yield Slot(("reference",), scorer.reference)
    elif isinstance(scorer, ScoreModel):
        for index, message in enumerate(scorer.input):
            yield from _message_slots(message, ("input", index, "content"))


def _message_slots(message: Message, path: Path) -> Iterator[Slot]:
    if isinstance(message.content, str):
        yield Slot(path, message.content)
        return
    parts = (message.content,) if isinstance(message.content, Part) else message.content
    for index, part in enumerate(parts):
        at = path if isinstance(message.content, Part) else (*path, index)
        for key in ("text", "image_url"):
            written = getattr(part, key)
            if written is not None:
                yield Slot((*at, key), written)


def reads(where: Written, scorer: Scorer) -> Iterator[Read]:
    """Every variable that a grader reads; a text that is no template has a finding of its own."""
    for slot in slots(scorer):
        try:
            template = parse_template(slot.text)
        except TemplateError:
            continue
        for variable in dict.fromkeys(template.references):
            yield Read(where, scorer, slot, variable)


@view
def job_reads(preflight: Preflight, job: Declared) -> tuple[Read, ...]:
    """Every variable that the grader of one job reads."""
    used = grader_of(preflight, job)
    return tuple(read for where, scorer in scorers(*used) for read in reads(where, scorer)) if used else ()


@view
def item_fields(preflight: Preflight, file: Declared) -> frozenset[Path]:
    """Every path into a row of this file that any job's grader reads."""
    jobs = {use.job.address: use.job for use in used_by(preflight).get(file.address, ())}
    found = (read.variable for job in jobs.values() for read in job_reads(preflight, job))
    return frozenset(variable.path for variable in found if variable.namespace is Namespace.ITEM)


@view
def columns_of(preflight: Preflight, file: Declared) -> FieldFacts | None:
    """What the rows of a file have at those paths; None if nobody could look."""
    known = preflight.facts.get(file.address)
    return field_facts(known.found, item_fields(preflight, file)) if known else None
