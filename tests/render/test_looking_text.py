"""One job looked at once, as a person reads it."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import GraderRun, JobEvent, SampledAnswer, SampledRow
from rftplan.intervening import Meant
from rftplan.render.look import Look
from rftplan.render.looking_text import checkpoints_text, events_text, metrics_csv, metrics_text, samples_text
from rftplan.render.monitor_documents import checkpoints_document, events_document, metrics_document, samples_document
from rftplan.watching.looking import Events, Samples
from tests.monitor.runs import JOB, STARTED, checkpoint, facts, job, rewards, step
from tests.monitor.test_points import EVENTS

MEANT = Meant(job(), JOB)


def test_events_are_read_from_the_top_down() -> None:
    told = [JobEvent(f"e{n}", STARTED + n, level, text, "message") for n, level, text in NEWEST]
    text = events_text(events_document(Events(MEANT, tuple(told), True)), Look())
    assert text == (
        "job.review (ftjob-1)  running\n"
        "  2027-01-15 08:00:01  info   queued\n"
        "  2027-01-15 08:00:02  error  it\\nfailed\n"
        "There are older ones: rftplan events job.review --limit 20\n"
    )
    assert "no events yet" in events_text(events_document(Events(MEANT, (), False)), Look())


NEWEST = [(2, "error", "it\nfailed"), (1, "info", "queued")]


def test_a_moment_beyond_all_calendars_is_shown_as_it_is() -> None:
    told = JobEvent("e", 10**18, "info", "far", "message")
    assert "  1000000000000000000  info   far\n" in events_text(events_document(Events(MEANT, (told,), False)), Look())


def test_a_table_has_the_columns_that_there_are_figures_for() -> None:
    graders = [{"name": "a", "train_other_error_mean": 0.5, "train_other_error_count": 3}]
    told = [step(2, 60, train_mean_reward=0.5, errors={"graders": graders}), *rewards([0.25])]
    assert metrics_text(metrics_document(facts(job(), told)), Look()) == (
        "job.review (ftjob-1)  running\n"
        "  step  train reward  grader errors\n"
        "     1         0.250  -\n"
        "     2         0.500  3/6 a\n"
        "2 of 20 steps. Every figure: rftplan metrics job.review --format csv\n"
    )
    assert "no step is done yet" in metrics_text(metrics_document(facts(job())), Look())


@given(EVENTS)
def test_csv_is_read_by_who_reads_csv_and_has_every_figure(events: list[JobEvent]) -> None:
    seen = facts(job(), events)
    table = list(csv.DictReader(io.StringIO(metrics_csv(metrics_document(seen)))))
    assert [int(row["step"]) for row in table] == [point.step for point in seen.points]
    for row, point in zip(table, seen.points, strict=True):
        figures = [value for path, value in row.items() if value != ""]
        assert all(
            value.lstrip("-").replace(".", "").replace("e", "").replace("+", "").replace("-", "").isdigit()
            for value in figures
        )
        assert len(figures) >= len(point.figures)


def test_a_name_is_no_formula_for_a_table() -> None:
    told = [step(1, 0, **{'=HYPERLINK("x")': 1})]
    assert metrics_csv(metrics_document(facts(job(), told))).splitlines()[0].endswith(",step,total_steps")
    assert '"\'=HYPERLINK(""x"")"' in metrics_csv(metrics_document(facts(job(), told)))


def test_checkpoints_say_which_is_best_and_stay_within_the_width() -> None:
    kept = [checkpoint(6, valid_reward_mean=0.8), checkpoint(4, valid_reward_mean=0.9)]
    document = checkpoints_document(facts(job(), checkpoints=kept))
    assert checkpoints_text(document, Look()) == (
        "job.review (ftjob-1)  running\n"
        "          valid reward        model\n"
        "  step 6  0.8                 ft:x:ckpt-step-6\n"
        "  step 4  0.9           best  ft:x:ckpt-step-4\n"
    )
    narrow = checkpoints_text(document, Look(width=40)).splitlines()
    assert narrow[3] == "    ft:x:ckpt-step-6" and all(len(line) <= 40 for line in narrow)
    assert "no checkpoints yet" in checkpoints_text(checkpoints_document(facts(job())), Look())


def row(number: int, at: int, *answers: tuple[str, float | None]) -> SampledRow:
    messages = [{"role": "user", "content": f"question\n{number}"}]
    told = tuple(
        SampledAnswer(text, (), GraderRun(score, {} if score is not None else {"other": "x"}))
        for text, score in answers
    )
    return SampledRow(f"r{number}", at, number, messages, {"answer": "x"}, told)


def test_samples_are_compared_and_what_lost_most_comes_first() -> None:
    now = (row(0, 8, ("yes", 1.0), ("yes", 1.0)), row(1, 8, ("", 0.0), ("no\x1b[2J", 0.5)))
    before = (row(0, 4, ("no", 0.5)), row(1, 4, ("yes", 1.0)))
    text = samples_text(samples_document(Samples(MEANT, 8, now, 4, before)), Look(width=80))
    assert text == (
        "job.review  step 8, 2 rows, compared with step 4: what lost most comes first\n"
        "\n"
        "row 1  reward 0.25, was 1  -0.750\n"
        "  asked   question\\n1\n"
        "  answer      0      (empty)\n"
        "  answer      0.5    no\\x1b[2J\n"
        "  before      1      yes\n"
        "\n"
        "row 0  reward 1, was 0.5  +0.500\n"
        "  asked   question\\n0\n"
        "  answer  2x  1      yes\n"
        "  before      0.5    no\n"
    )


def test_many_rows_are_cut_and_errors_are_named() -> None:
    rows = tuple(row(n, 8, ("x", None)) for n in range(13))
    text = samples_text(samples_document(Samples(MEANT, 8, rows)), Look())
    assert text.count("row ") == 10 and text.endswith("\n3 more rows; --json has every one, whole\n")
    assert "  answer      -      x  other\n" in text


def test_a_row_that_was_not_sampled_before_comes_last() -> None:
    document = samples_document(
        Samples(MEANT, 8, (row(0, 8, ("x", 1.0)), row(1, 8, ("x", 0.2))), 4, (row(1, 4, ("x", 0.1)),))
    )
    assert [(one["row"], one.get("change")) for one in document["rows"]] == [(1, 0.1), (0, None)]


@given(st.integers(40, 200))
def test_lines_of_samples_keep_within_the_width(width: int) -> None:
    told = Samples(MEANT, 8, (row(0, 8, ("long " * 80, 1.0)),), 4, (row(0, 4, ("x" * 300, 0.5)),))
    assert all(len(line) <= width for line in samples_text(samples_document(told), Look(width=width)).splitlines()[2:])
