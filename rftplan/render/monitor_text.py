"""Jobs that train, as a person reads them: blocks for a live view, lines for a log, how it ended. From the documents
alone; draws and prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.api.limits import span
from rftplan.estimate import dollars
from rftplan.render.curve import bar, figure, sparkline, squeezed
from rftplan.render.escape import inert, visible
from rftplan.render.look import Look, Tone
from rftplan.render.monitor_shapes import (
    CheckpointDocument,
    GraderFaultDocument,
    MoneyDocument,
    PointDocument,
    RemainingDocument,
    StallDocument,
    TokensDocument,
    TrainingDocument,
)
from rftplan.render.progress_text import pair, remarks_on

_LABEL: Final = 15
_WIDEST: Final = 40
_NARROWEST: Final = 10
_MOST_CHECKPOINTS: Final = 4


def block_lines(training: TrainingDocument, look: Look, *, unanswered: str | None = None) -> list[str]:
    """Everything about one job, a line or two for each thing."""
    lines = [_head_line(training, look)]
    for label, value in _parts(training, look):
        tone = Tone.BAD if label == "grader errors" and training["grader_errors"] else None
        first, *more = [look.paint(tone, line) if tone else line for line in _wrapped(value, look)]
        lines += [f"  {label:{_LABEL}}{first}", *(" " * (_LABEL + 2) + line for line in more)]
    said = [(Tone.CAUTION, _caveat(training)), *_remarks(training), *_troubles(training, unanswered)]
    return [inert(line) for line in (*lines, *_painted(said, look))]


def _wrapped(text: str, look: Look) -> list[str]:
    narrow = look if look.width is None else replace(look, width=look.width - _LABEL - 2)
    return narrow.prose(text, indent=0)


def brief_lines(training: TrainingDocument, look: Look, *, unanswered: str | None = None) -> list[str]:
    """The same in two lines, for a screen with many jobs."""
    told = [*_newest(training), _left(training["remaining"], short=True), _spent(training["money"], short=True)]
    simulated = look.paint(Tone.CAUTION, "SIMULATED") if training["simulated"] else ""
    first = "  ".join(filter(None, (_head_line(training, look), simulated)))
    bad = [(tone, text) for tone, text in _remarks(training) if tone is Tone.BAD]
    lines = [first, "  " + "  ".join(filter(None, told))]
    return [inert(line) for line in (*lines, *_painted([*bad, *_troubles(training, unanswered)], look)) if line.strip()]


def news_lines(training: TrainingDocument, news: Sequence[str], look: Look) -> list[str]:
    """What is new, on lines of their own for a log; none where it is only another step."""
    lines = []
    if {"status", "validated", "tenth", "checkpoint", "grader-errors"} & set(news):
        told = [name(training), visible(training["status"]), _step(training, "/"), *_newest(training)]
        if "checkpoint" in news and training["checkpoints"]:
            told.append(f"checkpoint step {training['checkpoints'][0]['step']}")
        told += [_left(training["remaining"], short=True), look.paint(Tone.CAUTION, _caveat(training))]
        errors = _errors(training)
        told.append(look.paint(Tone.BAD, f"grader errors: {errors}") if errors else "")
        lines.append("  ".join(filter(None, told)))
    told_once = {"before": "verdict" in news, "hacked": "hacked" in news}
    lines += [
        f"{name(training)}  {look.paint(tone, text)}"
        for tone, text in _remarks(training)
        if told_once[text.partition(" ")[0].rstrip(":")]
    ]
    if "stall" in news and training["stall"]:
        lines.append(f"{name(training)}  {look.paint(Tone.BAD, _stalled(training['stall']))}")
    return [inert(line) for line in lines]


def name(training: TrainingDocument) -> str:
    """How lines about a job begin."""
    return visible(training["address"] or training["id"])


def _head_line(training: TrainingDocument, look: Look) -> str:
    """`job.review  running  step 8 of 18  [████····]`."""
    step, total = training["step"], training["total_steps"]
    parts = [look.paint(Tone.STRONG, name(training)), visible(training["status"]), _step(training, " of ")]
    return "  ".join(filter(None, (*parts, bar(step, total) if step is not None and total else "")))


def _step(training: TrainingDocument, of: str) -> str:
    step, total = training["step"], training["total_steps"]
    if step is None:
        return ""
    return f"step {step}{of}{total}" if total else f"step {step}"


def _parts(training: TrainingDocument, look: Look) -> Iterator[tuple[str, str]]:
    points = training["points"]
    yield from _courses(points, training["checkpoints"], look)
    if tokens := _tokens(training["tokens"]):
        yield "tokens", tokens
    if training["checkpoints"]:
        yield "checkpoints", _checkpoints(training["checkpoints"])
    if training["grader_errors"]:
        yield "grader errors", _errors(training)
    elif any(point["train_reward"] is not None for point in points):
        yield "grader errors", "none"
    yield "time", ", ".join(filter(None, (f"{span(training['elapsed'])} so far", _left(training["remaining"]))))
    yield "money", _spent(training["money"])
    if (event := training["last_event"]) is not None:
        yield "last event", f"{span(training['quiet'])} ago: {visible(event['message'])}"
    if training["guarded_by"] is not None:
        yield "guards", f"guarded by {visible(training['guarded_by'])}"


def _courses(
    points: Sequence[PointDocument], checkpoints: Sequence[CheckpointDocument], look: Look
) -> Iterator[tuple[str, str]]:
    best = next((one for one in checkpoints if one["best"]), None)
    courses: tuple[tuple[str, list[float | None]], ...] = (
        ("train reward", [point["train_reward"] for point in points]),
        ("valid reward", [point["valid_reward"] for point in points]),
        ("right answers", [point["valid_right"] for point in points]),
        ("train loss", [point["train_loss"] for point in points]),
        ("valid loss", [point["valid_loss"] for point in points]),
    )
    for label, said in courses:
        values = [value for value in said if value is not None]
        if not values:
            continue
        drawn = sparkline(squeezed(values, _width(look)), _width(look))
        first = f"  {figure(values[0])} at first" if len(values) > 1 else ""
        at = f", best at step {best['step']}" if best and label.startswith("valid") else ""
        yield label, f"{figure(values[-1]):5}  {drawn}{first}{at}"


def _width(look: Look) -> int:
    return _WIDEST if look.width is None else max(_NARROWEST, min(_WIDEST, look.width - _LABEL - 43))


def _newest(training: TrainingDocument) -> Iterator[str]:
    points = training["points"]

    def last(values: Sequence[float | None]) -> float | None:
        return next((value for value in reversed(values) if value is not None), None)

    yield pair("reward", last([p["train_reward"] for p in points]), last([p["valid_reward"] for p in points]))
    yield pair("loss", last([p["train_loss"] for p in points]), last([p["valid_loss"] for p in points]))
    yield pair("right answers", last([p["train_right"] for p in points]), last([p["valid_right"] for p in points]))


def _tokens(tokens: TokensDocument) -> str:
    said = []
    if tokens["answer"] is not None:
        thought = f" ({tokens['reasoning']:,.0f} reasoning)" if tokens["reasoning"] else ""
        said.append(f"{tokens['answer']:,.0f} an answer{thought}")
    if tokens["growth"] is not None:
        same = abs(tokens["growth"] - 1) < 0.05
        said.append("as long as at first" if same else f"{tokens['growth']:.1f} times as long as at first")
    said += [
        f"{visible(model)} read {used['read']:,} and wrote {used['written']:,} as a grader"
        for model, used in tokens["judges"].items()
    ]
    if tokens["trained"]:
        said.append(f"{tokens['trained']:,} trained on")
    return ", ".join(said)


def _checkpoints(checkpoints: Sequence[CheckpointDocument]) -> str:
    """The newest of them, and the best wherever it is."""
    shown = [one for n, one in enumerate(checkpoints) if n < _MOST_CHECKPOINTS or one["best"]]
    told = [_checkpoint(one) for one in shown]
    left = len(checkpoints) - len(shown)
    return ", ".join([*told, *([f"{left} more"] if left else [])])


def _checkpoint(one: CheckpointDocument) -> str:
    names = ("valid_reward_mean", "valid_loss", "full_valid_loss", "train_reward_mean", "train_loss")
    found = next((one["metrics"][key] for key in names if key in one["metrics"]), None)
    return f"step {one['step']}{f' {figure(found)}' if found is not None else ''}{' (best)' if one['best'] else ''}"


def _left(left: RemainingDocument | None, *, short: bool = False) -> str:
    if left is None:
        return ""
    said = f"about {span(left['seconds'])} left"
    if short:
        return said
    by = "the service says" if left["basis"] == "service" else f"by the pace of the last {left['steps']} steps"
    return f"{said} ({by})"


def _spent(money: MoneyDocument, *, short: bool = False) -> str:
    """Whose figure it is, and what is not in it."""
    usd, hour = money["usd"], money["hour_usd"]
    if money["basis"] == "free":
        return "" if short else "nothing: this service charges nothing"
    if usd is None:
        return "cost not known" if short else "not known: no price for this model, and the service says no total"
    if money["basis"] == "service":
        return dollars(usd) if short else f"{dollars(usd)} by the service's own total"
    if short:
        return f"at most {dollars(usd)}{_on_top(money)}"
    when = f", read {visible(money['read'])}" if money["read"] else ""
    of = f" ({visible(money['source'])}{when})" if money["source"] else ""
    return f"at most {dollars(usd)}: the time so far at {dollars(hour or 0.0)} an hour{of}{_on_top(money)}"


def _on_top(money: MoneyDocument) -> str:
    if not money["judged"]:
        return ""
    cost = money["judges_usd"]
    return "; the graders' tokens on top" + (f", {dollars(cost)}" if cost is not None else ", not known")


def _errors(training: TrainingDocument) -> str:
    return "; ".join(map(fault_text, training["grader_errors"]))


def fault_text(fault: GraderFaultDocument) -> str:
    """`explanation 61 of 61 validation answers (other_error)`."""
    answers = {"valid": "validation answers", "train": "training answers"}.get(fault["split"], "answers")
    return f"{visible(fault['grader'])} {fault['count']} of {fault['of']} {answers} ({visible(fault['error'])})"


def _caveat(training: TrainingDocument) -> str:
    judge = visible(training["judge"] or "")
    return f"({', '.join(filter(None, ('SIMULATED', judge)))})" if training["simulated"] else ""


def _remarks(training: TrainingDocument) -> list[tuple[Tone, str]]:
    return remarks_on(training["verdict"], training["hacked"], separates=bool(training["separates"]))


def _troubles(training: TrainingDocument, unanswered: str | None) -> Iterator[tuple[Tone, str]]:
    if training["stall"] is not None:
        yield Tone.BAD, _stalled(training["stall"])
    if unanswered is not None:
        yield Tone.CAUTION, f"no answer, asked again: {visible(unanswered)}"


def _painted(said: Sequence[tuple[Tone, str]], look: Look) -> Iterator[str]:
    for tone, text in said:
        yield from (look.paint(tone, line) for line in look.prose(text, indent=2, hang=2)) if text else ()


def _stalled(stall: StallDocument) -> str:
    slowest = stall["slowest"]
    usual = f"the slowest step took {span(slowest)}" if slowest else f"more than {span(stall['allowed'])} is unusual"
    return f"stalled: nothing was told for {span(stall['quiet'])}, and {usual}"
