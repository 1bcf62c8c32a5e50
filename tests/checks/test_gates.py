"""A gate on a figure that no checkpoint has is said before a training is paid for."""

from __future__ import annotations

from rftplan.kinds.gates import KNOWN_METRICS
from tests.findings import line_of
from tests.world import Small


def test_a_misspelt_metric_lists_the_known_ones_and_stops_nothing(small: Small) -> None:
    small.edit("specs/main.yaml", "metric: valid_reward_mean", "metric: valid_reward")
    (found,) = [one for one in small.check() if one.code == "S217"]
    assert found.severity == "warning"
    assert line_of(found).startswith('S217 specs/main.yaml:26:18 no checkpoint is known to carry "valid_reward"')
    assert (found.hint or "").startswith('did you mean "valid_reward_mean"? known are valid_reward_mean, ')
    small.results(wait=True)
    held = small.changes()["deployment.reviewer"]
    assert "valid_reward_mean" in held.evidence[0].caveats[0]


def test_whatever_the_local_service_gives_is_known(small: Small) -> None:
    small.train()
    (job,) = small.jobs()
    checkpoints = small.service(lambda port: port.list_checkpoints(job.id))
    assert {name for one in checkpoints for name in one.metrics} <= {*KNOWN_METRICS, "step"}
