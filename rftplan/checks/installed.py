"""Rules about what is installed here, where graders run in this process. Installs nothing and imports no library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rftplan.api.profiles import PROFILES, Profile
from rftplan.codes import PACKAGE_MISSING, finding
from rftplan.config import Config, Declared
from rftplan.errors import Diagnostic
from rftplan.kinds.grader import GraderSpec, Multi, TextSimilarity

Path = tuple[str, ...]


def missing_metrics(config: Config, profile: Profile) -> Iterable[Diagnostic]:
    """A metric whose library is not here: the job that the in-process service trains with it would fail.

    A service elsewhere, `rftplan serve` among them, has its own libraries.
    """
    if profile != PROFILES["local"]:
        return
    for declared, path, grader in _similarities(config):
        if (package := _missing(grader.evaluation_metric)) is not None:
            yield finding(
                PACKAGE_MISSING,
                f"{grader.evaluation_metric} needs {package}, which is not installed: a job that is graded by it fails",
                place=declared.where((*path, "evaluation_metric")),
                address=str(declared.address),
                hint=f"pip install {package} (the extra metrics has them all)",
            )


def _missing(metric: str) -> str | None:
    from rftplan.grading import Metric, missing_package  # here, for few specs compare texts

    return missing_package(Metric(metric)) if metric in tuple(Metric) else None


def _similarities(config: Config) -> Iterator[tuple[Declared, Path, TextSimilarity]]:
    for declared in config.declared.values():
        if declared.address.kind == "grader":
            yield from _within(declared, declared.spec, ())
        elif declared.address.kind == "job":
            reinforcement = declared.spec.reinforcement
            if reinforcement is not None and isinstance(reinforcement.grader, GraderSpec):
                yield from _within(declared, reinforcement.grader, ("method", "reinforcement", "grader"))


def _within(declared: Declared, spec: GraderSpec, path: Path) -> Iterator[tuple[Declared, Path, TextSimilarity]]:
    if isinstance(spec.root, TextSimilarity):
        yield declared, path, spec.root
    elif isinstance(spec.root, Multi):
        for name, member in spec.root.graders.items():
            if isinstance(member, TextSimilarity):
                yield declared, (*path, "graders", name), member
