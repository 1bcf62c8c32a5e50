"""Applies worth dying in: each is a project brought to where one apply is due, and that apply. Together they have every
effect that rftplan can have on a service. Tests nothing itself."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replace_due
from typing import Any, Final

from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api import profiles
from rftplan.kinds.file import remote_name
from tests.scenarios.promised import House
from tests.world import rows

S: Final = "specs/main.yaml"
JOB: Final = Address("job", "review")
PARTS: Final = profiles.PartSizes(above=100, size=1_000, at_once=1)


def parted(of: profiles.Profile) -> profiles.Profile:
    """The profile, where even the smallest file goes in parts."""
    return replace(of, parts=PARTS)


@dataclass(frozen=True)
class Due:
    """One apply that is due, with its options. `prepare` brings a new house there. `held`: something waits for a
    person in the end; `parts`: files are to go in parts; `speed`: the service's, low where nobody waits for a job;
    `bare`: the service shows no metadata, and the profile does not say that it does."""

    name: str
    prepare: Callable[[House], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    parts: bool = False
    held: bool = False
    speed: float = 0.01
    bare: bool = False

    def apply(self, house: House) -> Any:
        """Step by step, so that the calls come in the same order every time."""
        return house.small.apply(parallelism=1, **self.options)

    def repeat(self, house: House) -> Any:
        """Run it again, as a person does who saw it fail: who asked for a replacement does not ask twice."""
        again = {key: value for key, value in self.options.items() if key != "replace"}
        return house.small.apply(parallelism=1, **again)

    @property
    def once(self) -> bool:
        """Whether it is asked for once only, so that a death may come before anybody heard of it."""
        return "replace" in self.options

    @property
    def selection(self) -> Mapping[str, Any]:
        return {key: value for key, value in self.options.items() if key == "destroy"}

    def __str__(self) -> str:
        return self.name


def bare(of: profiles.Profile) -> profiles.Profile:
    """The profile of a service that is not known to keep metadata."""
    lacks = {profiles.Capability.METADATA, profiles.Capability.METADATA_FILTER}
    return replace(of, capabilities=of.capabilities - lacks)


def projects(house: House, names: str) -> None:
    house.small.edit(S, "    checkpoint: best", f"    projects: {names}\n    checkpoint: best")


def run(house: House, state: str) -> None:
    house.small.edit(S, "    model: o4-mini", f"    run: {state}\n    model: o4-mini")


def _running(house: House) -> None:
    """Launched, and seen to have taken a step."""
    house.small.apply()
    house.clock.time += 2.5 / house.speed


def _ended(house: House) -> None:
    house.small.apply()
    house.clock.time += 6 / house.speed


def _live(house: House) -> None:
    projects(house, "[p1, p2]")
    _ended(house)
    house.small.apply()


def _epochs(house: House, after: int, before: int = 2) -> None:
    house.small.edit(S, f"n_epochs: {before}", f"n_epochs: {after}")


def _first(house: House) -> None:
    projects(house, "[p1, p2]")


def _pause(house: House) -> None:
    _running(house)
    run(house, "paused")


def _resume(house: House) -> None:
    _pause(house)
    house.small.apply()
    house.clock.time += 60
    house.small.edit(S, "run: paused", "run: running")


def _cancel(house: House) -> None:
    _running(house)
    run(house, "cancelled")


def _relaunch(house: House) -> None:
    _cancel(house)
    house.small.apply()
    house.small.edit(S, "run: cancelled", "run: running")


def _replace(house: House) -> None:
    _running(house)
    _epochs(house, 3)


def _revert(house: House) -> None:
    """What was launched for the edit runs, and what was launched before it came to an end of its own."""
    _ended(house)
    _epochs(house, 3)
    house.small.apply()
    _epochs(house, 2, before=3)


def _data(house: House) -> None:
    _running(house)
    house.small.write("specs/data/train.jsonl", rows(15))


def _promote(house: House) -> None:
    projects(house, "[p1, p2]")
    _ended(house)


def _next(house: House) -> None:
    """Live, and another job has succeeded in the place of the one that it came from."""
    house.small.write(S, f"policy: {{allow_selection_only: true}}\n{(house.small.root / S).read_text()}")
    _live(house)
    _epochs(house, 3)
    _ended(house)


def _permit(house: House) -> None:
    _live(house)
    house.small.edit(S, "[p1, p2]", "[p2, p3]")


def _retry(house: House) -> None:
    _running(house)
    cancel_by_hand(house)
    house.small.edit(S, "    model: o4-mini", "    retry: {attempts: 2}\n    model: o4-mini")


def cancel_by_hand(house: House) -> None:
    running = [job.id for job in house.small.jobs() if not job.status.ended]
    for id in running:
        house.small.service(lambda port, id=id: port.cancel_job(id))


def _without_job(house: House) -> None:
    text = (house.small.root / S).read_text()
    house.small.write(S, text[: text.index("jobs:")])


def _removed(house: House) -> None:
    _running(house)
    _without_job(house)


def _taken_away(house: House) -> None:
    """Everything but the grader leaves the specs, and nothing is kept."""
    for name in ("train", "test"):
        house.small.edit(S, f"data/{name}.jsonl}}", f"data/{name}.jsonl, lifecycle: {{retain: false}}}}")
    _live(house)
    house.small.apply()
    text = (house.small.root / S).read_text()
    start, grader, end = text.index("files:"), text.index("graders:"), text.index("jobs:")
    house.small.write(S, text[:start] + text[grader:end])


def _unmade(house: House) -> None:
    """The job leaves the specs with its deployment, and so shall its models."""
    _live(house)
    _without_job(house)
    house.small.edit(S, "graders:\n", "removed:\n  - {address: job.review, delete_model: true}\ngraders:\n")


def _replaced_on_demand(house: House) -> None:
    _running(house)


def _moved(house: House) -> None:
    _running(house)
    small = house.small
    small.edit(S, "jobs:\n  review:", "jobs:\n  renamed:")
    small.edit(S, "    job: review", "    job: renamed")
    small.edit(S, "graders:\n", "moved:\n  - {from: job.review, to: job.renamed}\ngraders:\n")


def name_of(house: House, name: str) -> str:
    """What rftplan calls the data file at the service."""
    sha256 = hashlib.sha256((house.small.root / f"specs/data/{name}.jsonl").read_bytes()).hexdigest()
    return remote_name("demo", "default", name, sha256)


def _there_already(house: House) -> None:
    """Files that neither lock nor journal knows have our names, and our bytes."""
    for name in ("train", "test"):
        content = (house.small.root / f"specs/data/{name}.jsonl").read_bytes()
        house.small.upload_by_hand(name_of(house, name), content)


def _other_bytes(house: House) -> None:
    """Files that neither lock nor journal knows have our names, and other bytes of the same size: one of them with a
    younger one that has ours."""
    for name in ("train", "test"):
        content = (house.small.root / f"specs/data/{name}.jsonl").read_bytes()
        house.by_hand(house.small.upload_by_hand(name_of(house, name), content.replace(b"What", b"Tahw", 1)))
        house.clock.time += 1
        if name == "test":
            house.small.upload_by_hand(name_of(house, name), content)


def lose_lock(house: House) -> None:
    (house.small.root / "rftplan.lock").unlink()
    shutil.rmtree(house.small.root / ".rftplan/default")


def _adopt(house: House) -> None:
    _running(house)
    lose_lock(house)


def _adopt_to_stop(house: House) -> None:
    _adopt(house)
    run(house, "cancelled")


def _two_jobs(house: House) -> None:
    """Two jobs from the same files, and a deployment of each."""
    text = (house.small.root / S).read_text()
    job = text[text.index("  review:\n    model") : text.index("deployments:")]
    house.small.edit(S, "deployments:\n", job.replace("review", "second").replace("2}", "3}") + "deployments:\n")


DUE: Final = (
    Due("first", _first, {"wait": True}, speed=1.0),
    Due("first in parts", _first, parts=True),
    Due("two jobs", _two_jobs),
    Due("files there already", _there_already),
    Due("other bytes under our names", _other_bytes),
    Due("pause", _pause),
    Due("resume", _resume),
    Due("cancel", _cancel),
    Due("relaunch after our cancel", _relaunch),
    Due("replace beside", _replace),
    Due("promote over what is live", _next),
    Due("revert an edit", _revert),
    Due("new bytes", _data),
    Due("promote", _promote),
    Due("grant and revoke", _permit),
    Due("retry", _retry),
    Due("cancel what left the specs", _removed),
    Due("delete files", _taken_away),
    Due("delete models", _unmade),
    Due("destroy", _live, {"destroy": True}),
    Due("--replace", _replaced_on_demand, {"replace": frozenset({JOB})}),
    Due("move", _moved),
    Due("adopt", _adopt, held=True),
    Due("adopt to stop", _adopt_to_stop, held=True),
)

_TOUCHING_JOBS: Final = (
    *("first", "two jobs", "relaunch after our cancel", "replace beside", "retry"),
    *("--replace", "new bytes", "cancel", "cancel what left the specs", "destroy", "move"),
)
BARE: Final = tuple(
    replace_due(due, name=f"{name}, no metadata", bare=True)
    for name in _TOUCHING_JOBS
    for due in DUE
    if due.name == name
)
"""What touches jobs, once more at a service that keeps no metadata. The first are enough where time is short."""
