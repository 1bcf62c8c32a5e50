"""Which service is meant, and at which prices."""

from __future__ import annotations

import pytest

from rftplan.api.profiles import profile
from rftplan.api.profiles.prices import NO_PRICES, OWN
from rftplan.config import read_config
from rftplan.service_choice import Service, choose_service
from rftplan.source.root import Root
from tests.world import SPEC, Small

OPENAI = profile("openai")
MODEL = "o4-mini-2025-04-16"
PRICES = f"policy: {{prices: {{training_hour: {{{MODEL}: 80}}}}}}\n"
ELSEWHERE = SPEC.replace("provider: local", "provider: {type: openai, base_url: 'https://models.example.com/v1'}")


def chosen(small: Small, spec: str, asked: str | None = None) -> Service:
    small.write("specs/main.yaml", spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    service, problems = choose_service(config, asked)
    assert problems == []
    return service


@pytest.mark.parametrize(("asked", "type"), [(None, "local"), ("local", "local"), ("openai", "openai")])
def test_the_command_line_says_it_instead_of_the_specs(small: Small, asked: str | None, type: str) -> None:
    assert chosen(small, SPEC, asked).profile.type == type


def test_prices_of_the_specs_stand_in_the_profile_beside_those_that_they_do_not_say(small: Small) -> None:
    prices = chosen(small, SPEC + PRICES, "openai").profile.prices
    assert (prices.training[MODEL].usd, prices.training[MODEL].source) == (80, OWN)
    assert prices.tokens == OPENAI.prices.tokens
    assert chosen(small, SPEC, "openai").profile.prices == OPENAI.prices


def test_at_another_host_only_the_prices_of_the_specs_count(small: Small) -> None:
    assert chosen(small, ELSEWHERE).profile.prices == NO_PRICES
    assert set(chosen(small, ELSEWHERE + PRICES).profile.prices.training) == {MODEL}
