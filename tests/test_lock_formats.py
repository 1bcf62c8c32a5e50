"""A lock that any earlier rftplan wrote is read, wants nothing done, and is written in today's form from then on.

`tests/locks` has one for each form that was ever written since rows are digested as today, made by the code of its day,
with the specs and rows that it is of. A form that is given up gets the next number; none is ever taken out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rftplan.lockfile import dumps, loads, read_lock
from tests.world import Small

LOCKS = sorted((Path(__file__).parent / "locks").iterdir())


@pytest.fixture(params=LOCKS, ids=lambda folder: folder.name)
def former(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Small, str]:
    """The project of that day, trained, and the text that its lock had, with the ids of this service."""
    shutil.copytree(request.param / "specs", tmp_path / "specs")
    small = Small(tmp_path)
    small.train()
    text = (request.param / "rftplan.lock").read_text()
    then, now = json.loads(text), json.loads((tmp_path / "rftplan.lock").read_text())
    swaps = {then["lineage"]: now["lineage"]}
    for address, entry in then["resources"].items():
        if "id" in entry:
            swaps[entry["id"]] = now["resources"][address]["id"]
    for old, new in swaps.items():
        text = text.replace(json.dumps(old), json.dumps(new))
    return small, text


def test_it_wants_nothing_done_and_is_written_in_todays_form(former: tuple[Small, str]) -> None:
    small, text = former
    (small.root / "rftplan.lock").write_text(text)
    assert small.verbs() == {}
    small.apply(wait=True)
    assert small.verbs() == {} and len(small.jobs()) == 1
    lock = read_lock(small.root / "rftplan.lock")
    assert lock is not None
    small.edit("specs/main.yaml", "at_least: 0.1", "at_least: 0.05")
    small.apply(wait=True)
    now = (small.root / "rftplan.lock").read_text()
    assert now == dumps(loads(now, name="rftplan.lock"))
    assert json.loads(now)["project"] == "demo" and len(small.jobs()) == 1
