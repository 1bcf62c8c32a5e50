"""Keys: found where the user put them, sent only where the user allowed."""

from __future__ import annotations

import shlex
import sys
import traceback
from pathlib import Path

import pytest

from rftplan.api.credentials import check_judge_host, find_admin_key, find_judge_key, find_key
from rftplan.api.profiles import profile
from rftplan.errors import CredentialError, UserError

OPENAI = profile("openai")
OWN = OPENAI.base_url
KEY = "sk-planted-0123456789"


def test_the_key_comes_from_the_profiles_variable() -> None:
    assert find_key(OPENAI, OWN, {"OPENAI_API_KEY": KEY}, None) == KEY


def test_white_space_around_a_key_does_not_count() -> None:
    assert find_key(OPENAI, OWN, {"OPENAI_API_KEY": f" \t{KEY}\r\n"}, None) == KEY


@pytest.mark.parametrize("environ", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": " \n"}])
def test_no_key_names_the_variable_and_the_way_on(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialError, match="OPENAI_API_KEY is not set") as caught:
        find_key(OPENAI, OWN, environ, None)
    assert caught.value.hint is not None
    assert "RFTPLAN_KEY_FILE" in caught.value.hint


def test_a_key_file_is_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert find_key(OPENAI, OWN, {"RFTPLAN_KEY_FILE": str(tmp_path / "key")}, None) == KEY


def test_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("another")
    environ = {"OPENAI_API_KEY": KEY, "RFTPLAN_KEY_FILE": str(tmp_path / "key")}
    assert find_key(OPENAI, OWN, environ, None) == KEY


def test_a_key_may_be_kept_in_the_users_configuration(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "openai").write_text(KEY)
    assert find_key(OPENAI, OWN, {}, tmp_path) == KEY


def test_a_relative_key_file_is_refused_because_it_would_be_looked_for_in_the_project() -> None:
    with pytest.raises(CredentialError, match="absolute"):
        find_key(OPENAI, OWN, {"RFTPLAN_KEY_FILE": "key.txt"}, None)


@pytest.mark.parametrize("content", [b"", b" \n ", b"\xff\xfe", b"two\nlines", b"a\x00b"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(CredentialError, match="RFTPLAN_KEY_FILE") as caught:
        find_key(OPENAI, OWN, {"RFTPLAN_KEY_FILE": str(tmp_path / "key")}, None)
    assert "alone and on one line" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_key_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CredentialError, match="cannot be read") as caught:
        find_key(OPENAI, OWN, {"RFTPLAN_KEY_FILE": str(tmp_path / name)}, None)
    assert "its rights" in str(caught.value.hint)


def _python(code: str) -> dict[str, str]:
    return {"RFTPLAN_KEY_COMMAND": shlex.join([sys.executable, "-c", code])}


def test_a_key_command_prints_the_key() -> None:
    assert find_key(OPENAI, OWN, _python(f"print('{KEY}')"), None) == KEY


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (_python("raise SystemExit(3)"), "exit code 3"),
        (_python("pass"), "is empty"),
        ({"RFTPLAN_KEY_COMMAND": "./get-key"}, "absolute path or a name on PATH"),
        ({"RFTPLAN_KEY_COMMAND": "/no/such/program"}, "cannot be run"),
        ({"RFTPLAN_KEY_COMMAND": "'unclosed"}, "cannot be run"),
    ],
)
def test_a_key_command_that_gives_no_key_says_why(environ: dict[str, str], message: str) -> None:
    with pytest.raises(CredentialError, match=message) as caught:
        find_key(OPENAI, OWN, environ, None)
    assert "without a shell" in str(caught.value.hint)


