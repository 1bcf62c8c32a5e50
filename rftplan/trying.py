"""A grader of a project, tried on this machine: which files, which judge, which rows. Asks no service.

What is executed of a spec is executed here, because somebody asked for it; `check` does not come here by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.canonical import JsonObject
from rftplan.checks.preflight import Role
from rftplan.config import Declared
from rftplan.errors import Severity, SpecError, UserError, has_errors
from rftplan.events import Graded, Hashed, OnEvent, ignore
from rftplan.grading import Grader, GraderError, GraderType, Namespace
from rftplan.grading.call_answers import AnyQuestions, questions_of
from rftplan.grading.scores import judged, members
from rftplan.kinds.file import path_from_root
from rftplan.loading import Loaded, Options, load
from rftplan.trial import (
    ROLES,
    SAMPLE,
    Judgement,
    Rater,
    Scored,
    Subject,
    Verdict,
    Why,
    find_subject,
    judge_samples,
    rate_questions,
    rate_samples,
    read_samples,
    response_format_of,
    rows_spread,
)
from rftplan.trial.runs import OnGraded, Record, forget
from rftplan.trial.words import detail_of, hint_of, remarks_of
from rftplan.wiring import Bench, World, bench, real_world, trusting

SOME_ROWS: Final = 100
"""Of a data file, unless somebody says how many."""
_OTHERS: Final = 1_000
"""Rows whose right answers serve as wrong ones for the others."""


class JudgeUsed(Struct, frozen=True):
    """Who judged for `score_model`."""

    name: str
    stand_in: bool


class Source(Struct, frozen=True):
    """Where answers came from: `used` of the `rows` in a file, named from the project's root or as it was given."""

    path: str
    rows: int
    used: int
    samples: bool


class Trial(Struct, frozen=True, kw_only=True):
    """What became of it. `job` is the one whose rows and response format were taken; `python` says how Python
    graders ran, None if there are none."""

    grader: str
    type: GraderType
    job: str | None
    source: Source
    judge: JudgeUsed | None
    python: str | None
    scored: Scored
    judgement: Judgement
    detail: str
    hint: str | None
    remarks: tuple[str, ...] = ()


class Wanted(Struct, frozen=True):
    """What is to be tried, and on what. `samples` is a file of them; otherwise answers are made from the rows of a
    file of a job, that of the first role which has one. `limit` None: all samples, or some rows."""

    name: str | None = None
    samples: Path | None = None
    limit: int | None = None
    roles: tuple[Role, ...] = ROLES


def grade(
    options: Options,
    wanted: Wanted,
    *,
    trust: bool = False,
    on_event: OnEvent = ignore,
    record: Record = forget,
    world: World | None = None,
) -> Trial:
    """Grade, and say what that says of the grader. `trust` runs Python graders with this user's rights, `record` is
    given every answer with its row and score.

    SpecError if the grader cannot be read, SamplesError for a file of samples that has faults, UserError if nothing
    can be graded: no rows, a Python grader that nothing would keep in.
    """
    loaded = load(options, on_event)
    subject = _subject(loaded, wanted.name)
    world = world or real_world()
    with bench(loaded, trusting(world) if trust else world) as at:
        grader = ready_grader(at, subject)
        rater = Rater(grader, at.judge)
        if wanted.samples is not None:
            trial = _on_samples(subject, rater, wanted, wanted.samples, on_event, record)
        else:
            trial = _on_rows(loaded, subject, rater, wanted, on_event, record)
    return replace(trial, remarks=(*trial.remarks, *_doubts(loaded)), python=_isolation(grader, trust=trust))


def _subject(loaded: Loaded, name: str | None) -> Subject:
    try:
        return find_subject(loaded.preflight, name)
    except UserError:
        if has_errors(loaded.diagnostics) and _unread(loaded, name):
            raise SpecError(loaded.diagnostics) from None
        raise


def _unread(loaded: Loaded, name: str | None) -> bool:
    """Whether it may be there, in what could not be read."""
    config = loaded.preflight.config
    lost = {part for address in config.broken for part in (str(address), address.name)}
    return name is None or name in lost or bool({"grader", "job"} & config.unread) or not config.declared


def ready_grader(at: Bench, subject: Subject) -> Grader:
    """The grader, fit to grade here. UserError if it is wrong, or if something that it needs is missing."""
    try:
        grader = at.read_grader(subject.body)
    except GraderError as error:
        raise UserError(f"{subject.where.of}: {error}", hint="rftplan check says where") from None
    if (refusal := grader.refusal) is not None:
        raise UserError(f"{subject.where.of}: {refusal}", hint=_way_out(grader))
    return grader


def _way_out(grader: Grader) -> str | None:
    refused = {member.type for member in members(grader).values() if member.refusal is not None}
    if GraderType.PYTHON in refused:
        return "--trust-python runs it with your own rights; read it first"
    return "pip install 'rftplan[metrics]' has what every metric needs"


