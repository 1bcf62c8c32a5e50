"""One job looked at once: events, figures, checkpoints, samples, as a person reads them. From the documents alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rftplan.days import moment_of
from rftplan.render.curve import figure
from rftplan.render.escape import shortened, visible
from rftplan.render.look import Look, Tone, joined
from rftplan.render.monitor_shapes import (
    CheckpointsDocument,
    EventsDocument,
    FigureRowDocument,
    MetricsDocument,
    PointDocument,
    SampledAnswerDocument,
    SampledRowDocument,
    SamplesDocument,
)
from rftplan.render.table import aligned, fits

_TONES: Final = {"warn": Tone.CAUTION, "error": Tone.BAD}
_MOST_ROWS: Final = 10
_MOST_ANSWERS: Final = 3
_WIDEST: Final = 160
_FIGURES: Final = (
    ("train_reward", "train reward"),
    ("valid_reward", "valid reward"),
    ("train_loss", "train loss"),
    ("valid_loss", "valid loss"),
    ("train_right", "train right"),
    ("valid_right", "valid right"),
    ("answer_tokens", "tokens"),
    ("seconds", "seconds"),
)
"""Columns of the table, each there if any step has it."""


def events_text(document: EventsDocument, look: Look) -> str:
    """One event a line, the newest last, times by UTC."""
    lines = [_head(document, look)]
    for event in reversed(document["events"]):
        level = visible(event["level"])
        tone = _TONES.get(event["level"])
        told = f"{_moment(event['at'])}  {level:5}  {visible(event['message'])}"
        first, *more = look.prose(told, indent=2, hang=28)
        lines += [first.replace(level, look.paint(tone, level), 1) if tone else first, *more]
    if not document["events"]:
        lines.append("  no events yet")
    if document["more"]:
        count = len(document["events"])
        older = f"{look.program} events {_job(document)} --limit {10 * count}"
        lines += look.prose(f"There are older ones: {older}", indent=0)
    return joined(lines)


def _moment(at: int) -> str:
    try:
        return moment_of(at)
    except (ValueError, OverflowError, OSError):  # no calendar has it
        return str(at)


def metrics_text(document: MetricsDocument, look: Look) -> str:
    """One step a line, with what the service said of it."""
    rows = document["rows"]
    if not rows:
        return joined([_head(document, look), "  no step is done yet"])
    shown = [(key, label) for key, label in _FIGURES if any(row["point"].get(key) is not None for row in rows)]
    failing = any(row["grader_errors"] for row in rows)
    titles = ["step", *(label for _, label in shown), *(["grader errors"] if failing else [])]
    table = [titles, *([*_cells(row, [key for key, _ in shown]), *_failed(row, failing)] for row in rows)]
    lines = aligned(_right(table), indent=2)
    if not fits(lines, look.width):
        short = [title.replace("reward", "rwd").replace("right", "ok") for title in titles]
        lines = aligned(_right([short, *table[1:]]), indent=2, gap=1)
    total = document["total_steps"]
    steps = f"{len(rows)} of {total} steps" if total else f"{len(rows)} steps"
    every = f"{look.program} metrics {_job(document)} --format csv"
    return joined([_head(document, look), *lines, *look.prose(f"{steps}. Every figure: {every}", indent=0)])


def _cells(row: FigureRowDocument, keys: Sequence[str]) -> Iterator[str]:
    yield str(row["point"]["step"])
    point: Mapping[str, Any] = row["point"]
    for key in keys:
        value = point[key]
        digits = {"answer_tokens": 0, "seconds": 1}.get(key, 3)
        yield "-" if value is None else f"{value:,.{digits}f}"


def _failed(row: FigureRowDocument, failing: bool) -> list[str]:
    """How many answers a grader failed on, of the one that failed on most."""
    counts = [f"{fault['count']}/{fault['of']} {visible(fault['grader'])}" for fault in row["grader_errors"]]
    return [", ".join(dict.fromkeys(counts)) or "-"] if failing else []


def _right(table: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each column set to the right, but for a last one of words."""
    last = len(table[0]) if table[0][-1] != "grader errors" else len(table[0]) - 1
    widths = [max(len(row[n]) for row in table) for n in range(last)]
    return [[*(f"{row[n]:>{widths[n]}}" for n in range(last)), *row[last:]] for row in table]


def metrics_csv(document: MetricsDocument) -> str:
    """A line for each step, a column for each figure of any; what a step does not have is empty."""
    paths = sorted({path for row in document["rows"] for path in row["figures"]})
    own = list(PointDocument.__annotations__)
    lines = [[*own, *paths]]
    for row in document["rows"]:
        point: Mapping[str, Any] = row["point"]
        values = [*(point[key] for key in own), *(row["figures"].get(path) for path in paths)]
        lines.append(["" if value is None else repr(value) for value in values])
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def _quoted(cell: str) -> str:
    """As RFC 4180 has it. A name that somebody chose is no formula for a table that opens it."""
    safe = visible(cell)
    if safe[:1] in "=+@" and safe:
        safe = f"'{safe}"
    return '"' + safe.replace('"', '""') + '"' if any(mark in safe for mark in ',"') else safe


