"""Jobs that train, as a person reads them."""

from __future__ import annotations

from msgspec.structs import replace

from rftplan.api.profiles import elsewhere
from rftplan.monitor import Facts, news_of
from rftplan.render.look import Look
from rftplan.render.monitor_documents import training_document
from rftplan.render.monitor_text import block_lines, brief_lines, news_lines
from tests.monitor.runs import LOCAL, OPENAI, checkpoint, facts, job, rewards, simulated, step

HACKED = "reward rose without right answers"
RISING = [0.1 * n for n in range(1, 9)]


def block(of: Facts, width: int | None = 80, unanswered: str | None = None) -> str:
    return "\n".join(block_lines(training_document(of), Look(width=width), unanswered=unanswered))


def test_everything_about_a_job_has_its_line() -> None:
    kept = [checkpoint(n, valid_reward_mean=0.1 * n) for n in (8, 6, 4)]
    told = rewards(RISING, seconds=600, completion_tokens_mean=1500, reasoning_tokens_mean=1200)
    assert block(facts(job(), told, kept, after=5400)) == (
        "job.review  running  step 8 of 20  [████████············]\n"
        "  train reward   0.8    ▂▂▃▄▅▅▆▇  0.1 at first\n"
        "  valid reward   0.75   ▂▃▅▆  0.15 at first, best at step 8\n"
        "  tokens         1,500 an answer (1,200 reasoning), as long as at first\n"
        "  checkpoints    step 8 0.8 (best), step 6 0.6, step 4 0.4\n"
        "  grader errors  none\n"
        "  time           90 min so far, about 110 min left (by the pace of the last 7\n"
        "                 steps)\n"
        "  money          at most $150: the time so far at $100 an hour (OpenAI's guide\n"
        "                 on billing of reinforcement fine-tuning, read 2026-11)\n"
        "  last event     10 min ago: Step 8/20"
    )


def test_what_is_wrong_is_told_below() -> None:
    graders = [{"name": "explanation", "valid_other_error_mean": 1.0, "valid_other_error_count": 61}]
    bad = rewards([0.1] * 3, errors={"graders": graders}, simulation={"train_right_share": 0.1, "hacked": HACKED})
    said = block(facts(simulated(job()), bad, after=9000), unanswered="connection\nreset")
    assert "  grader errors  explanation 61 of 61 validation answers (other_error)\n" in said
    assert "  (SIMULATED, stand-in judge)\n" in said
    assert "  stalled: nothing was told for 2 h 27 min, and the slowest step took 60 s\n" in said
    assert f"  hacked: {HACKED}\n" in said
    assert said.endswith("  no answer, asked again: connection\\nreset")


def test_money_says_whose_figure_it_is() -> None:
    def money(of: Facts) -> str:
        return next(line for line in block(of, None).splitlines() if line.startswith("  money"))[17:]

    used = {"gpt-4o-2024-08-06": {"train_prompt_tokens": 2_000_000}}
    judged = rewards([0.1], model_graders_token_usage=used)
    assert money(facts(job(), judged, after=3600)).endswith("; the graders' tokens on top, $5")
    unknown = rewards([0.1], model_graders_token_usage={"x": {"train_prompt_tokens": 1}})
    assert money(facts(job(), unknown, after=3600)).endswith("; the graders' tokens on top, not known")
    assert money(facts(job(usage_metrics={"usd": 12.4}))) == "$12 by the service's own total"
    assert money(facts(job(), profile=LOCAL)) == "nothing: this service charges nothing"
    assert money(facts(job(), profile=elsewhere(OPENAI))) == (
        "not known: no price for this model, and the service says no total"
    )


def test_a_job_with_losses_and_one_of_which_nothing_is_known() -> None:
    told = [step(n, n, train_loss=1 / n, valid_loss=1.1 / n) for n in (3, 2, 1)]
    said = block(facts(job(), told, [checkpoint(3, valid_loss=0.37)]), None)
    assert "  train loss     0.333  █▅▃  1 at first\n" in said
    assert "  valid loss     0.367  █▅▃  1.1 at first, best at step 3\n" in said
    assert "grader errors" not in said
    assert block(facts(job(), after=90, address=None), None).splitlines()[:2] == [
        "ftjob-1  running",
        "  time           90 s so far",
    ]


def test_a_long_run_is_one_short_curve_of_the_whole() -> None:
    long = facts(job(), rewards([n / 500 for n in range(500)], total=500), after=0)
    line = next(line for line in block(long).splitlines() if "train reward" in line)
    assert len(line) < 80 and line.index("▁") < line.index("█")


def test_in_short_it_is_two_lines_and_in_a_log_one() -> None:
    seen = facts(job(), rewards(RISING), [checkpoint(8)], after=500)
    training = training_document(seen)
    assert brief_lines(training, Look()) == [
        "job.review  running  step 8 of 20  [████████············]",
        "  reward train 0.8  valid 0.75  about 700 s left  at most $14".replace("700 s", "12 min"),
    ]
    news = [one.value for one in news_of(None, seen)]
    assert news_lines(training, news, Look()) == [
        "job.review  running  step 8/20  reward train 0.8  valid 0.75  checkpoint step 8  about 12 min left"
    ]
    assert news_lines(training, ["step"], Look()) == []


def test_remarks_and_a_stall_are_lines_of_their_own_in_a_log() -> None:
    told = rewards([0.1] * 3, simulation={"verdict": {"said": "so", "verdict": "separates"}, "hacked": "it is"})
    seen = facts(simulated(job()), told, after=9000)
    lines = news_lines(training_document(seen), ["verdict", "hacked", "stall"], Look())
    assert lines[:2] == ["job.review  before training: so", "job.review  hacked: it is"]
    assert lines[2].startswith("job.review  stalled: ") and len(lines) == 3


def test_who_guards_is_told_where_somebody_does() -> None:
    seen = replace(facts(job()), guarded_by="reconcile, last pass 2 min ago")
    assert "  guards         guarded by reconcile, last pass 2 min ago" in block(seen)
