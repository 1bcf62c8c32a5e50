"""A launch is known again by the seed that carries its token, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.api.profiles import Capability, profile
from rftplan.journal import Intent
from rftplan.kinds.job.kept import REPLACES
from rftplan.kinds.job.launch import ADDRESS_KEY, LAUNCH_KEY, TOKEN_KEY
from rftplan.kinds.job.nameless import Launched, Sent, known_again, launched_by, seed_of, with_token
from rftplan.kinds.scope import Scope
from rftplan.lockfile import Entry

JOB = Address("job", "review")
KEEPS = profile("openai")
BARE = replace(KEEPS, capabilities=KEEPS.capabilities - {Capability.METADATA})
SCOPE = Scope("demo", "default", "lineage", False, BARE)
SENT = Sent("o4-mini", "file-1", "file-2", None)


def job(**rest: Any) -> RemoteJob:
    shown: Mapping[str, Any] = {
        "id": "ftjob-1",
        "status": JobStatus.RUNNING,
        "raw_status": "running",
        "created_at": 0,
        "model": "o4-mini-2025-04-16",
        "training_file": "file-1",
        "validation_file": "file-2",
    }
    return RemoteJob(**{**shown, **rest})


def intent(sent: Sent = SENT, token: str = "lineage:1", verb: str = "launch") -> Intent:
    return Intent(1, JOB, verb, token, "v1:abc:1", 0.0, target=sent.as_target())


@given(st.text())
def test_a_seed_has_31_bits_of_its_token_and_is_the_same_every_time(token: str) -> None:
    assert seed_of(token) == seed_of(token)
    assert 0 <= seed_of(token) <= 2_147_483_647


def test_tokens_have_seeds_of_their_own() -> None:
    assert len({seed_of(f"lineage:{number}") for number in range(2_000)}) == 2_000


def test_a_token_goes_into_a_seed_that_nobody_set_and_only_where_metadata_may_be_lost() -> None:
    assert with_token({"model": "m"}, "t", BARE) == {"model": "m", "seed": seed_of("t")}
    assert with_token({"model": "m", "seed": 0}, "t", BARE) == {"model": "m", "seed": 0}
    assert with_token({"model": "m"}, "t", KEEPS) == {"model": "m"}


@given(
    st.builds(
        Sent,
        st.text(min_size=1),
        st.text(min_size=1),
        st.none() | st.text(min_size=1),
        st.none() | st.integers(0, 2_147_483_647),
    )
)
def test_what_was_sent_is_kept_whole_in_the_journal(sent: Sent) -> None:
    assert Sent.from_target(sent.as_target()) == Sent.from_target((*sent.as_target(), "ftjob-1")) == sent


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ({}, True),
        ({"model": "o4-mini"}, True),
        ({"training_file": None}, True),
        ({"seed": 7}, False),
        ({"seed": None}, False),
        ({"model": "gpt-4o"}, False),
        ({"training_file": "file-9"}, False),
        ({"validation_file": "file-9"}, False),
    ],
)
def test_seed_files_and_model_have_to_fit(shown: dict[str, Any], same: bool) -> None:
    there = job(**{"seed": seed_of("lineage:1"), **shown})
    (found,) = known_again([there], SCOPE, entries={}, intents=[intent()])
    named = {ADDRESS_KEY: "demo/default/job.review", LAUNCH_KEY: "v1:abc:1", TOKEN_KEY: "lineage:1"}
    assert found.metadata == (named if same else {})


def test_a_seed_of_the_specs_names_nobody_and_rules_out_others() -> None:
    launched = Launched("demo/default/job.review", "v1:abc:1", "lineage:1", replace(SENT, seed=7))
    assert not launched.is_(job(seed=7))
    assert launched.may_be(job(seed=7))
    assert launched.may_be(job(seed=None))
    assert not launched.may_be(job(seed=8))


def test_jobs_are_known_by_the_ids_that_lock_and_journal_have() -> None:
    entry = Entry("v1:new", {}, "ftjob-new", attempt=2, resolved={REPLACES: {"ftjob-old": "v1:old:1"}})
    cancel = replace(intent(), verb="cancel", launch="v1:cut:1", target=("ftjob-cut",))
    jobs = [job(id=id) for id in ("ftjob-new", "ftjob-old", "ftjob-cut", "ftjob-other")]
    found = known_again(jobs, SCOPE, entries={JOB: entry}, intents=[cancel])
    assert [one.metadata.get(LAUNCH_KEY) for one in found] == ["v1:new:2", "v1:old:1", "v1:cut:1", None]


def test_what_a_service_kept_is_left_as_it_is() -> None:
    kept = job(metadata={LAUNCH_KEY: "v1:other:1"}, seed=seed_of("lineage:1"))
    assert known_again([kept], SCOPE, entries={}, intents=[intent()]) == (kept,)
    scope = replace(SCOPE, profile=KEEPS)
    bare = job(seed=seed_of("lineage:1"))
    assert known_again([bare], scope, entries={}, intents=[intent()]) == (bare,)


def test_other_effects_and_launches_that_trusted_metadata_are_not_looked_for_by_seed() -> None:
    assert launched_by(intent(verb="pause"), SCOPE) is None
    assert launched_by(replace(intent(), target=()), SCOPE) is None
