"""Formulas and templates against another way to read them, and against noise: a thousand cases of each."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.grading.fuzzing import TRIALS


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
def test_a_thousand_cases_hold(trial: Callable[[Random], None]) -> None:
    random = Random(trial.__name__)
    for _ in range(1000):
        trial(random)
