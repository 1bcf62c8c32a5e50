"""Rules about what a grader expects of an answer in JSON, and what the job's response format lets it be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from rftplan.checks.joins import Join, column, join_of, texts
from rftplan.checks.preflight import Preflight, Use, grader_of, scorers, uses
from rftplan.checks.reads import Read, job_reads
from rftplan.checks.schema_views import Schema, all_types, allowed_texts, at_path, names_at
from rftplan.codes import Code, error, warning
from rftplan.config import Declared
from rftplan.errors import Diagnostic
from rftplan.grading.templates import Namespace, Reference
from rftplan.spelling import close_names

NO_FORMAT: Final = error("G120", "Grader reads JSON that no response format asks for")
NOT_IN_SCHEMA: Final = error("G121", "Grader reads what the schema forbids")
NOT_DESCRIBED: Final = warning("G122", "Grader expects what the schema does not say")
VALUE_FORBIDDEN: Final = error("G123", "Rows expect an answer that the schema forbids")
TYPE_DIFFERS: Final = warning("G124", "Grader compares text with what the schema makes no text")
WHOLE_OBJECT: Final = error("G128", "Grader compares a whole JSON answer with what is none")

_MOST_SHOWN: Final = 3


class Format(Struct, frozen=True):
    """A job's JSON schema. `enforced`: the service lets no answer be otherwise."""

    job: Declared
    schema: Schema
    enforced: bool

    @property
    def named(self) -> str:
        return f"the schema of {self.job.address}"


def format_of(job: Declared) -> Format | None:
    """The schema that a job's answers follow; None if it has none."""
    written: Any = job.spec.reinforcement.response_format if job.spec.reinforcement else None
    inner = written.get("json_schema") if isinstance(written, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("schema"), Mapping):
        return None
    return Format(job, inner["schema"], inner.get("strict") is True)


def _json_reads(preflight: Preflight) -> Iterator[tuple[Declared, Read]]:
    for job in preflight.of_kind("job"):
        for read in job_reads(preflight, job):
            if _is_json(read.variable):
                yield job, read


def _is_json(variable: Reference) -> bool:
    return variable.namespace is Namespace.SAMPLE and variable.path[0] == "output_json"


def json_without_format(preflight: Preflight) -> Iterable[Diagnostic]:
    """`sample.output_json` is filled only where the job has a response format: without one every row is an error."""
    for job, read in _json_reads(preflight):
        written = job.spec.reinforcement.response_format
        if written is None or written.get("type") == "text":
            detail = f"{job.address} has no response_format, so {{{{{read.variable}}}}} has no value in any row"
            hint = "give the job a response_format of type json_schema, or read sample.output_text"
            yield read.where.finding(NO_FORMAT, detail, *read.slot.path, hint=hint)


def path_not_in_schema(preflight: Preflight) -> Iterable[Diagnostic]:
    """`output_json.complaint` where answers have `compliant`: an error in every row."""
    for job, read in _json_reads(preflight):
        form = format_of(job)
        path = read.variable.path[1:]
        lacking = lacks(form, path) if form else None
        if form is None or lacking is None:
            continue
        certain = lacking is Lacks.SURELY
        said = "forbids it in every answer" if certain else "does not describe it, and answers need not have it"
        detail = f"{{{{{read.variable}}}}}: {form.named} {said}"
        code = NOT_IN_SCHEMA if certain else NOT_DESCRIBED
        yield read.where.finding(code, detail, *read.slot.path, hint=_closest(form, path))


class Lacks(Enum):
    """Whether answers can have what a grader reads of them: none has it, or none needs to."""

    SURELY = 1
    MAYBE = 2


def lacks(form: Format, path: tuple[str | int, ...]) -> Lacks | None:
    """How surely answers lack this part; None where they may well have it, or nobody can say."""
    found = at_path(form.schema, path, form.schema)
    if found or (found is None and not _undescribed(form, path)):
        return None
    return Lacks.SURELY if found is not None and form.enforced else Lacks.MAYBE


def _undescribed(form: Format, path: tuple[str | int, ...]) -> bool:
    """Whether the step that leaves the schema leaves an object whose properties are named, though others may be."""
    for length, step in enumerate(path):
        names = names_at(form.schema, path[:length], form.schema)
        if isinstance(step, str) and names and step not in names:
            return True
    return False


def _closest(form: Format, path: tuple[str | int, ...]) -> str | None:
    for length, step in enumerate(path):
        names = names_at(form.schema, path[:length], form.schema)
        if isinstance(step, str) and step not in names:
            close = close_names(step, names)
            if close:
                return f'did you mean "{close[0]}"?'
            return f"it has {', '.join(names[:20])}" if names else None
    return None


