"""The pre-flight rules, one module a family, one explicit list. Each is pure: config and profile in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from rftplan.api.profiles import Profile
from rftplan.checks.gates import unknown_metric
from rftplan.checks.installed import missing_metrics
from rftplan.checks.provider import (
    unsupported_grader,
    unsupported_launch,
    unsupported_method,
    unsupported_pause,
    unsupported_projects,
)
from rftplan.config import Config
from rftplan.errors import Diagnostic

Rule = Callable[[Config, Profile], Iterable[Diagnostic]]

RULES: Final[tuple[Rule, ...]] = (
    unsupported_method,
    unsupported_grader,
    unsupported_launch,
    unsupported_pause,
    unsupported_projects,
    missing_metrics,
    unknown_metric,
)


def run_rules(config: Config, profile: Profile) -> list[Diagnostic]:
    """Every finding of every rule."""
    return [found for rule in RULES for found in rule(config, profile)]
