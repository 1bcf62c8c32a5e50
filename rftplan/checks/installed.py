"""Rules about what is installed here, where graders run in this process. Installs nothing and imports no library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rftplan.api.profiles import PROFILES
from rftplan.checks.preflight import Preflight, scorers, written_graders
from rftplan.codes import PACKAGE_MISSING
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import TextSimilarity


def missing_metrics(preflight: Preflight) -> Iterable[Diagnostic]:
    """A metric whose library is not here: the job that the in-process service trains with it would fail.

    A service elsewhere, `rftplan serve` among them, has its own libraries.
    """
    if preflight.profile != PROFILES["local"]:
        return
    for written, spec in written_graders(preflight):
        for where, scorer in scorers(written, spec):
            if isinstance(scorer, TextSimilarity) and (package := _missing(scorer.evaluation_metric)) is not None:
                yield where.finding(
                    PACKAGE_MISSING,
                    f"{scorer.evaluation_metric} needs {package}, which is not installed: a job that is graded by it "
                    "fails",
                    "evaluation_metric",
                    hint=f"pip install {package} (the extra metrics has them all)",
                )


def _missing(metric: str) -> str | None:
    from rftplan.grading import Metric, missing_package  # here, for few specs compare texts

    return missing_package(Metric(metric)) if metric in tuple(Metric) else None


RULES: Final = (missing_metrics,)
PROBES: Final = ()
