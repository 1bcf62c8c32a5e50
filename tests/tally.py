"""Counts that a test run prints at its end: how much a test that enumerates went through. Tests nothing.

Registered by tests/conftest.py. With xdist each worker counts its own, and the counts are added up.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

_KEY = pytest.StashKey[Counter[tuple[str, str]]]()
_OUTPUT = "tally"

Tally = Counter[tuple[str, str]]
"""How many, by what they are of and what they are: `tally["crash matrix", "before the call"] += 1`."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEY] = Counter()


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> Tally:
    """Shared by all tests of a run."""
    return pytestconfig.stash[_KEY]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[_OUTPUT] = [[*key, count] for key, count in session.config.stash[_KEY].items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for of, what, count in getattr(node, "workeroutput", {}).get(_OUTPUT, ()):
        node.config.stash[_KEY][of, what] += count


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counts = config.stash[_KEY]
    for of in sorted({of for of, _ in counts}):
        parts = sorted((what, count) for (other, what), count in counts.items() if other == of)
        total = sum(count for _, count in parts)
        detail = ", ".join(f"{count} {what}" for what, count in parts)
        terminalreporter.write_line(f"{of}: {total} points, {detail}")
