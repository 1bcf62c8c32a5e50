"""Estimates as documents, and those documents as lines. Adds nothing up: what is not known is said to be unknown."""

from __future__ import annotations

from collections.abc import Iterator

from rftplan.estimate import CHARACTERS_PER_TOKEN, FEWEST_RUNS, Estimate, JudgeEstimate, Range, dollars
from rftplan.render.escape import visible
from rftplan.render.look import Look
from rftplan.render.shapes import EstimateDocument, JudgeCostDocument, RangeDocument


def estimate_document(estimate: Estimate) -> EstimateDocument:
    return {
        "hour_usd": estimate.hour_usd,
        "read": estimate.read,
        "source": estimate.source,
        "runs": estimate.runs,
        "runs_needed": FEWEST_RUNS,
        "hours": _range(estimate.hours, 3),
        "growth": None if estimate.growth is None else round(estimate.growth, 3),
        "training_usd": _range(estimate.training_usd, 2),
        "judges": [_judge(judge) for judge in estimate.judges],
        "characters_per_token": CHARACTERS_PER_TOKEN,
        "cap_usd": estimate.cap_usd,
        "cap": estimate.cap,
    }


def _judge(judge: JudgeEstimate) -> JudgeCostDocument:
    return {
        "grader": judge.grader,
        "model": judge.model,
        "prompt_usd": _range(judge.prompt_usd, 4),
        "output_usd": None if judge.output_usd is None else round(judge.output_usd, 4),
        "unknown": list(judge.unknown),
        "read": judge.read,
        "source": judge.source,
    }


def _range(known: Range | None, digits: int) -> RangeDocument | None:
    return None if known is None else {"low": round(known.low, digits), "high": round(known.high, digits)}


def estimate_lines(document: EstimateDocument, look: Look, *, indent: int) -> list[str]:
    """One line for the training, one for each judge, and who ends a run that becomes too dear."""
    said = [_training_text(document), *(_judge_text(judge, document) for judge in document["judges"])]
    return [line for text in said for line in look.prose(visible(text), indent=indent, hang=2)]


def _training_text(document: EstimateDocument) -> str:
    hour, hours, usd = document["hour_usd"], document["hours"], document["training_usd"]
    price = "price of an hour unknown" if hour is None else f"{dollars(hour)} an hour ({_source(document)})"
    runs = "1 comparable run" if document["runs"] == 1 else f"{document['runs']} comparable runs"
    if hours is None:
        length = f"hours unknown (the lock has {runs}, {document['runs_needed']} are needed)"
    else:
        length = f"{hours['low']:.1f} to {hours['high']:.1f} hours by {runs}{_growth(document['growth'])}"
    total = f": {dollars(usd['low'])} to {dollars(usd['high'])}" if usd else ""
    return f"cost: {price}, {length}{total}; {document['cap']}"


def _growth(times: float | None) -> str:
    if times is None:
        return " (of how many rows is not known)"
    return "" if 0.95 < times < 1.05 else f" (by its rows this one may take {times:.1f} times as long as the largest)"


def _source(document: EstimateDocument | JudgeCostDocument) -> str:
    return ", ".join(filter(None, (document["source"], document["read"])))


def _judge_text(judge: JudgeCostDocument, document: EstimateDocument) -> str:
    return f"judge {judge['grader']}: {'; '.join(_judge_parts(judge, document))}"


def _judge_parts(judge: JudgeCostDocument, document: EstimateDocument) -> Iterator[str]:
    prompt, output = judge["prompt_usd"], judge["output_usd"]
    if judge["source"] is None:
        yield f"1,000 calls of {judge['model']} cost unknown: no price is known"
        return
    if prompt is None:
        yield f"1,000 prompts to {judge['model']} cost unknown: the rows are not here ({_source(judge)})"
    else:
        size = f" to {dollars(prompt['high'])}" if dollars(prompt["high"]) != dollars(prompt["low"]) else ""
        about = f"({_source(judge)}; {document['characters_per_token']} characters a token assumed)"
        yield f"1,000 prompts to {judge['model']} cost {dollars(prompt['low'])}{size} {about}"
    if output is not None:
        yield f"its output at most {dollars(output)}"
    if judge["unknown"]:
        yield f"unknown on top: {', '.join(judge['unknown'])}"
