"""Where evaluations meet the outside: the provider's models, the graders of this machine, a folder that keeps both.
Samples nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rftplan.api.profiles import Capability
from rftplan.loading import Loaded
from rftplan.wiring import Bench, World, bench, found_keys

if TYPE_CHECKING:
    from rftplan.api.port import Port
    from rftplan.evaluating.evaluator import Evaluate


def judge_named(loaded: Loaded) -> str:
    """Who answers for graders that ask a model: other scores come of another judge."""
    if (written := loaded.provider.judge) is not None:
        return f"{written.model} at {written.base_url}"
    if loaded.profile.can(Capability.SIMULATION):
        return "stand-in"
    return f"the grader's own model at {loaded.identity.base_url}"


def evaluator(loaded: Loaded, port: Port, world: World, stopped: Callable[[], bool]) -> Evaluate:
    """Asks the project's provider. What was answered stays beside the journal, readable for this user alone."""
    from rftplan.evaluating.evaluator import Evaluator

    return Evaluator(port, kept_in(loaded), partial(_bench, loaded, world), stopped)


def kept_in(loaded: Loaded) -> Path:
    """Where answers and scores of one environment are kept."""
    return loaded.root / ".rftplan" / loaded.env / "evaluations"


@contextmanager
def _bench(loaded: Loaded, world: World) -> Iterator[Bench]:
    """The project's bench; where models are real and no judge is written, the provider's models judge."""
    with bench(loaded, world) as found:
        if loaded.provider.judge is not None or loaded.profile.can(Capability.SIMULATION):
            yield found
            return
        from rftplan.api.secrets import without_keys
        from rftplan.grading import HttpJudge

        key = found_keys(loaded, world).key
        judge = HttpJudge(loaded.identity.base_url, None, key, without_key=partial(without_keys, secrets=(key,)))
        try:
            yield Bench(judge, found.runner)
        finally:
            judge.close()
