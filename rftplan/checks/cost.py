"""Rules about money: budgets that are broken or that nobody keeps, and what makes a run dear. Pure; nothing is said
where the provider is not paid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from rftplan.address import Address
from rftplan.checks.grader_models import reasons
from rftplan.checks.preflight import Preflight, grader_of, scorers, uses
from rftplan.codes import error, finding, info, warning
from rftplan.config import Declared
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic
from rftplan.graph import Graph
from rftplan.kinds.budget import broken, budget_of, limits_text
from rftplan.kinds.grader import ScoreModel, identity_of
from rftplan.kinds.job.cost import estimate_of
from rftplan.kinds.job.observe import same_launch
from rftplan.kinds.job.spec import Run
from rftplan.kinds.prompts import judges_in, sizes_probe
from rftplan.lockfile import Entry

OVER_BUDGET: Final = error("C101", "Launch would break its budget")
UNGUARDED: Final = warning("C102", "Nobody keeps the budget while the job runs")
SLOW_JUDGE: Final = info("C103", "Judge that reasons makes every hour longer")


def over_budget(
    preflight: Preflight, graph: Graph, entries: Mapping[Address, Entry], *, begun: Collection[Address]
) -> Iterator[Diagnostic]:
    """What is about to be launched, as far as specs and lock can tell, although all comparable runs cost more than it
    may. What only the service can tell (a retry, a resume, what became of a launch that was `begun`) is held by the
    plan."""
    for address, want in graph.resources.items() if preflight.profile.paid else ():
        if address.kind != "job" or address in begun or want.spec.run is not Run.RUNNING:
            continue
        budget, entry = budget_of(want.spec.budget, preflight.config.policy.budget), entries.get(address)
        if budget is None or (entry is not None and same_launch(want, entry)):
            continue
        estimate = estimate_of(want, resources=graph.resources, entries=entries, profile=preflight.profile)
        if (why := broken(budget, estimate)) is not None:
            place = preflight.config.declared[address].where(("budget",))
            hint = "raise the budget, or make the job train less: fewer rows, epochs or validation samples"
            yield finding(OVER_BUDGET, why, place=place, address=str(address), hint=hint)


def unguarded(preflight: Preflight) -> Iterable[Diagnostic]:
    """A budget is compared before the launch. What runs is stopped by nobody, so the job may still cost more."""
    for job in _to_launch(preflight):
        budget = budget_of(job.spec.budget, preflight.config.policy.budget)
        if budget is None:
            continue
        detail = (
            f"the budget of {limits_text(budget)} is compared with what is known before the launch; once the job runs, "
            f"rftplan does not watch it, and {preflight.profile.cap.said}"
        )
        hint = "set a spend limit at the provider, and look with rftplan status; run: paused and an apply pause the job"
        yield finding(UNGUARDED, detail, place=job.where(("budget",)), address=str(job.address), hint=hint)


def slow_judge(preflight: Preflight) -> Iterable[Diagnostic]:
    """A model that reasons before each grade, while the training is paid by the hour."""
    done: set[str] = set()
    for job in _to_launch(preflight):
        used = grader_of(preflight, job)
        for where, scorer in scorers(*used) if used else ():
            if isinstance(scorer, ScoreModel) and reasons(scorer.model) and where.of not in done:
                done.add(where.of)
                detail = (
                    f"{scorer.model} reasons before it grades; the provider's guide says that such graders are about "
                    "ten times slower, and the training waits for them at its price by the hour"
                )
                hint = "keep it if its grades are worth that; otherwise try a model that does not reason"
                yield where.finding(SLOW_JUDGE, detail, "model", hint=hint)


def _to_launch(preflight: Preflight) -> Iterator[Declared]:
    for job in preflight.of_kind("job") if preflight.profile.paid else ():
        if job.spec.run is Run.RUNNING and job.address not in preflight.launched:
            yield job


def prompt_sizes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """How much of the rows goes into the judges' prompts, where that is paid for."""
    for use in uses(preflight) if preflight.profile.paid else ():
        grader = grader_of(preflight, use.job)
        for judge in judges_in(identity_of(grader[1])) if grader else ():
            if judge.fields:
                yield use.file.address, sizes_probe(judge.fields)


RULES: Final = (unguarded, slow_judge)
PROBES: Final = (prompt_sizes,)
