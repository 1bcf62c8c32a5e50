"""Events as lines: what happened, and how far training, uploads and reading are. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rftplan.events import Hashed, LookFailed, Result, Trained, Uploaded
from rftplan.render.apply_text import OUTCOME_MARKS, ended_words
from rftplan.render.curve import bar, figure, size, sparkline
from rftplan.render.escape import inert, visible
from rftplan.render.look import Look, Tone


def result_line(result: Result, look: Look) -> str:
    """`✓ file.train  upload done  file-abc`."""
    mark, tone = OUTCOME_MARKS[result.outcome]
    said = result.error or result.detail
    parts = [
        f"{look.paint(tone, mark)} {result.address}",
        ended_words(result.verb, result.action, result.outcome),
        visible(result.id or ""),
        visible(said),
    ]
    return inert("  ".join(part for part in parts if part))


def training_line(event: Trained, look: Look) -> str:
    """All on one line, for a log."""
    parts = [
        str(event.address),
        visible(event.status),
        _step(event),
        _rewards(event),
        _caveat(event, look),
        _errors(event, look),
    ]
    return inert("  ".join(part for part in parts if part))


def training_lines(event: Trained, curve: Sequence[float], look: Look) -> list[str]:
    """Short lines with a bar and the curve of the validation reward, for a live view."""
    head = [str(event.address), visible(event.status), _step(event)]
    if event.step is not None and event.total_steps:
        head.append(bar(event.step, event.total_steps))
    rewards = [_rewards(event), look.paint(Tone.GOOD, sparkline(curve)) if curve else ""]
    lines = [
        "  ".join(part for part in parts if part)
        for parts in (head, rewards, [_caveat(event, look)], [_errors(event, look)])
    ]
    return [inert(lines[0]), *(f"  {line}" for line in lines[1:] if line)]


def _step(event: Trained) -> str:
    if event.step is None:
        return ""
    return f"step {event.step}/{event.total_steps}" if event.total_steps else f"step {event.step}"


def _rewards(event: Trained) -> str:
    known = (("train", event.train_reward), ("valid", event.valid_reward))
    shown = "  ".join(f"{name} {figure(value)}" for name, value in known if value is not None)
    return f"reward {shown}" if shown else ""


def _caveat(event: Trained, look: Look) -> str:
    return look.paint(Tone.CAUTION, f"({visible(event.caveat)})") if event.caveat else ""


def _errors(event: Trained, look: Look) -> str:
    if not event.grader_errors:
        return ""
    return look.paint(Tone.BAD, f"grader errors: {visible('; '.join(event.grader_errors))}")


def unanswered_line(event: LookFailed, look: Look) -> str:
    return f"{event.address}  {look.paint(Tone.CAUTION, 'no answer, asked again')}: {visible(event.error)}"


def upload_line(event: Uploaded) -> str:
    part = f"{size(event.sent)} of {size(event.total)}"
    return f"{event.address}  uploading {bar(event.sent, event.total)} {part}"


def reading_line(event: Hashed) -> str:
    return inert(f"{visible(event.path)}  reading {bar(event.done, event.total)} {size(event.total)}")
