"""Where adapters meet the core: one process at a time, the in-process service, what the environment says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rftplan.codes import KEY_EXPOSED
from rftplan.errors import BusyError, CredentialError, LockError, UserError
from rftplan.loading import load
from rftplan.promoted import state_paths
from rftplan.wiring import SPEED, acting_alone, exposed_keys
from tests.world import SPEC, Small

HOLDER = """
import sys
from pathlib import Path
from rftplan.promoted import state_paths
from rftplan.wiring import acting_alone
with acting_alone(state_paths(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_is_acting(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        named = rf"process {other.pid} since \d\d:\d\d:\d\d"
        with pytest.raises(BusyError, match=named) as caught, acting_alone(state_paths(tmp_path)):
            raise AssertionError("two processes act at once")
        assert caught.value.hint is not None
        other.kill()
        other.wait()
    with acting_alone(state_paths(tmp_path)):  # the system freed the lock of a holder that died
        pass


def test_whoever_failed_while_acting_has_let_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), acting_alone(state_paths(tmp_path)):
        raise ZeroDivisionError
    with acting_alone(state_paths(tmp_path)):
        pass


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / ".rftplan").write_text("a file in the way")
    with pytest.raises(LockError, match="cannot be used"), acting_alone(state_paths(tmp_path)):
        pass


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "inf", "nan", ""])
def test_a_speed_that_is_none_is_an_error_that_names_the_variable(small: Small, speed: str) -> None:
    small.environ[SPEED] = speed
    with pytest.raises(UserError, match=SPEED):
        small.plan()


def test_the_local_service_needs_no_key_and_another_names_its_variable(small: Small) -> None:
    assert small.plan().acts
    small.write(
        "specs/main.yaml",
        SPEC.replace("provider: local", "provider: {type: openai, base_url: 'http://127.0.0.1:9/v1'}"),
    )
    with pytest.raises(CredentialError, match="OPENAI_API_KEY"):
        small.plan()


@pytest.mark.parametrize(("mode", "codes"), [(0o644, [KEY_EXPOSED.code]), (0o640, [KEY_EXPOSED.code]), (0o600, [])])
def test_a_key_file_that_others_can_read_is_a_warning_and_its_key_is_not_shown(
    small: Small, tmp_path: Path, mode: int, codes: list[str]
) -> None:
    small.write("specs/main.yaml", SPEC.replace("provider: local", "provider: openai"))
    key = tmp_path / "key"
    key.write_text("sk-very-secret")
    key.chmod(mode)
    small.environ["RFTPLAN_KEY_FILE"] = str(key)
    found = exposed_keys(load(small.options), small.world)
    assert [one.code for one in found] == codes
    assert "sk-very-secret" not in repr(found)
