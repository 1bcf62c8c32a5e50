"""Where adapters meet the core: the in-process service, what the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rftplan.codes import KEY_EXPOSED
from rftplan.errors import CredentialError, UserError
from rftplan.loading import load
from rftplan.wiring import SPEED, exposed_keys
from tests.world import SPEC, Small


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
