"""Jobs: immutable, paid, and launched exactly once a slot. This folder is all that knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rftplan.address import Address
from rftplan.api.port import Port
from rftplan.canonical import JsonObject
from rftplan.changes import Change, Drift
from rftplan.events import Result
from rftplan.journal import Trace
from rftplan.kinds.base import Act, Kind, Look, OpenIntent, Ref, Resource, Situation
from rftplan.kinds.job import (
    decide,
    deleting,
    drift,
    following,
    launch,
    observe,
    pausing,
    perform,
    places,
    quality,
    trouble,
)
from rftplan.kinds.job.progress import Progress
from rftplan.kinds.job.spec import JobSpec, Run
from rftplan.kinds.job.steps import AwaitPauseStep, Followed
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry


class JobKind(Kind[JobSpec]):
    name = "job"
    section = "jobs"

    def __init__(self) -> None:
        super().__init__(JobSpec)

    def refs(self, spec: JobSpec) -> Sequence[Ref]:
        refs = []
        if spec.training_file.name is not None:
            refs.append(Ref(("training_file",), Address("file", spec.training_file.name)))
        if spec.validation_file is not None and spec.validation_file.name is not None:
            refs.append(Ref(("validation_file",), Address("file", spec.validation_file.name)))
        if spec.simulate is not None and spec.simulate.candidates.name is not None:
            refs.append(Ref(("simulate", "candidates"), Address("file", spec.simulate.candidates.name)))
        if spec.reinforcement is not None and isinstance(spec.reinforcement.grader, str):
            refs.append(Ref(("method", "reinforcement", "grader"), Address("grader", spec.reinforcement.grader)))
        return refs

    def identity(self, spec: JobSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        return launch.identity(spec, upstream)

    async def observe(self, look: Look) -> Mapping[Address, object]:
        return await deleting.with_models(look, await observe.observe(look))

    def remembered(self, situation: Situation) -> object:
        return drift.remembered(situation.entry)

    def decide(self, situation: Situation) -> Change:
        return decide.decide(situation)

    def drift(self, situation: Situation) -> Sequence[Drift]:
        """A status that changed without us, or values that are not what was launched; progress is no drift."""
        return drift.drift(situation)

    def refreshed(self, situation: Situation) -> Entry | None:
        return drift.refreshed(situation)

    def goes_on(self, situation: Situation) -> str:
        return drift.goes_on(situation)

    def starts_from(self, seen: object) -> frozenset[str]:
        return places.files_of(seen)

    def standing(self, situation: Situation) -> Standing:
        seen, entry = situation.seen, situation.entry
        if not isinstance(seen, observe.SeenJob) or entry is None or seen.mine is None:
            return Standing("not launched" if entry is None else "gone", entry.id if entry else None)
        job, progress = seen.mine, seen.progress
        said = []
        step, total = (
            progress.step or entry.resolved.get("step"),
            progress.total_steps or entry.resolved.get("total_steps"),
        )
        if step is not None:
            said.append(f"step {step} of {total}")
        if progress.valid_reward is not None:
            said.append(f"valid reward {progress.valid_reward:.3g}")
        said += _loss(progress)
        if known := quality.said(progress.quality or quality.kept_quality(entry)):
            said.append(known)
        if job.error is not None and situation.held is None:  # otherwise the hold has the service's words
            said.append(job.error.message)
        if errors := progress.grader_errors or trouble.kept_errors(entry):
            said.append(trouble.said(errors))
        if job.simulation is not None:
            said.append("SIMULATED")
        return Standing(job.raw_status, job.id, ", ".join(said))

    def lineage(self, situation: Situation) -> str | None:
        seen = situation.seen if isinstance(situation.seen, observe.SeenJob) else observe.SeenJob()
        jobs = (*seen.slot, *(seen.others if situation.replace else ()))
        tokens = [job.metadata.get(launch.TOKEN_KEY, "") for job in jobs]
        return next((token.partition(":")[0] for token in tokens if ":" in token), None)

    def holding_places(self, seen: object) -> frozenset[str]:
        return places.holding(seen)

    def wants_place(self, change: Change) -> bool:
        return places.wanted(change)

    async def places_taken(self, port: Port) -> int:
        return sum(job.status.takes_place for job in await port.list_jobs())

    def trace(self, seen: object, open_: OpenIntent, want: Resource | None) -> Trace:
        return observe.trace(seen, open_, want)

    async def perform(self, change: Change, act: Act) -> Result:
        return await perform.perform(change, act)

    def follows(self, change: Change) -> bool:
        """Launched, adopted and running jobs, and those that can be paused only later; not those that stand still."""
        return isinstance(change.step, Followed | AwaitPauseStep)

    async def poll(self, change: Change, act: Act) -> Result | None:
        if isinstance(change.step, AwaitPauseStep):
            return await pausing.poll(change, change.step, act)
        return await following.poll(change, act)

    async def follow_up(self, change: Change, act: Act) -> Result:
        assert isinstance(change.step, AwaitPauseStep)
        return await pausing.follow_up(change, change.step, act)

    async def settle(self, change: Change, act: Act) -> None:
        await following.settle(change, act)

    def told(self, change: Change, outcome: Result, entry: Entry) -> Result:
        return following.told(change, outcome, entry)


def _loss(progress: Progress) -> list[str]:
    """The validation's where there is one, as of rewards."""
    figures = (("valid", progress.valid_loss), ("train", progress.train_loss))
    return [f"{of} loss {figure:#.3g}" for of, figure in figures if figure is not None][:1]


KIND = JobKind()

__all__ = ["KIND", "JobKind", "JobSpec", "Run"]
