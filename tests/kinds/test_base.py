"""One journalled effect: what becomes of its intent, whatever the service does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftplan.api.identity import ProviderIdentity
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
from rftplan.journal import Paths, State, read_state
from rftplan.kinds.base import Act, LostEffect
from rftplan.ledger import Ledger, open_ledger
from rftplan.lockfile import Entry
from tests.kinds.builders import JOB, LINEAGE, scope

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
            records=self.ledger,
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

        asyncio.run(self.act.effect(JOB, "launch", call, known, launch=LAUNCH, tombstone="v1:old:1"))
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