def _isolation(grader: Grader, *, trust: bool) -> str | None:
    if GraderType.PYTHON not in {member.type for member in members(grader).values()}:
        return None
    return "trusted" if trust else "kept-in"


def _doubts(loaded: Loaded) -> Iterator[str]:
    errors = sum(found.severity is Severity.ERROR for found in loaded.diagnostics)
    if errors:
        noun = "error" if errors == 1 else "errors"
        yield f"the specs have {errors} {noun}, which may bear on these scores; check lists them"


def _on_samples(subject: Subject, rater: Rater, wanted: Wanted, path: Path, on_event: OnEvent, record: Record) -> Trial:
    samples = read_samples(path, lambda done, total: on_event(Hashed(str(path), done, total)))
    job = next(iter(subject.jobs), None)
    used = min(samples.count, samples.count if wanted.limit is None else wanted.limit)
    entries = samples.entries(used, with_json=job is None or response_format_of(job) is not None)
    scored = rate_samples(rater, entries, _told(on_event, subject, used), record)
    source = Source(str(path), samples.count, used, samples=True)
    column = scored.column(SAMPLE)
    judgement = _excused(judge_samples(column.count, column.failed, unjudged=scored.unjudged), scored)
    return _trial(subject, rater, job, source, scored, judgement)


def _on_rows(
    loaded: Loaded, subject: Subject, rater: Rater, wanted: Wanted, on_event: OnEvent, record: Record
) -> Trial:
    rows = file_rows(loaded, subject, wanted.roles)
    used = min(rows.count, SOME_ROWS if wanted.limit is None else wanted.limit)
    made = rows.questions(rater.grader)
    scored = rate_questions(rater, made, made.of_rows(rows.some(used)), _told(on_event, subject, used), record)
    judgement = _excused(scored.judgement(), scored)
    return _trial(subject, rater, rows.job, Source(rows.shown, rows.count, used, samples=False), scored, judgement)


def _excused(judgement: Judgement, scored: Scored) -> Judgement:
    """A package that is only missing here says nothing of the grader."""
    if judgement.why is Why.FAILS and scored.absent is not None:
        return Judgement(Verdict.CANNOT_TELL, Why.NOT_INSTALLED)
    return judgement


def _limits(job: Declared | None, rater: Rater, judgement: Judgement) -> Iterator[str]:
    """What the scores cannot show."""
    if rater.stand_in and judgement.verdict is not Verdict.CANNOT_TELL:
        yield "the verdict holds whatever a judge would say of both answers alike; the scores are the stand-in's"
    read = {(ref.namespace, ref.path[0]) for ref in rater.grader.references}
    if job is not None and (Namespace.SAMPLE, "output_json") in read and response_format_of(job) is None:
        yield f"{job.address} has no response_format, so its grader is given no sample.output_json"


def _told(on_event: OnEvent, subject: Subject, total: int) -> OnGraded:
    return lambda done: on_event(Graded(subject.where.of, done, total))


def _trial(
    subject: Subject, rater: Rater, job: Declared | None, source: Source, scored: Scored, judgement: Judgement
) -> Trial:
    return Trial(
        grader=subject.where.of,
        type=rater.grader.type,
        job=None if job is None else str(job.address),
        source=source,
        judge=JudgeUsed(rater.judge.name, rater.judge.stand_in) if judged(rater.grader) else None,
        python=None,
        scored=scored,
        judgement=judgement,
        detail=detail_of(judgement, scored),
        hint=hint_of(judgement, scored),
        remarks=(*remarks_of(scored), *_limits(job, rater, judgement)),
    )


class FileRows(Struct, frozen=True):
    """The rows of one data file, as one job uses it. `shown` is its path from the project's root."""

    job: Declared
    path: Path
    shown: str
    count: int

    def some(self, wanted: int) -> Iterator[tuple[int, JsonObject]]:
        return rows_spread(self.path, self.count, wanted)

    def questions(self, grader: Grader) -> AnyQuestions:
        others = [row for _, row in self.some(min(self.count, _OTHERS))]
        return questions_of(grader, response_format_of(self.job), others)


def file_rows(loaded: Loaded, subject: Subject, roles: Sequence[Role] = ROLES) -> FileRows:
    """The first file of the first role that is here and has rows. UserError if there is none."""
    for role in roles:
        for use in subject.uses:
            facts = loaded.preflight.facts.get(use.file.address)
            if use.role is role and facts is not None and facts.rows:
                shown = path_from_root(use.file.spec.path, use.file.document.path)
                return FileRows(use.job, loaded.data_paths[use.file.address], shown, facts.rows)
    of = subject.where.of
    if not subject.uses:
        raise UserError(f"no job with files of its own trains with {of}, so there are no rows", hint=_GIVE)
    files = ", ".join(sorted({str(use.file.address) for use in subject.uses if use.role in roles}))
    raise UserError(f"no rows for {of}: {files or 'no such file'} cannot be read here or is empty", hint=_GIVE)


_GIVE: Final = "give answers with --samples FILE, each with its item"
