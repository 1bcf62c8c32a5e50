"""Bars, sparklines and figures."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rftplan.render.curve import bar, figure, size, sparkline


@given(st.floats(min_value=0, max_value=1e6), st.floats(min_value=0.1, max_value=1e6))
def test_a_bar_is_full_only_at_the_end(done: float, total: float) -> None:
    shown = bar(done, total)
    assert len(shown) == 22
    assert ("·" not in shown) == (done >= total)


@given(st.lists(st.floats()))
def test_a_sparkline_takes_any_figures(values: list[float]) -> None:
    finite = [v for v in values if math.isfinite(v) and abs(v) < 1e300]
    assert len(sparkline(finite)) == min(len(finite), 16)


def test_the_sparkline_of_rewards_always_shows_zero_to_one() -> None:
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([0.5, 0.5]) == "▅▅"
    assert sparkline([math.nan]) == ""


def test_figures_and_sizes_are_short() -> None:
    assert [figure(v) for v in (0.9123, 0.8, 1.0, -0.0001, 12.0)] == ["0.912", "0.8", "1", "0", "12"]
    assert [size(n) for n in (0, 999, 1500, 999_950, 5_000_000_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "1.0 MB",
        "5.0 TB",
    ]
