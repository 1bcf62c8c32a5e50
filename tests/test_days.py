"""Which day it is: by UTC, for a plan as for a check of files."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from rftplan import loading
from rftplan.checking import request
from rftplan.days import day_of, today


def test_a_day_ends_at_midnight_by_utc() -> None:
    midnight = datetime(2026, 10, 23, tzinfo=UTC).timestamp()
    assert (day_of(midnight - 1), day_of(midnight)) == (date(2026, 10, 22), date(2026, 10, 23))


@pytest.mark.parametrize("zone", ["UTC+12", "UTC-12"])
def test_it_is_the_same_day_wherever_a_command_runs(zone: str) -> None:
    code = "from rftplan.days import day_of; print(day_of(1_800_000_000))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "TZ": zone}, capture_output=True, text=True)
    assert done.stdout.strip() == day_of(1_800_000_000).isoformat() == "2027-01-15"


@pytest.mark.parametrize("check", [loading.load, request.check_request])
def test_a_check_without_a_world_takes_the_same_day(check: object) -> None:
    assert callable(check) and inspect.signature(check).parameters["today"].default is today
