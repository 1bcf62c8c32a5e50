"""Rules about what this system lacks, where graders run on it for the in-process service.

Installs nothing, imports no library of a metric, and runs nothing of a spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.api.profiles import PROFILES
from rftplan.checks.preflight import Preflight, Scorer, Written, scorers, written_graders
from rftplan.codes import PACKAGE_MISSING, PYTHON_UNKEPT
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import Python, TextSimilarity


def missing_metrics(preflight: Preflight) -> Iterable[Diagnostic]:
    """A metric whose library is not here: the job that the in-process service trains with it would fail."""
    for where, scorer in _run_here(preflight):
        if isinstance(scorer, TextSimilarity) and (package := _missing(scorer.evaluation_metric)) is not None:
            yield where.finding(
                PACKAGE_MISSING,
                f"{scorer.evaluation_metric} needs {package}, which is not installed: a job that is graded by it fails",
                "evaluation_metric",
                hint=f"pip install {package} (the extra metrics has them all)",
            )


def unkept_graders(preflight: Preflight) -> Iterable[Diagnostic]:
    """A python grader where nothing would keep it in: the in-process service does not run it, and the job fails."""
    written = [where for where, scorer in _run_here(preflight) if isinstance(scorer, Python)]
    missing = preflight.missing_isolation() if written else ()
    for where in written if missing else ():
        detail = f"nothing would keep this code in, for this system does not give {', '.join(missing)}: a job that is "
        detail += "graded by it fails, unless it is trusted"
        hint = "apply --trust-python runs it with your rights; docs/python-graders.md says what is needed otherwise"
        yield where.finding(PYTHON_UNKEPT, detail, "type", hint=hint)


def _run_here(preflight: Preflight) -> Iterator[tuple[Written, Scorer]]:
    """A service elsewhere has its own packages and its own system, that of `rftplan serve` among them."""
    if preflight.profile == PROFILES["local"]:
        for written, spec in written_graders(preflight):
            yield from scorers(written, spec)


def _missing(metric: str) -> str | None:
    from rftplan.grading import Metric, missing_package  # here, for few specs compare texts

    return missing_package(Metric(metric)) if metric in tuple(Metric) else None


RULES: Final = (missing_metrics, unkept_graders)
PROBES: Final = ()
