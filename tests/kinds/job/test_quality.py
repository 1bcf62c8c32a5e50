"""What a simulating service says beside the reward is read, kept and told; of any other service there is nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import JobEvent
from rftplan.events import Quality
from rftplan.kinds.job.kept import resolved_values
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.quality import kept_quality, quality_of, said
from rftplan.lockfile import Entry
from tests.kinds.builders import remote
from tests.planning import JobStatus

VERDICT = {"verdict": "separates", "why": "clear", "about": "empty", "said": "the grader tells them apart"}


def event(**simulation: Any) -> JobEvent:
    return JobEvent("e", 0, "info", "", "metrics", {"simulation": {"trainer": "simulation", **simulation}})


def test_the_newest_figures_count_and_the_validation_may_be_of_an_earlier_step() -> None:
    events = [
        event(train_right_share=0.25, valid_right_share=None, verdict=VERDICT, hacked="reward rose"),
        event(train_right_share=0.5, valid_right_share=0.75, verdict=VERDICT, hacked=None),
    ]
    assert quality_of(events) == Quality(
        0.25, 0.75, "the grader tells them apart", separates=True, hacked="reward rose"
    )
    assert quality_of(events[1:]) == Quality(0.5, 0.75, "the grader tells them apart", separates=True)


def test_what_trains_models_or_draws_no_answers_says_nothing_of_it() -> None:
    assert quality_of([]) is None
    assert quality_of([JobEvent("e", 0, "info", "", "metrics", {"step": 1})]) is None
    assert quality_of([event()]) is None, "a supervised job has losses"


def test_it_is_kept_with_a_job_that_ended_and_told_in_few_words() -> None:
    progress = Progress(9, 9, quality=Quality(0.5, 0.1, "it does not", hacked="reward rose from 0 to 1"))
    for status in (JobStatus.RUNNING, JobStatus.SUCCEEDED):
        entry = Entry("v1:a", {}, resolved=resolved_values(remote(status), progress))
        kept = kept_quality(entry)
        assert said(kept) == ("right answers 0.1, and reward rose without them" if status.ended else "")
    assert said(Quality(valid_right=1.0)) == "right answers 1"
    assert said(Quality(hacked="x")) == "reward rose without right answers"
    assert said(Quality()) == said(None) == ""
    assert kept_quality(None) is None


words = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3), lambda v: st.lists(v, max_size=2))


@given(st.dictionaries(st.sampled_from(["train_right_share", "valid_right_share", "verdict", "hacked"]), words))
def test_nothing_that_a_service_says_breaks_it(simulation: dict[str, Any]) -> None:
    assert isinstance(quality_of([event(**simulation)]), Quality | None)
