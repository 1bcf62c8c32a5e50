"""How watching ended: the outcome of each job, and what to do next. From the documents alone; prints nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rftplan.api.limits import span
from rftplan.render.curve import figure
from rftplan.render.escape import visible
from rftplan.render.look import Look, Tone, joined
from rftplan.render.monitor_shapes import EndingDocument, TrainingDocument, WatchDocument
from rftplan.render.monitor_text import name

_TONES = {"succeeded": (Tone.GOOD, "✓"), "partial": (Tone.CAUTION, "✓")}


def endings_text(documents: Sequence[WatchDocument], look: Look) -> str:
    """A line or two for each job, and the next commands, each once."""
    if not documents:
        return joined(["No job of this project is active.", f"Next: {look.program} status"])
    lines: list[str] = []
    steps: dict[str, None] = {}
    for document in documents:
        if (ending := document["ending"]) is not None:
            lines += _ended(document["training"], ending, look)
            steps[_next(document["training"], ending, look)] = None
    return joined([*lines, *(line for step in steps for line in look.prose(f"Next: {step}", indent=0, hang=2))])


def left_text(documents: Sequence[WatchDocument], look: Look) -> str:
    """That nobody watches any more, and that this stops no job."""
    going = [name(document["training"]) for document in documents if document["ending"] is None]
    if not going:
        return joined(["", "Interrupted."])
    verb = "goes" if len(going) == 1 else "go"
    said = f"Interrupted. Only the watching ended: {', '.join(going)} {verb} on at the service."
    jobs = [job_words(document["training"]) for document in documents if document["ending"] is None]
    return joined(["", *look.prose(said, indent=0), f"Go on watching: {look.program} watch {' '.join(jobs)}"])


def job_words(training: TrainingDocument) -> str:
    """How a command names it."""
    return visible(training["address"]) if training["address"] else f"--id {visible(training['id'])}"


def _ended(training: TrainingDocument, ending: EndingDocument, look: Look) -> list[str]:
    tone, mark = _TONES.get(ending["end"], (Tone.BAD, "✗") if ending["needs_a_person"] else (Tone.CAUTION, "-"))
    first, *more = look.prose(f"{mark} {name(training)}  {_said(training, ending)}", indent=0, hang=2)
    return [first.replace(mark, look.paint(tone, mark), 1), *more]


def _said(training: TrainingDocument, ending: EndingDocument) -> str:
    steps, took = _steps(training), f" in {span(training['elapsed'])}"
    match ending["end"]:
        case "succeeded":
            return f"succeeded{steps}{took}{_best(training)}"
        case "partial":
            return f"succeeded{steps}{took}, before its last step{_best(training)}"
        case "failed":
            return f"failed{steps}: {visible(ending['detail'])}"
        case "lost":
            return f"cannot be watched any more: {visible(ending['detail'])}"
        case other:
            return f"is {other}{steps}, {'from here' if ending['ours'] else 'not from here'}{_best(training)}"


def _steps(training: TrainingDocument) -> str:
    step, total = training["step"], training["total_steps"]
    if step is None:
        return ""
    return f" after {step} of {total} steps" if total else f" after step {step}"


def _best(training: TrainingDocument) -> str:
    best = next((one for one in training["checkpoints"] if one["best"]), None)
    if best is None:
        return ""
    names = {"valid_reward_mean": "valid reward", "valid_loss": "valid loss", "full_valid_loss": "valid loss"}
    said = next(
        (f", {word} {figure(best['metrics'][key])}" for key, word in names.items() if key in best["metrics"]), ""
    )
    return f"; best checkpoint step {best['step']}{said}"


def _next(training: TrainingDocument, ending: EndingDocument, look: Look) -> str:
    job = job_words(training)
    match ending["end"]:
        case "succeeded" | "partial":
            return f"{look.program} apply" if training["address"] else f"{look.program} checkpoints {job}"
        case "failed":
            return f"{look.program} events {job}"
        case "paused" if ending["ours"]:
            return f"{look.program} resume {job}"
        case "paused":
            return f"{look.program} resume {job} --allow resume-after-service-pause, once it is known why it was paused"
        case "lost":
            return f"{look.program} doctor"
        case _:
            return f"{look.program} plan"
