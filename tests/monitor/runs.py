"""Jobs for tests, as services tell of them: a job, events of its steps, checkpoints. No service behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rftplan.address import Address
from rftplan.api.port import Checkpoint, JobEvent, JobStatus, RemoteJob, Simulation
from rftplan.api.profiles import Profile, profile
from rftplan.monitor import Facts, Heard, facts_of

JOB = Address("job", "review")
STARTED = 1_800_000_000
OPENAI = profile("openai")
LOCAL = profile("local")


def job(status: JobStatus = JobStatus.RUNNING, *, finished_at: int | None = None, **body: Any) -> RemoteJob:
    return RemoteJob(
        id="ftjob-1",
        status=status,
        raw_status=status.value,
        created_at=STARTED,
        model="o4-mini-2025-04-16",
        training_file=None,
        validation_file=None,
        finished_at=finished_at,
        body={"method": {"type": "reinforcement"}, **body},
    )


def simulated(of: RemoteJob) -> RemoteJob:
    from msgspec.structs import replace

    return replace(of, simulation=Simulation("simulation", "stand-in judge"))


def step(number: int, at: float, *, total: int = 20, **data: Any) -> JobEvent:
    """The metrics of a step, told `at` seconds after the job was created."""
    said = {"step": number, "total_steps": total, **data}
    return JobEvent(f"e{number}-{at}", STARTED + int(at), "info", f"Step {number}/{total}", "metrics", said)


def rewards(train: Sequence[float], *, every: int = 2, seconds: float = 60, **data: Any) -> list[JobEvent]:
    """A run of so many steps, validated every few: newest first."""
    told = [
        step(
            n,
            n * seconds,
            train_mean_reward=reward,
            **({"full_valid_mean_reward": reward - 0.05} if n % every == 0 else {}),
            **data,
        )
        for n, reward in enumerate(train, 1)
    ]
    return told[::-1]


def checkpoint(at_step: int, **metrics: float) -> Checkpoint:
    return Checkpoint(f"ckpt-{at_step}", f"ft:x:ckpt-step-{at_step}", "ftjob-1", at_step, STARTED, metrics)


def facts(
    of: RemoteJob,
    events: Sequence[JobEvent] = (),
    checkpoints: Sequence[Checkpoint] = (),
    *,
    after: float = 0,
    profile: Profile = OPENAI,
    address: Address | None = JOB,
) -> Facts:
    """What is known so many seconds after the job was created."""
    return facts_of(Heard(of, address, events, checkpoints), now=STARTED + after, profile=profile)
