"""Fixtures for every test: no network, no keys of the machine, a small project."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.world import Small

pytest_plugins = ("pytester", "tests.contract.plugin", "tests.tally")

# A property holds or does not; how long an example takes on a busy machine says nothing about it.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A project of two files, a grader, a job and a deployment, not yet applied."""
    return Small.at(tmp_path)