class _Joined(Struct, frozen=True):
    """A string_check that joins a part of the answer which the schema describes, with a field of a file's rows."""

    use: Use
    form: Format
    join: Join
    found: list[Schema]

    def finding(self, code: Code, detail: str, *, hint: str) -> Diagnostic:
        return self.join.where.finding(code, detail, self.join.field_key, hint=hint)


def _joined(preflight: Preflight) -> Iterator[_Joined]:
    for use in uses(preflight):
        form, grader = format_of(use.job), grader_of(preflight, use.job)
        if form is None or grader is None:
            continue
        for where, scorer in scorers(*grader):
            join = join_of(where, scorer)
            if join is not None and _is_json(join.answer):
                found = at_path(form.schema, join.answer.path[1:], form.schema)
                if found:
                    yield _Joined(use, form, join, found)


def forbidden_value(preflight: Preflight) -> Iterable[Diagnostic]:
    """The schema's enum has "needs_review", the rows say "needs review": such rows can never score."""
    for one in _joined(preflight):
        listed, seen = allowed_texts(one.found), column(preflight, one.use, one.join.field.path)
        if not listed or seen is None or one.join.check.operation == "ne":
            continue
        never = {value: n for value, n in texts(seen) if not any(one.join.matches(answer, value) for answer in listed)}
        if never:
            shown = ", ".join(f'"{value}" ({n} rows)' if n > 1 else f'"{value}" (1 row)' for value, n in _first(never))
            forbids = "forbids" if one.form.enforced else "does not list"
            detail = (
                f"{{{{{one.join.field}}}}} in {one.use.file.address} is {shown}, which {one.form.named} {forbids}: "
            )
            detail += "there this string_check scores 0 whatever the model answers"
            hint = f"it lists {', '.join(f'{chr(34)}{text}{chr(34)}' for text in listed[:10])}"
            yield one.finding(VALUE_FORBIDDEN if one.form.enforced else NOT_DESCRIBED, detail, hint=hint)


def _first(never: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(never.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_SHOWN]


def compared_type(preflight: Preflight) -> Iterable[Diagnostic]:
    """A number or true/false of the answer against a text: how the service writes it is not established."""
    for one in _joined(preflight):
        allowed, seen = all_types(one.found), column(preflight, one.use, one.join.field.path)
        if allowed is None or "string" in allowed or seen is None or not seen.kinds.get("string"):
            continue
        kinds = " or ".join(sorted(allowed - {"null"} or allowed))
        detail = f"{{{{{one.join.answer}}}}} is {kinds} by {one.form.named}, and {{{{{one.join.field}}}}} is text: "
        detail += "how the service writes such a value into text is not established"
        hint = 'make it {"type": "string"} in the schema, with an enum if there are few values'
        yield one.join.where.finding(TYPE_DIFFERS, detail, one.join.answer_key, hint=hint)


def whole_object(preflight: Preflight) -> Iterable[Diagnostic]:
    """An answer that is a JSON object, compared as a whole with a field that is none: no answer is ever equal."""
    done: set[str] = set()
    for use, form, join in _whole_joins(preflight):
        seen = column(preflight, use, join.field.path)
        values = dict(texts(seen)) if seen else {}
        if join.where.of in done or not values or any(value.lstrip().startswith("{") for value in values):
            continue
        done.add(join.where.of)
        detail = (
            f"by {form.named} every answer is a JSON object, and {{{{{join.field}}}}} in {use.file.address} is none: "
            "this string_check scores 0 whatever the model answers"
        )
        hint = "compare the part that is meant: {{sample.output_json.…}}"
        yield join.where.finding(WHOLE_OBJECT, detail, join.answer_key, hint=hint)


def _whole_joins(preflight: Preflight) -> Iterator[tuple[Use, Format, Join]]:
    """String_checks for equality of the whole text of an answer that is to be an object."""
    for use in uses(preflight):
        form, grader = format_of(use.job), grader_of(preflight, use.job)
        if form is None or form.schema.get("type") != "object" or grader is None:
            continue
        for where, scorer in scorers(*grader):
            join = join_of(where, scorer)
            if join and join.check.operation == "eq" and join.answer.path == ("output_text",):
                yield use, form, join


RULES: Final = (json_without_format, path_not_in_schema, forbidden_value, compared_type, whole_object)
PROBES: Final = ()
