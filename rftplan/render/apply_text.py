"""What an apply did, as text, from its document alone. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from rftplan.changes import Action, Reason
from rftplan.events import Outcome
from rftplan.render.documents import Command
from rftplan.render.escape import visible
from rftplan.render.evidence import evidence_lines
from rftplan.render.look import Look, Tone, joined
from rftplan.render.next_steps import next_step, step_after
from rftplan.render.partial import LEFT_OUT, how_many, is_about, is_left_out, partial_options
from rftplan.render.reasons import reason_text
from rftplan.render.shapes import ApplyDocument, ResultDocument
from rftplan.render.table import aligned, fits
from rftplan.render.text import counted, output_lines

OUTCOME_MARKS: Final[Mapping[Outcome, tuple[str, Tone]]] = {
    Outcome.DONE: ("✓", Tone.GOOD),
    Outcome.FAILED: ("✗", Tone.BAD),
    Outcome.DEFERRED: ("…", Tone.FAINT),
    Outcome.HELD: ("!", Tone.BAD),
    Outcome.SKIPPED: ("·", Tone.CAUTION),
}


def outcome_words(outcome: Outcome) -> str:
    """How a step ended, for a person."""
    match outcome:
        case Outcome.DONE:
            return "done"
        case Outcome.FAILED:
            return "failed"
        case Outcome.DEFERRED:
            return "waits"
        case Outcome.HELD:
            return "held"
        case Outcome.SKIPPED:
            return "not tried"
        case _:
            assert_never(outcome)


def ended_words(verb: str, action: Action, outcome: Outcome) -> str:
    """`upload done`, `not tried`: the verb only where it names something that is done."""
    words = outcome_words(outcome)
    waited = not action.acts and (verb == "wait" or outcome is Outcome.SKIPPED)
    return words if waited or outcome in (Outcome.DEFERRED, Outcome.HELD) else f"{visible(verb)} {words}"


def apply_text(document: ApplyDocument, look: Look) -> str:
    """What was done, what failed and why, what was not tried, what is promoted, and what to type next."""
    return _text(document, document["results"], look)


def closing_text(document: ApplyDocument, look: Look) -> str:
    """The same for a reader who was told line by line what was done: only what there is more to say about."""
    more = [_told_above(r) for r in document["results"] if r["outcome"] != Outcome.DONE or "evidence" in r]
    return _text(document, more, look)


def _told_above(result: ResultDocument) -> ResultDocument:
    """Without the error that its own line of progress said."""
    told = result.copy()
    if told.pop("error", None):
        told["detail"] = "why: it is said above"
    return told


def _text(document: ApplyDocument, results: Sequence[ResultDocument], look: Look) -> str:
    blocks = [
        _result_lines(results, look),
        [_summary(document, look)],
        _promoted_lines(document, look),
        _next_lines(document, look),
    ]
    lines: list[str] = []
    for block in filter(None, blocks):
        lines += [*([""] if lines else []), *block]
    return joined(lines)


def _result_lines(results: Sequence[ResultDocument], look: Look) -> list[str]:
    cells = [_head(result) for result in results]
    count = _beside(cells, None if look.width is None else look.width - 4)
    lines: list[str] = []
    for head, row, result in zip(aligned([row[:count] for row in cells]), cells, results, strict=True):
        mark, tone = OUTCOME_MARKS[Outcome(result["outcome"])]
        lines.append(f"  {look.paint(tone, mark)} {head}")
        lines += [f"      {cell}" for cell in row[count:] if cell]
        lines += [line for said in _said(result) for line in look.prose(said, indent=6)]
        lines += look.prose(f"next: {visible(result['hint'])}", indent=6) if "hint" in result else []
        lines += evidence_lines(result.get("evidence", ()), look, indent=6)
        lines += _step_lines(result, look)
    return lines


def _beside(rows: Sequence[Sequence[str]], width: int | None) -> int:
    """How many of the cells stand beside each other where nothing is wider than `width`; the others go below."""
    most = len(rows[0]) if rows else 0
    return next((n for n in range(most, 1, -1) if fits(aligned([row[:n] for row in rows]), width)), 1)


def _step_lines(result: ResultDocument, look: Look) -> list[str]:
    if "status" in result:
        step = step_after(result["status"], address=result["address"], program=look.program)
    else:
        action, reason = result["action"], result.get("reason", "")
        if result["verb"] == "train" and result["outcome"] == Outcome.HELD:  # a pause, while we looked
            action, reason = Action.HOLD.value, Reason.PAUSED_ELSEWHERE.value
        step = next_step(action=action, reason=reason, address=result["address"], program=look.program)
    return look.prose(f"next: {step}", indent=6) if step else []


def _said(result: ResultDocument) -> list[str]:
    detail = visible(result["detail"])
    if "reason" in result:
        detail = reason_text(result["reason"], result["detail"])
    return [text for text in (visible(result.get("error", "")), detail) if text]


def _head(result: ResultDocument) -> list[str]:
    ended = ended_words(result["verb"], Action(result["action"]), Outcome(result["outcome"]))
    ended = LEFT_OUT if is_left_out(result) else ended
    return [visible(result["address"]), ended, visible(result.get("id", ""))]


def _summary(document: ApplyDocument, look: Look) -> str:
    if not document["results"]:
        there = "What is there is what the specs say." if document["command"] == Command.APPLY else "Nothing is left."
        there = "What is there of this part is as it should be." if "partial" in document else there
        return f"{look.paint(Tone.GOOD, 'Nothing to do.')} {there}{_mark(document)}"
    left_out = how_many(document["results"])
    counted_as = {**document["summary"], Outcome.DEFERRED.value: _waiting(document)}
    counts = [f"{counted_as[o.value]} {outcome_words(o)}" for o in Outcome if counted_as.get(o.value)]
    counts += [f"{left_out} {LEFT_OUT}"] if left_out else []
    head = "Interrupted:" if document["interrupted"] else f"{document['command'].capitalize()}:"
    requests = counted(document["requests"], "request")
    return f"{look.paint(Tone.STRONG, head)} {', '.join(counts)}. {requests}.{_mark(document)}"


def _waiting(document: ApplyDocument) -> int:
    """Without what the plan was not about."""
    return document["summary"].get(Outcome.DEFERRED.value, 0) - how_many(document["results"])


def _mark(document: ApplyDocument) -> str:
    return " Training is SIMULATED." if document["simulated"] else ""


def _promoted_lines(document: ApplyDocument, look: Look) -> list[str]:
    if not document["outputs"]:
        return []
    return [look.paint(Tone.STRONG, "Promoted"), *output_lines(document["outputs"], look, indent=2)]


def _next_lines(document: ApplyDocument, look: Look) -> list[str]:
    lines, part = _running_lines(document, look), partial_options(document)
    follow = f"Follow {'this part' if part else 'it'} to the end with: {look.program} apply{part} --wait"
    summary = document["summary"]
    again = f"Go on with: {look.program} {document['command']}{part}"
    if document["interrupted"]:
        return [*lines, f"{again} --wait" if document["command"] == Command.APPLY else again]
    if summary.get(Outcome.FAILED):
        return [*lines, *_after_failures(document, look)]
    if summary.get(Outcome.HELD):
        return [*lines, f"A person has to act; what stands in the way: {look.program} {_planning(document)}{part}"]
    if lines and len(_pausable_later(document)) == len(document["running"]):
        return [*lines, f"Pause it after its first step with: {look.program} apply{part} --wait"]
    if lines and is_about(document, document["running"]):
        return [*lines, follow]
    if _waiting(document):
        return [*lines, f"What waits says above what it waits for. Look again with: {look.program} apply{part}"]
    if part and summary.get(Outcome.DEFERRED):
        return [*lines, f"What was left out is planned by: {look.program} {_planning(document)}"]
    if document["outputs"]:
        name = next(iter(document["outputs"]))
        return [*lines, f"Next: {look.program} output {visible(name)} --raw"]
    return lines


def _planning(document: ApplyDocument) -> str:
    return "plan --destroy" if document["command"] == Command.DESTROY else "plan"


def _after_failures(document: ApplyDocument, look: Look) -> list[str]:
    """A job that failed is held until somebody decides; all else that failed is tried again, mended or not."""
    failed = [result for result in document["results"] if result["outcome"] == Outcome.FAILED]
    again = f"{look.program} {document['command']}{partial_options(document)}"
    if all("status" in result for result in failed):
        return [f"Decide about what failed, as it says above; then go on with: {again}"]
    return [
        f"Next: mend what failed, then run: {again}",
        "If the service only did not answer, there is nothing to mend: run it again.",
    ]


def _running_lines(document: ApplyDocument, look: Look) -> list[str]:
    """Jobs do not stop with the command that launched them; whoever pays must hear it."""
    early = _pausable_later(document)
    names = ", ".join(visible(address) for address in document["running"] if address not in early)
    costs = "" if document["provider"].get("type") == "local" else ", and costs"
    lines = []
    if names:
        lines += look.prose(
            f"Still training: {names}. It goes on without this command{costs}; "
            "to pause it, write run: paused and apply.",
            indent=0,
        )
    if early:
        names = ", ".join(map(visible, early))
        lines += look.prose(f"Not paused yet: {names}. It goes on without this command{costs}.", indent=0)
    return lines


def _pausable_later(document: ApplyDocument) -> list[str]:
    """What the specs want paused, and has no step yet to be paused at."""
    waits = {r["address"] for r in document["results"] if r.get("reason") == Reason.BEFORE_FIRST_STEP}
    return [address for address in document["running"] if address in waits]
