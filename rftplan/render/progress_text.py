"""Events as lines: what happened, and how far training, uploads and reading are. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from rftplan.api.limits import span
from rftplan.events import AskedToWait, Graded, Hashed, LookFailed, Result, Trained, Unanswered, Uploaded
from rftplan.render.apply_text import OUTCOME_MARKS, ended_words
from rftplan.render.curve import bar, figure, size, sparkline
from rftplan.render.escape import inert, visible
from rftplan.render.look import Look, Tone
from rftplan.render.table import fits


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


def trained_line(result: Result, look: Look) -> str:
    """How a training ended that was followed: its launch was told long ago."""
    return result_line(replace(result, verb="training", id=None), look)


def training_line(event: Trained, look: Look) -> str:
    """All on one line, for a log."""
    parts = [
        str(event.address),
        visible(event.status),
        _step(event),
        _rewards(event),
        _losses(event),
        _rights(event),
        look.paint(Tone.CAUTION, _caveat(event)) if event.caveat else "",
        look.paint(Tone.BAD, _errors(event)) if event.grader_errors else "",
    ]
    return inert("  ".join(part for part in parts if part))


def training_lines(event: Trained, curve: Sequence[float], rights: Sequence[float], look: Look) -> list[str]:
    """Short lines with a bar and the curve of the validation reward or loss, for a live view; with the curve of right
    answers under it where the service knows them."""
    head = [str(event.address), visible(event.status), _step(event)]
    if event.step is not None and event.total_steps:
        head.append(bar(event.step, event.total_steps))
    figures = [_rewards(event), _losses(event), sparkline(curve) if curve else ""]
    known = [_rights(event), sparkline(rights) if rights else ""]
    lines = [*packed(head, look, 0), *packed(figures, look, 2), *packed(known, look, 2)]
    for tone, text in ((Tone.CAUTION, _caveat(event)), (Tone.BAD, _errors(event)), *remarks(event)):
        lines += [look.paint(tone, line) for line in look.prose(text, indent=2, hang=2)] if text else []
    return [inert(line) for line in lines]


def packed(parts: Sequence[str], look: Look, indent: int) -> list[str]:
    """The parts with two spaces between them, on as many lines as the width asks for."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and fits([f"{lines[-1]}  {part}"], look.width):
            lines[-1] += f"  {part}"
        else:
            lines.append(" " * (indent if not lines else 2) + part)
    return lines


def _step(event: Trained) -> str:
    if event.step is None:
        return ""
    return f"step {event.step}/{event.total_steps}" if event.total_steps else f"step {event.step}"


def _rewards(event: Trained) -> str:
    return pair("reward", event.train_reward, event.valid_reward)


def _losses(event: Trained) -> str:
    return pair("loss", event.train_loss, event.valid_loss)


def pair(of: str, train: float | None, valid: float | None) -> str:
    """`reward train 0.5  valid 0.75`, as far as it is known."""
    known = (("train", train), ("valid", valid))
    shown = "  ".join(f"{name} {figure(value)}" for name, value in known if value is not None)
    return f"{of} {shown}" if shown else ""


def _rights(event: Trained) -> str:
    """How many answers are right, whatever the grader says."""
    quality = event.quality
    return "" if quality is None else pair("right answers", quality.train_right, quality.valid_right)


def remarks(event: Trained) -> list[tuple[Tone, str]]:
    """What the service says of the grader, and that it is being hacked, as far as it does."""
    quality = event.quality
    return [] if quality is None else remarks_on(quality.verdict, quality.hacked, separates=quality.separates)


def remarks_on(verdict: str | None, hacked: str | None, *, separates: bool) -> list[tuple[Tone, str]]:
    """The same from its parts; `separates` is whether the verdict is good."""
    tone = Tone.FAINT if separates else Tone.CAUTION
    said = ((tone, "before training", verdict), (Tone.BAD, "hacked", hacked))
    return [(tone, f"{when}: {visible(text)}") for tone, when, text in said if text]


def remark_line(event: Trained, tone: Tone, text: str, look: Look) -> str:
    """One remark on one line, for a log."""
    return inert(f"{event.address}  {look.paint(tone, text)}")


def _caveat(event: Trained) -> str:
    return f"({visible(event.caveat)})" if event.caveat else ""


def _errors(event: Trained) -> str:
    return f"grader errors: {visible('; '.join(event.grader_errors))}" if event.grader_errors else ""


def unanswered_line(event: LookFailed, look: Look) -> str:
    return f"{event.address}  {look.paint(Tone.CAUTION, 'no answer, asked again')}: {visible(event.error)}"


def asked_to_wait_line(event: AskedToWait, look: Look) -> str:
    return look.paint(Tone.CAUTION, f"The service asks to wait {span(event.seconds)}; nothing is sent until then.")


def silent_line(event: Unanswered, look: Look) -> str:
    """What is waited for, and until when: rounded up, for whoever looks at a clock."""
    asked = f"{visible(event.service)} was asked to {visible(event.what)} {span(event.quiet)} ago and has not answered"
    return inert(look.paint(Tone.CAUTION, f"{asked}; waiting for {span(event.left)} more."))


def upload_line(event: Uploaded) -> str:
    part = f"{size(event.sent)} of {size(event.total)}"
    return f"{event.address}  uploading {bar(event.sent, event.total)} {part}"


def reading_line(event: Hashed | Graded) -> str:
    """How far a file is read, or its rows are graded."""
    if isinstance(event, Graded):
        return inert(f"{visible(event.grader)}  grading {bar(event.done, event.total)} {event.done} of {event.total}")
    return inert(f"{visible(event.path)}  reading {bar(event.done, event.total)} {size(event.total)}")


def awaited_line(holder: str) -> str:
    return inert(f"Waiting for another to be done: {visible(holder)}")
