"""What `--wait` sees of a job, and what is kept of its end."""

from __future__ import annotations

from rftplan.address import Address
from rftplan.events import Event, Outcome, Trained
from tests.world import Small

JOB = Address("job", "review")


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