@pytest.mark.parametrize("key", ["sk-ключ", "sk-\x07bell", "sk two words", "sk-a\r\nX-Evil: 1", "sk-\u2013"])
def test_a_key_that_would_break_a_header_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(CredentialError) as caught:
        find_key(OPENAI, OWN, {"OPENAI_API_KEY": key}, None)
    assert "OPENAI_API_KEY" in str(caught.value)
    assert key not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        OWN,
        "https://API.OPENAI.COM:443/v1/",
        "http://localhost:8000/v1",
        "http://127.0.0.1:8000/v1",
        "http://[::1]:8000/v1",
        "https://trusted.example/v1",
        "https://Trusted.Example:8443/v1",
        "https://only-here.example:8443/v1",
        "https://[2001:db8::1]/v1",
    ],
)
def test_a_key_goes_to_its_own_host_to_this_machine_and_to_trusted_hosts(url: str) -> None:
    trusted = " TRUSTED.example. ,only-here.example:8443, [2001:db8::1],"
    environ = {"OPENAI_API_KEY": KEY, "RFTPLAN_TRUSTED_HOSTS": trusted}
    assert find_key(OPENAI, url, environ, None) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com:8443/v1",
        "https://openai.com/v1",
        "https://sub.trusted.example/v1",
        "https://only-here.example/v1",
        "http://127.0.0.1.evil.example/v1",
        "http://localhost.evil.example/v1",
        "http://0.0.0.0/v1",
        "http://local/v1",
    ],
)
def test_a_key_goes_nowhere_else_and_the_message_names_host_and_variable(url: str) -> None:
    environ = {"OPENAI_API_KEY": KEY, "RFTPLAN_TRUSTED_HOSTS": "trusted.example,only-here.example:8443,*"}
    with pytest.raises(CredentialError, match="may not be sent to") as caught:
        find_key(OPENAI, url, environ, None)
    assert caught.value.hint is not None
    assert "RFTPLAN_TRUSTED_HOSTS=" in caught.value.hint
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize("url", ["http://trusted.example/v1", "http://trusted.example:8000/v1"])
def test_trust_does_not_excuse_plain_http(url: str) -> None:
    environ = {"OPENAI_API_KEY": KEY, "RFTPLAN_TRUSTED_HOSTS": "trusted.example"}
    with pytest.raises(CredentialError, match="without encryption"):
        find_key(OPENAI, url, environ, None)


def test_plain_http_to_the_own_host_is_not_the_own_host() -> None:
    with pytest.raises(CredentialError):
        find_key(OPENAI, "http://api.openai.com/v1", {"OPENAI_API_KEY": KEY}, None)


def test_an_untrusted_host_is_refused_before_a_command_runs(tmp_path: Path) -> None:
    environ = _python(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(CredentialError):
        find_key(OPENAI, "https://evil.example/v1", environ, None)
    assert not (tmp_path / "ran").exists()


def test_the_local_service_has_a_key_of_its_own() -> None:
    environ = {"RFTPLAN_LOCAL_KEY": "local-1", "OPENAI_API_KEY": KEY}
    assert find_key(profile("local"), "http://127.0.0.1:8765/v1", environ, None) == "local-1"


def test_an_admin_key_is_optional_and_kept_to_the_same_hosts() -> None:
    environ = {"OPENAI_ADMIN_KEY": "sk-admin-1"}
    assert find_admin_key(OPENAI, OWN, environ) == "sk-admin-1"
    assert find_admin_key(OPENAI, OWN, {}) is None
    assert find_admin_key(profile("local"), "http://localhost/v1", environ) is None
    with pytest.raises(CredentialError):
        find_admin_key(OPENAI, "https://evil.example/v1", environ)


def test_a_judge_is_on_this_machine_or_trusted() -> None:
    check_judge_host("http://localhost:11434/v1", {})
    check_judge_host("https://judge.example/v1", {"RFTPLAN_TRUSTED_HOSTS": "judge.example"})
    for url in ("https://judge.example/v1", OWN):
        with pytest.raises(CredentialError, match="may not be sent"):
            check_judge_host(url, {})
    with pytest.raises(UserError):
        check_judge_host("http://localhost@evil.example", {})


def test_the_judges_key_is_its_own_variable() -> None:
    url = "http://localhost:11434/v1"
    assert find_judge_key(url, {"RFTPLAN_JUDGE_KEY": " judge-1 ", "OPENAI_API_KEY": KEY}) == "judge-1"
    assert find_judge_key(url, {"OPENAI_API_KEY": KEY}) is None
