"""What `--wait` sees of a job, and what is kept of its end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rftplan.address import Address
from rftplan.events import Event, Outcome, Trained
from tests.world import Small

JOB = Address("job", "review")
LOSSES = """\
project: {name: demo, provider: local}
files:
  train: {path: data/train.jsonl}
  test: {path: data/test.jsonl}
jobs:
  review:
    model: gpt-4.1-mini-2025-04-14
    training_file: train
    validation_file: test
    method: {type: METHOD, METHOD: {hyperparameters: {n_epochs: 2}}}
"""


def without_rewards(root: Path, method: str) -> Small:
    """A job whose rows are answered, once or twice."""
    small = Small.at(root, LOSSES.replace("METHOD", method))
    for name in ("train", "test"):
        asked = [{"role": "user", "content": f"Why is {name} asked?"}]
        yes, no = ([{"role": "assistant", "content": said}] for said in ("Yes.", "No."))
        rows = {
            "supervised": {"messages": asked + yes},
            "dpo": {"input": {"messages": asked}, "preferred_output": yes, "non_preferred_output": no},
        }
        small.write(f"specs/data/{name}.jsonl", (json.dumps(rows[method]) + "\n") * 40)
    return small


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_a_job_without_rewards_is_followed_by_its_losses(tmp_path: Path, method: str) -> None:
    small, seen = without_rewards(tmp_path, method), list[Event]()
    small.apply(wait=True, on_event=seen.append)
    looks = [event for event in seen if isinstance(event, Trained)]
    assert looks[-1].status == "succeeded"
    told = [(look.train_loss, look.valid_loss) for look in looks if look.step is not None]
    assert all(train is not None and valid is not None for train, valid in told)
    assert told[0] > told[-1]
    assert {look.train_reward for look in looks} == {look.valid_reward for look in looks} == {None}


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_its_status_has_the_loss_of_the_validation(tmp_path: Path, method: str) -> None:
    small = without_rewards(tmp_path, method)
    small.apply()
    small.clock.time += 20
    assert re.search(r"step \d+ of \d+, valid loss \d\.\d{2,4}, SIMULATED", small.status()[str(JOB)].detail)


def test_every_look_is_told_and_the_end_is_kept_with_its_figures(small: Small) -> None:
    seen: list[Event] = []
    small.apply(wait=True, on_event=seen.append)
    looks = [event for event in seen if isinstance(event, Trained)]
    assert [look.status for look in looks][-1] == "succeeded"
    assert all(look.caveat is not None and "SIMULATED" in look.caveat for look in looks)
    kept = small.lock().resources[JOB].resolved
    assert (kept["status"], kept["step"]) == ("succeeded", looks[-1].step)


def test_a_job_that_somebody_cancels_fails_the_wait(small: Small) -> None:
    small.launch_until_step()
    id = small.jobs()[0].id

    async def cancel_meanwhile(seconds: float) -> None:
        small.clock.sleep = sleep  # type: ignore[method-assign]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            pool.submit(small.service, lambda port: port.cancel_job(id)).result()
        await sleep(seconds)

    sleep = small.clock.sleep
    small.clock.sleep = cancel_meanwhile  # type: ignore[method-assign]
    told = small.results(wait=True)
    assert (told["job.review"].outcome, told["job.review"].error) == (Outcome.FAILED, "the job is cancelled")
    assert told["deployment.reviewer"].outcome is Outcome.SKIPPED
