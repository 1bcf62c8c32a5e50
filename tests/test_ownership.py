"""A lock is one account's and one project's, and says which part of that differs."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rftplan.api.identity import ProviderIdentity
from rftplan.errors import LockError
from rftplan.lockfile import Lock, dumps, loads
from rftplan.ownership import require_own
from tests.world import Small

HERE = ProviderIdentity("openai", "https://api.openai.com/v1", "org-1", "proj-1")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (replace(HERE, type="local"), "provider.type is local in it, and openai is asked for"),
        (replace(HERE, base_url="http://a/v1"), "provider.base_url is http://a/v1 in it, and https://api.openai.com"),
        (replace(HERE, organization="org-2"), "provider.organization is org-2 in it, and org-1 is asked for"),
        (replace(HERE, project=None), "provider.project is (none) in it, and proj-1 is asked for"),
    ],
)
def test_of_another_account_only_what_differs_is_named(other: ProviderIdentity, says: str) -> None:
    with pytest.raises(LockError) as refused:
        require_own(Lock("lineage", other), "rftplan.lock", HERE, "demo")
    assert says in refused.value.message
    assert refused.value.message.count(" is asked for") == 1


def test_no_lock_and_a_lock_that_names_no_project_are_anybodys() -> None:
    require_own(None, "rftplan.lock", HERE, "demo")
    require_own(Lock("lineage", HERE), "rftplan.lock", HERE, "demo")


def test_the_project_is_kept_in_the_lock_where_it_is_known() -> None:
    for project in ("demo", None):
        lock = Lock("lineage", HERE, project=project)
        assert loads(dumps(lock), name="rftplan.lock") == lock


def test_a_renamed_project_is_refused_before_anything_is_launched_twice(small: Small) -> None:
    small.train()
    assert small.lock().project == "demo"
    small.edit("specs/main.yaml", "name: demo", "name: other")
    for act in (small.plan, small.apply, small.status):
        with pytest.raises(LockError, match='belongs to project "demo", the specs name "other"') as refused:
            act()
        assert refused.value.hint is not None and 'name it "demo" again' in refused.value.hint
    assert len(small.jobs()) == 1
