"""What every kind leans on: one journalled effect, and when an entry stands for what is wanted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.api.identity import ProviderIdentity
from rftplan.canonical import VERSIONS, JsonObject, canonical_json, fingerprint
from rftplan.changes import Action, Reason
from rftplan.errors import (
    ApiError,
    CredentialError,
    FateUnknownError,
    NotDoneError,
    NotFoundError,
    RejectedError,
    RftplanError,
)
from rftplan.events import ignore
from rftplan.journal import LostEffect, Paths, State, read_state
from rftplan.kinds.base import Act, stands_for
from rftplan.ledger import Ledger, open_ledger
from rftplan.lockfile import Entry, write_lock
from tests.kinds.builders import JOB, LINEAGE, job_spec, resource, scope
from tests.world import Small

MADE = Entry("v1:" + "a" * 64, {"model": "m"}, id="ftjob-1")
LAUNCH = f"{MADE.fingerprint}:1"


class Desk:
    """A ledger on disk, and an act that writes to it."""

    def __init__(self, root: Path) -> None:
        self.paths = Paths(root / "rftplan.lock", root / "journal.jsonl")
        identity = ProviderIdentity("local", "http://local/v1")
        self.ledger: Ledger = open_ledger(self.paths, identity, now=lambda: 7.0, new_lineage=lambda: LINEAGE)
        self.act = Act(
            port=None,  # type: ignore[arg-type]  # an effect is handed its call, and looks at no port
            scope=scope(),
            ledger=self.ledger,
            resources={},
            new_token=lambda: "token-1",
            data_path=lambda address: address,
            on_event=ignore,
        )

    def effect(self, answer: BaseException | None) -> list[str]:
        """Launch; the service answers, or `answer` is raised. The tokens that the service was given."""
        given: list[str] = []

        async def call(token: str) -> str:
            given.append(token)
            assert [intent.token for intent in self.on_disk().intents.values()] == [token]
            if answer is not None:
                raise answer
            return "ftjob-1"

        def known(_: Any) -> Entry:
            return MADE

        asyncio.run(self.act.effect(JOB, "launch", call, known, launch=LAUNCH, tombstone_of=lambda _: "v1:old:1"))
        return given

    def on_disk(self) -> State:
        return read_state(self.paths, new_lineage=str)[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.ledger.close()


def test_an_effect_that_succeeds_is_known_with_its_entry_and_tombstone(desk: Desk) -> None:
    assert desk.effect(None) == [f"{LINEAGE}:token-1"]
    state = desk.on_disk()
    assert state.entries == {JOB: MADE}
    assert state.tombstones == {JOB: ("v1:old:1",)}
    assert state.intents == {}


@pytest.mark.parametrize(
    "error",
    [NotDoneError("busy", status=429), RejectedError("no"), NotFoundError("gone"), CredentialError("no key")],
    ids=lambda error: type(error).__name__,
)
def test_what_certainly_did_not_happen_leaves_nothing_open(desk: Desk, error: RftplanError) -> None:
    with pytest.raises(type(error)) as caught:
        desk.effect(error)
    assert caught.value is error
    assert (desk.on_disk().intents, desk.on_disk().entries) == ({}, {})


@pytest.mark.parametrize("error", [FateUnknownError("reply lost"), ApiError("odd")], ids=lambda e: type(e).__name__)
def test_a_fate_that_nobody_knows_is_a_lost_effect_with_its_intent_open(desk: Desk, error: ApiError) -> None:
    with pytest.raises(LostEffect) as caught:
        desk.effect(error)
    assert caught.value.error is error
    assert str(caught.value) == str(error)
    (intent,) = desk.on_disk().intents.values()
    assert (intent.number, intent.launch) == (caught.value.intent.number, LAUNCH)
    assert intent.ended_at == 7.0, "the settle time counts from the end of the attempt"


@pytest.mark.parametrize("death", [asyncio.CancelledError(), KeyboardInterrupt(), MemoryError()], ids=repr)
def test_dying_in_the_middle_leaves_the_intent_open_without_an_end(desk: Desk, death: BaseException) -> None:
    with pytest.raises(type(death)):
        desk.effect(death)
    (intent,) = desk.on_disk().intents.values()
    assert intent.ended_at is None


def _v0(inputs: JsonObject) -> str:
    """A toy of an older rftplan: another hash, and suffixes did not count."""
    return hashlib.blake2s(canonical_json({k: v for k, v in inputs.items() if k != "suffix"}).encode()).hexdigest()


@pytest.fixture
def older() -> Iterator[str]:
    VERSIONS["v0"] = _v0
    yield "v0"
    del VERSIONS["v0"]


def test_an_entry_stands_for_what_is_wanted_by_the_rules_of_its_own_version(older: str) -> None:
    want = resource(job_spec(suffix="sums"))
    other, renamed = resource(job_spec(seed=7)), resource(job_spec(suffix="other"))
    old, new = (Entry(fingerprint(want.inputs, version), want.inputs) for version in (older, "v1"))
    assert old.fingerprint != want.fingerprint == new.fingerprint
    assert stands_for(old, want) and stands_for(new, want)
    assert not stands_for(old, other) and not stands_for(new, other)
    assert stands_for(old, renamed), "v0 did not look at suffixes"
    assert not stands_for(new, renamed)


def test_an_entry_of_a_version_that_is_not_known_is_never_compared() -> None:
    """The lock's reader refuses such a lock beforehand; here a guess would launch, or would not."""
    want = resource(job_spec())
    with pytest.raises(KeyError, match="v9"):
        stands_for(Entry("v9:abc", want.inputs), want)


def test_an_upgrade_plans_every_entry_of_an_older_version_as_nothing_to_do(older: str, small: Small) -> None:
    small.train()
    lock = small.lock()
    aged = {a: replace(e, fingerprint=fingerprint(e.inputs, older)) for a, e in lock.resources.items()}
    write_lock(small.root / "rftplan.lock", replace(lock, resources=aged))
    assert {c.action for c in small.changes().values()} == {Action.NOOP}
    assert small.changes()["job.review"].reason is Reason.MATCHES, "no alias was resolved, only the version differs"
    assert small.plan().drift == ()
    small.apply(wait=True)
    assert len(small.jobs()) == 1 and len(small.files()) == 2
    small.edit("specs/main.yaml", "n_epochs: 2", "n_epochs: 3")
    assert small.verbs()["job.review"] == "replace relaunch", "an old entry still notices a real change"


@pytest.mark.parametrize("run", ["running", "paused", "cancelled"])
def test_an_upgrade_while_a_job_runs_leaves_it_running(older: str, run: str, small: Small) -> None:
    small.launch_until_step()
    lock = small.lock()
    small.edit("specs/main.yaml", "    model: o4-mini", f"    run: {run}\n    model: o4-mini")
    before = small.verbs()
    aged = {a: replace(e, fingerprint=fingerprint(e.inputs, older)) for a, e in lock.resources.items()}
    write_lock(small.root / "rftplan.lock", replace(lock, resources=aged))
    assert small.verbs() == before
