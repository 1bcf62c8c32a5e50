"""Rules about what a grader's texts name: the answer, its tool calls, the row, or nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.checks.preflight import Preflight, Scorer, Use, Written, scorers, uses, written_graders
from rftplan.checks.probes.tools import TOOLS_PROBE, tool_facts
from rftplan.checks.reads import Read, Slot, job_reads, reads, slots
from rftplan.codes import error, warning
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.grading.templates import Namespace, TemplateError, parse_template
from rftplan.kinds.grader import GraderSpec, Multi, Python, ScoreModel, StringCheck, TextSimilarity

NO_TOOLS: Final = error("G106", "Grader reads tool calls where no row has tools")
SOME_WITHOUT_TOOLS: Final = warning("G107", "Grader reads tool calls where some rows have no tools")
INTO_ARGUMENTS: Final = error("G108", "Grader reads into the arguments of a tool call")
BARE_VARIABLE: Final = error("G109", "Variable stands without its braces")
SINGLE_BRACES: Final = warning("G110", "Variable stands in single braces")
SAME_REFERENCE: Final = warning("G111", "Reference is the same for all rows")
ANSWER_UNREAD: Final = error("G112", "Grader never reads the answer")
MEMBER_BLIND: Final = warning("G113", "Member of a multi never reads the answer")

_BARE: Final = re.compile(r"\s*(?:item|sample)(?:\.[A-Za-z_]\w*|\[\d+\])+\s*")
_SINGLE: Final = re.compile(r"(?<!\{)\{\s*((?:item|sample)(?:\.[A-Za-z_]\w*|\[\d+\])+)\s*\}(?!\})")


def tools_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """Which rows have tools, where a grader reads tool calls."""
    for use, _ in _tool_reads(preflight):
        yield use.file.address, TOOLS_PROBE


def _tool_reads(preflight: Preflight) -> Iterator[tuple[Use, Read]]:
    """Reads of one tool call, file by file: the list itself is empty without tools, and no error."""
    for use in uses(preflight):
        for read in job_reads(preflight, use.job):
            path = read.variable.path
            if read.variable.namespace is Namespace.SAMPLE and path[0] == "output_tools" and len(path) > 1:
                yield use, read


def missing_tools(preflight: Preflight) -> Iterable[Diagnostic]:
    """A row without tools can never be answered with a tool call."""
    for use, read in _tool_reads(preflight):
        known = preflight.facts.get(use.file.address)
        facts = tool_facts(known.found) if known else None
        if facts is None or not facts.lacking:
            continue
        name = f"{{{{{read.variable}}}}}"
        if facts.lacking == facts.rows:
            detail = f"no row of {use.file.address} has tools, so {name} has no value in any answer"
            hint = "give the rows their tools, or read sample.output_text"
            yield read.where.finding(NO_TOOLS, detail, *read.slot.path, hint=hint)
        else:
            detail = (
                f"{facts.lacking} of {facts.rows} rows of {use.file.address} have no tools: there {name} has no value, "
            )
            detail += "and the grade is 0 with an error"
            yield read.where.finding(SOME_WITHOUT_TOOLS, detail, *read.slot.path, hint="give every row its tools")


def into_arguments(preflight: Preflight) -> Iterable[Diagnostic]:
    """`function.arguments` is a text that holds JSON: it has no parts."""
    for where, spec in written_graders(preflight):
        for at, scorer in scorers(where, spec):
            for read in reads(at, scorer):
                path = read.variable.path
                named = [step for step in path if isinstance(step, str)]
                found = named[:1] == ["output_tools"] and named[1:3] == ["function", "arguments"]
                if read.variable.namespace is Namespace.SAMPLE and found and path[-1] != "arguments":
                    detail = (
                        f"{{{{{read.variable}}}}}: arguments is a text that holds JSON, so it has no value in any row"
                    )
                    hint = "compare the whole text of arguments, or take it apart in a python grader with json.loads"
                    yield at.finding(INTO_ARGUMENTS, detail, *read.slot.path, hint=hint)


def forgotten_braces(preflight: Preflight) -> Iterable[Diagnostic]:
    """`item.answer` and `{item.answer}` are text like any other: answers are compared with these very letters."""
    for where, spec in written_graders(preflight):
        for at, scorer in scorers(where, spec):
            for slot in slots(scorer):
                whole = _compares(scorer) and (_BARE.fullmatch(slot.text) or _SINGLE.fullmatch(slot.text.strip()))
                if whole:
                    name = slot.text.strip("{} \n\t")
                    detail = f'"{slot.text.strip()}" is compared letter by letter; no row and no answer is looked up'
                    yield at.finding(BARE_VARIABLE, detail, *slot.path, hint=f'write "{{{{{name}}}}}"')
                elif single := _SINGLE.search(slot.text):
                    detail = f'"{single[0]}" is sent as it stands; a variable has two braces on each side'
                    yield at.finding(SINGLE_BRACES, detail, *slot.path, hint=f'write "{{{{{single[1]}}}}}"')


def _compares(scorer: Scorer) -> bool:
    return isinstance(scorer, StringCheck | TextSimilarity)


def same_reference(preflight: Preflight) -> Iterable[Diagnostic]:
    """A grader that compares, and reads nothing of the row: one answer is right for every question.

    A string_check beside others is left alone: it may look at the form of an answer alone.
    """
    for where, spec in written_graders(preflight):
        members = list(scorers(where, spec))
        alone = all(_compares(scorer) and not _reads(scorer, Namespace.ITEM) for _, scorer in members)
        for at, scorer in members:
            own = isinstance(scorer, TextSimilarity) and not _reads(scorer, Namespace.ITEM)
            if (alone or own) and _is_read_whole(scorer) and _reads(scorer, Namespace.SAMPLE):
                detail = "it compares with the same text in every row, so one answer is right for every prompt"
                hint = "write the field that holds the right answer: {{item.field}}"
                yield at.finding(SAME_REFERENCE, detail, _constant_side(scorer), hint=hint)


def _constant_side(scorer: Scorer) -> str:
    text = scorer.input if isinstance(scorer, StringCheck | TextSimilarity) else ""
    return "reference" if "{{" in text else "input"


def unread_answer(preflight: Preflight) -> Iterable[Diagnostic]:
    """Every answer gets the same score, or one that is drawn at random."""
    for where, spec in written_graders(preflight):
        members = list(scorers(where, spec))
        if not all(_is_read_whole(scorer) for _, scorer in members):
            continue
        if not any(_reads(scorer, Namespace.SAMPLE) for _, scorer in members):
            detail = (
                "no text of it has {{sample.…}}: the score does not depend on the answer, and there is nothing to learn"
            )
            key = "graders" if isinstance(spec.root, Multi) else "input"
            yield where.finding(ANSWER_UNREAD, detail, key, hint="read {{sample.output_text}}")
            continue
        yield from _blind_members(spec, members)


def _blind_members(spec: GraderSpec, members: list[tuple[Written, Scorer]]) -> Iterator[Diagnostic]:
    for at, scorer in members if isinstance(spec.root, Multi) else ():
        if isinstance(scorer, ScoreModel | TextSimilarity) and not _reads(scorer, Namespace.SAMPLE):
            detail = "no text of it has {{sample.…}}: what it scores says nothing about the answer"
            yield at.finding(MEMBER_BLIND, detail, "input", hint="read {{sample.output_text}}")


def _reads(scorer: Scorer, namespace: Namespace) -> bool:
    return any(namespace in _namespaces(slot) for slot in slots(scorer))


def _namespaces(slot: Slot) -> set[Namespace]:
    try:
        return {variable.namespace for variable in parse_template(slot.text).references}
    except TemplateError:
        return set()


def _is_read_whole(scorer: Scorer) -> bool:
    """Whether its texts say all that it reads: no code, no sound or image, no text that has a finding already."""
    if isinstance(scorer, Python):
        return False
    for slot in slots(scorer):
        try:
            parse_template(slot.text)
        except TemplateError:
            return False
        if _BARE.fullmatch(slot.text) or _SINGLE.search(slot.text):
            return False
    return not (isinstance(scorer, ScoreModel) and '"input_audio"' in scorer.model_dump_json(include={"input"}))


RULES: Final = (missing_tools, into_arguments, forgotten_braces, same_reference, unread_answer)
PROBES: Final = (tools_probes,)