def checkpoints_text(document: CheckpointsDocument, look: Look) -> str:
    """One checkpoint a line, highest step first."""
    if not document["checkpoints"]:
        return joined([_head(document, look), "  no checkpoints yet"])
    names = ("valid_reward_mean", "train_reward_mean", "valid_loss", "full_valid_loss", "train_loss")
    shown = [name for name in names if any(name in one["metrics"] for one in document["checkpoints"])]
    rows = [
        [
            f"step {one['step']}",
            *(figure(one["metrics"][name]) if name in one["metrics"] else "-" for name in shown),
            "best" if one["best"] else "",
            visible(one["model"]),
        ]
        for one in document["checkpoints"]
    ]
    table = [["", *(name.removesuffix("_mean").replace("_", " ") for name in shown), "", "model"], *rows]
    lines = aligned(table, indent=2)
    if not fits(lines, look.width):
        short = aligned([row[:-1] for row in table], indent=2)
        lines = [short[0], *(line for n, row in enumerate(rows, 1) for line in (short[n], f"    {row[-1]}"))]
    return joined([_head(document, look), *lines])


def samples_text(document: SamplesDocument, look: Look) -> str:
    """Each row with its question and some answers, short; compared with another step, what lost most comes first."""
    rows, against = document["rows"], document["against"]
    compared = f", compared with step {against}: what lost most comes first" if against is not None else ""
    said = f"{_job(document)}  step {document['step']}, {len(rows)} rows{compared}"
    lines = look.prose(f"{said}{'  SIMULATED' if document['simulated'] else ''}", indent=0, hang=2)
    for row in rows[:_MOST_ROWS]:
        lines += ["", *_row_lines(row, document, look)]
    if len(rows) > _MOST_ROWS:
        lines += ["", f"{len(rows) - _MOST_ROWS} more rows; --json has every one, whole"]
    return joined(lines)


def _row_lines(row: SampledRowDocument, document: SamplesDocument, look: Look) -> Iterator[str]:
    now = "-" if row["reward"] is None else figure(row["reward"])
    said = f"row {row['row']}  reward {now}"
    change = row.get("change")
    if change is not None:
        tone = Tone.BAD if change < 0 else Tone.GOOD if change > 0 else Tone.FAINT
        before = row.get("against_reward")
        said += f", was {figure(before or 0.0)}  {look.paint(tone, f'{change:+.3f}')}"
    yield said
    yield _cut(f"  asked   {_question(row)}", look)
    yield from _answer_lines("  answer  ", row["answers"], look)
    if document["against"] is not None:
        yield from _answer_lines("  before  ", row.get("against_answers", []), look)


def _question(row: SampledRowDocument) -> str:
    content = row["messages"][-1].get("content") if row["messages"] else None
    return content if isinstance(content, str) else "(not text)"


def _answer_lines(label: str, answers: Sequence[SampledAnswerDocument], look: Look) -> Iterator[str]:
    """The worst of them, equal ones once."""
    told: Counter[str] = Counter()
    for answer in sorted(answers, key=lambda one: -math.inf if one["reward"] is None else one["reward"]):
        reward = "-" if answer["reward"] is None else figure(answer["reward"])
        flags = f"  {', '.join(answer['errors'])}" if answer["errors"] else ""
        kind = f"  ({answer['kind']})" if answer["kind"] else ""
        told[f"{reward:5}  {answer['text'] or '(empty)'}{flags}{kind}"] += 1
    for text, count in list(told.items())[:_MOST_ANSWERS]:
        yield _cut(f"{label}{f'{count}x' if count > 1 else '':3} {text}", look)


def _cut(text: str, look: Look) -> str:
    return shortened(visible(text), look.width or _WIDEST)


def _head(document: EventsDocument | MetricsDocument | CheckpointsDocument, look: Look) -> str:
    id = f" ({visible(document['id'])})" if document["address"] else ""
    simulated = f"  {look.paint(Tone.CAUTION, 'SIMULATED')}" if document["simulated"] else ""
    return f"{visible(document['address'] or document['id'])}{id}  {visible(document['status'])}{simulated}"


def _job(document: EventsDocument | MetricsDocument | CheckpointsDocument | SamplesDocument) -> str:
    """How a command names it."""
    return visible(document["address"]) if document["address"] else f"--id {visible(document['id'])}"
