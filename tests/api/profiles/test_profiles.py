"""Profiles: what they promise to those who plan with them."""

from __future__ import annotations

import pytest

from rftplan.api.port import JobStatus
from rftplan.api.profiles import PROFILES, Capability, elsewhere, profile
from rftplan.errors import UserError


@pytest.mark.parametrize("word", [s.value for s in JobStatus if s is not JobStatus.UNKNOWN])
@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_word_of_the_protocol_is_known(name: str, word: str) -> None:
    assert profile(name).status(word) is JobStatus(word)


@pytest.mark.parametrize("word", ["", "unknown", "RUNNING", "preempted", "canceled"])
def test_a_word_nobody_told_us_is_unknown_and_not_guessed(word: str) -> None:
    assert profile("openai").status(word) is JobStatus.UNKNOWN


def test_only_the_hosted_service_costs_money() -> None:
    assert profile("openai").paid
    assert not profile("local").paid


def test_a_paid_service_gets_time_to_list_what_it_made() -> None:
    assert all(p.settle_seconds >= 120 and p.call_seconds >= 60 for p in PROFILES.values() if p.paid)


def test_local_and_openai_both_keep_metadata_so_launches_can_be_found_again() -> None:
    assert all(p.can(Capability.METADATA) and p.can(Capability.METADATA_FILTER) for p in PROFILES.values())


def test_of_another_host_it_is_not_known_that_it_keeps_metadata() -> None:
    assert not {Capability.METADATA, Capability.METADATA_FILTER} & elsewhere(profile("openai")).capabilities


@pytest.mark.parametrize("name", ["azure", "bedrock"])
def test_a_provider_that_is_not_built_says_not_yet(name: str) -> None:
    with pytest.raises(UserError, match="not supported yet") as caught:
        profile(name)
    assert caught.value.hint == "use local or openai"


def test_an_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match="'opnai'") as caught:
        profile("opnai")
    assert caught.value.hint is not None
    assert "azure, bedrock, local, openai" in caught.value.hint
