"""Prices: each with its source, none where nothing is paid, and the specs' own in their place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.profiles import PROFILES, elsewhere, profile
from rftplan.api.profiles.prices import NO_PRICES, NOT_KNOWN, OWN, HourPrice, TokenPrice
from rftplan.checks.grader_models import SNAPSHOTS

OPENAI = profile("openai")
AMOUNTS = st.floats(0, 1e6)
MODELS = st.sampled_from(["o4-mini-2025-04-16", "gpt-4o-2024-08-06", "mine"])


def test_every_price_says_who_says_it_and_when_that_was_read() -> None:
    prices: list[HourPrice | TokenPrice] = [*OPENAI.prices.training.values(), *OPENAI.prices.tokens.values()]
    assert len(prices) > 5
    for price in prices:
        assert price.source
        assert price.read is not None and re.fullmatch(r"20\d\d-\d\d(-\d\d)?", price.read)


def test_an_hour_of_the_one_model_that_was_trained_has_the_published_price() -> None:
    assert {model: price.usd for model, price in OPENAI.prices.training.items()} == {"o4-mini-2025-04-16": 100.0}


def test_every_model_that_the_vendor_lists_as_a_judge_has_a_price() -> None:
    assert set(OPENAI.prices.tokens) == set(SNAPSHOTS)
    assert all(0 < price.input < price.output for price in OPENAI.prices.tokens.values())


@pytest.mark.parametrize("name", sorted(name for name, of in PROFILES.items() if not of.paid))
def test_what_is_not_paid_has_no_prices(name: str) -> None:
    assert PROFILES[name].prices == NO_PRICES


def test_at_another_host_neither_prices_nor_caps_are_known() -> None:
    other = elsewhere(OPENAI)
    assert (other.prices, other.cap) == (NO_PRICES, NOT_KNOWN)
    assert other.cap.usd is None and OPENAI.cap.usd is None, "nobody promises a figure"


@given(st.dictionaries(MODELS, AMOUNTS), st.dictionaries(MODELS, st.tuples(AMOUNTS, AMOUNTS)))
def test_the_specs_own_prices_take_the_place_of_what_is_known_and_of_nothing_else(
    training: dict[str, float], tokens: dict[str, tuple[float, float]]
) -> None:
    table = OPENAI.prices.with_own(training, tokens)
    for model in {*OPENAI.prices.training, *training}:
        own = HourPrice(training[model], None, OWN) if model in training else OPENAI.prices.training[model]
        assert table.training[model] == own
    for model in {*OPENAI.prices.tokens, *tokens}:
        given_ = TokenPrice(*tokens[model], None, OWN) if model in tokens else OPENAI.prices.tokens[model]
        assert table.tokens[model] == given_
