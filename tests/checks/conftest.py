"""The project of the rules about graders."""

from __future__ import annotations

import pytest

from tests.checks.graded import Graded
from tests.world import Small


@pytest.fixture
def graded(small: Small) -> Graded:
    return Graded(small)
