"""`project`, `policy`, `moved`, `removed`: what they take, and how they say no."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rftplan.address import Address
from rftplan.changes import Hazard
from rftplan.config.project_spec import MoveSpec, PolicySpec, ProjectSpec, RemovedSpec


def read(model: Any, value: Any) -> Any:
    return model.model_validate(value, context={"loader": None, "misread": []})


def test_a_provider_is_a_word_or_a_mapping() -> None:
    short = read(ProjectSpec, {"name": "demo", "provider": "local"})
    assert short == read(ProjectSpec, {"name": "demo", "provider": {"type": "local"}})
    assert short.provider.base_url is None


@pytest.mark.parametrize("hazard", Hazard)
def test_a_policy_may_allow_every_hazard_by_its_word(hazard: Hazard) -> None:
    assert read(PolicySpec, {"allow": [hazard.value]}).allow == (hazard,)


def test_a_move_is_between_two_addresses_of_one_kind() -> None:
    move = read(MoveSpec, {"from": "job.old", "to": "job.new"})
    assert (move.origin, move.to) == (Address("job", "old"), Address("job", "new"))


@pytest.mark.parametrize(
    ("model", "value", "says"),
    [
        (ProjectSpec, {"name": "Demo", "provider": "local"}, "must be a name"),
        (ProjectSpec, {"name": "demo", "provider": "opnai"}, "'local', 'openai', 'azure' or 'bedrock'"),
        (ProjectSpec, {"name": "demo", "provider": {"type": "local", "base_url": "ftp://x"}}, "ftp"),
        (PolicySpec, {"allow": ["everything"]}, "spend"),
        (PolicySpec, {"data_roots": [""]}, "must be a directory"),
        (MoveSpec, {"from": "job.a", "to": "file.a"}, "two addresses of one kind"),
        (MoveSpec, {"from": "job.a", "to": "job.a"}, "two addresses of one kind"),
        (MoveSpec, {"from": "job", "to": "job.a"}, "is not an address"),
        (RemovedSpec, {"address": "file.a", "delete_model": True}, "delete_model is of a job, and file.a is none"),
        (RemovedSpec, {"address": 3}, "is not an address"),
    ],
)
def test_what_does_not_fit_is_said(model: Any, value: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        read(model, value)
