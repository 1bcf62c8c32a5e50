"""Rules about a grader by itself: its model and how it samples, its prompt, its limits. Pure; reads no rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.checks.formulas import score_range
from rftplan.checks.grader_models import is_alias, reasons, snapshot_of
from rftplan.checks.preflight import Preflight, Scorer, Written, scorers, written_graders
from rftplan.checks.prompt_formats import asked_scales, demanded_format
from rftplan.checks.reads import slots
from rftplan.codes import error, warning
from rftplan.errors import Diagnostic
from rftplan.grading.templates import Namespace, TemplateError, parse_template
from rftplan.kinds.grader import ScoreModel, StringCheck, TextSimilarity

SAMPLING_OF_REASONING: Final = warning("G130", "Reasoning model does not take this sampling parameter")
EFFORT_WITHOUT_REASONING: Final = warning("G131", "Model that does not reason takes no reasoning effort")
MOVING_MODEL: Final = warning("G132", "Grader model has no date")
FORMAT_DEMANDED: Final = warning("G133", "Prompt demands a format that the judge cannot use")
LIKE_SWAPPED: Final = warning("G134", "Sides of a like are swapped")
THRESHOLD_OUTSIDE: Final = warning("G135", "Threshold is one that no score can cross")
RANGE_EMPTY: Final = error("G136", "Range of scores is empty")
METRIC_OF_EVALS: Final = error("G137", "Metric is for evals only")
SCALE_CUT: Final = warning("G138", "Prompt asks for scores outside of the range")


def _scorers(preflight: Preflight) -> Iterator[tuple[Written, Scorer]]:
    for where, spec in written_graders(preflight):
        yield from scorers(where, spec)


def _judges(preflight: Preflight) -> Iterator[tuple[Written, ScoreModel]]:
    for where, scorer in _scorers(preflight):
        if isinstance(scorer, ScoreModel):
            yield where, scorer


def sampling_of_judge(preflight: Preflight) -> Iterable[Diagnostic]:
    """`temperature` and `top_p` other than 1 are not for reasoning models, `reasoning_effort` is only for them."""
    for where, judge in _judges(preflight):
        params, does = judge.sampling_params, reasons(judge.model)
        if params is None or does is None:
            continue
        if not does and params.reasoning_effort not in (None, "none"):
            detail = f"{judge.model} does not reason: every call of it may be refused, and then the score is 0"
            at = ("sampling_params", "reasoning_effort")
            yield where.finding(EFFORT_WITHOUT_REASONING, detail, *at, hint="take reasoning_effort out")
        for key, value in (("temperature", params.temperature), ("top_p", params.top_p)):
            if does and value not in (None, 1):
                detail = (
                    f"{judge.model} reasons, and such a model takes no {key} other than 1: every call of it may be "
                )
                detail += "refused, and then the score is 0"
                yield where.finding(SAMPLING_OF_REASONING, detail, "sampling_params", key, hint=f"take {key} out")


def moving_model(preflight: Preflight) -> Iterable[Diagnostic]:
    """The model behind an alias may be another one tomorrow, in the middle of a run."""
    for where, judge in _judges(preflight):
        if is_alias(judge.model):
            detail = (
                f"{judge.model} is an alias: when it moves to another snapshot, scores before and after differ, and "
            )
            detail += "this grader counts as unchanged"
            hint = f"name the snapshot: {snapshot_of(judge.model) or f'{judge.model}-YYYY-MM-DD'}"
            yield where.finding(MOVING_MODEL, detail, "model", hint=hint)


def demanded_formats(preflight: Preflight) -> Iterable[Diagnostic]:
    """The service makes the judge answer with a result and steps, whatever the prompt says."""
    for where, judge in _judges(preflight):
        for slot in slots(judge):
            if words := demanded_format(slot.text):
                detail = f'the prompt asks for "{words}", but the service makes the judge answer {{result, steps}}'
                hint = "ask for what to weigh and for a number, and leave the shape of the answer out"
                yield where.finding(FORMAT_DEMANDED, detail, *slot.path, hint=hint)


def cut_scales(preflight: Preflight) -> Iterable[Diagnostic]:
    """ "From 1 to 10", and a range that ends at 1: the service cuts every score down to 1."""
    for where, judge in _judges(preflight):
        reach = score_range(judge)
        scales = [(slot, scale) for slot in slots(judge) for scale in asked_scales(slot.text)]
        # A scale within the range may be the one of the score, and the other one of what it is made of.
        if not scales or any(reach.low <= low and high <= reach.high for _, (low, high) in scales):
            continue
        slot, (low, high) = max(scales, key=lambda one: one[1][1])
        if high > reach.high:
            detail = (
                f"the prompt asks for {low:g} to {high:g}, and the range is {reach.low:g} to {reach.high:g}: the "
                f"service cuts every score above {reach.high:g} down to it"
            )
            hint = f"write range: [{low:g}, {high:g}], or ask for a number from {reach.low:g} to {reach.high:g}"
            yield where.finding(SCALE_CUT, detail, *slot.path, hint=hint)


def swapped_like(preflight: Preflight) -> Iterable[Diagnostic]:
    """`like` asks whether the input contains the reference: swapped, an empty answer is always right."""
    for where, check in _scorers(preflight):
        if isinstance(check, StringCheck) and check.operation in ("like", "ilike"):
            given, expected = _namespaces(check.input), _namespaces(check.reference)
            if given == {Namespace.ITEM} and expected == {Namespace.SAMPLE}:
                detail = (
                    f"{check.operation} asks whether input contains reference, here whether the row's field contains "
                )
                detail += "the answer: an answer of one letter can score 1, an empty one does"
                yield where.finding(LIKE_SWAPPED, detail, "input", hint="exchange input and reference")


def _namespaces(text: str) -> set[Namespace]:
    try:
        return {reference.namespace for reference in parse_template(text).references}
    except TemplateError:
        return set()


def threshold_outside(preflight: Preflight) -> Iterable[Diagnostic]:
    """A threshold above the range passes nothing, one below it everything."""
    for where, scorer in _scorers(preflight):
        if not isinstance(scorer, ScoreModel | TextSimilarity) or scorer.pass_threshold is None:
            continue
        reach = score_range(scorer)
        if scorer.pass_threshold not in reach:
            passes = "nothing" if scorer.pass_threshold > reach.high else "everything"
            detail = (
                f"scores lie between {reach.low:g} and {reach.high:g}, so {scorer.pass_threshold:g} passes {passes}"
            )
            yield where.finding(THRESHOLD_OUTSIDE, detail, "pass_threshold", hint="choose one inside the range")


def empty_range(preflight: Preflight) -> Iterable[Diagnostic]:
    """Every score is cut to the range: one without any width leaves one score for all."""
    for where, judge in _judges(preflight):
        if judge.range is not None and judge.range[0] >= judge.range[1]:
            detail = f"[{judge.range[0]:g}, {judge.range[1]:g}]: the first number has to be below the second"
            yield where.finding(RANGE_EMPTY, detail, "range", hint="write [lowest, highest]")


def metric_of_evals(preflight: Preflight) -> Iterable[Diagnostic]:
    """`cosine` needs an embedding model, which training does not call."""
    for where, scorer in _scorers(preflight):
        if isinstance(scorer, TextSimilarity) and scorer.evaluation_metric == "cosine":
            detail = "cosine is not taken for training; the service refuses the grader"
            hint = "use fuzzy_match, bleu, gleu, meteor or one of rouge_1 to rouge_5 and rouge_l"
            yield where.finding(METRIC_OF_EVALS, detail, "evaluation_metric", hint=hint)


RULES: Final = (
    sampling_of_judge,
    moving_model,
    demanded_formats,
    cut_scales,
    swapped_like,
    threshold_outside,
    empty_range,
    metric_of_evals,
)
PROBES: Final = ()
