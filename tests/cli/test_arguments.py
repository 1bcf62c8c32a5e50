"""Global options work before and after the command; everything else is left to the parser."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from rftplan.cli.app import COMMANDS, make_app
from rftplan.cli.arguments import GLOBAL_OPTIONS, Words, first_word, global_help, help_text, take_globals
from rftplan.cli.boundary import main
from rftplan.errors import UsageError

ROOT = typer.main.get_command(make_app())


def taken(*words: str) -> Words:
    return take_globals(words, ROOT)


@pytest.mark.parametrize(
    "words",
    [
        ["-C", "demo", "--env", "prod", "plan", "--json"],
        ["plan", "--json", "-C", "demo", "--env", "prod"],
        ["plan", "--env=prod", "--json", "-Cdemo"],
        ["--dir=demo", "plan", "--json", "--env", "other", "--env", "prod"],
    ],
)
def test_they_may_stand_anywhere(words: list[str]) -> None:
    line = taken(*words)
    assert line.given == {"directory": "demo", "env": "prod"}
    assert line.rest == ["plan", "--json"]


@given(st.permutations([["--env", "x"], ["-C=y"], ["--lock=z"], ["plan"], ["--json"], ["--replace", "--env"]]))
def test_every_order_means_the_same(parts: list[list[str]]) -> None:
    words = [word for part in parts for word in part]
    if words.index("--replace") < words.index("plan"):
        return  # then --replace is no option of the command
    line = taken(*words)
    assert line.given == {"env": "x", "directory": "=y", "lock": "z"}
    assert set(line.rest) == {"plan", "--json", "--replace", "--env"}


def test_what_follows_two_dashes_stays() -> None:
    assert taken("output", "--", "--env", "x").rest == ["output", "--", "--env", "x"]


def test_the_value_of_another_option_is_not_an_option() -> None:
    assert taken("serve", "--key", "--lock").rest == ["serve", "--key", "--lock"]
    assert taken("plan", "--replace", "-h").wants_help is False


@pytest.mark.parametrize("words", [["plan", "--env"], ["--lock", "--json", "plan"], ["--env=", "plan"]])
def test_a_missing_value_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(UsageError, match="needs a value"):
        taken(*words)


def test_help_is_asked_for_the_command_it_stands_with() -> None:
    line = taken("state", "show", "-C", "x", "--help")
    assert (line.wants_help, line.path) == (True, ["state", "show"])
    assert help_text(line.path, ROOT).startswith("Usage: rftplan state show [OPTIONS]")


def test_the_help_names_every_global_option_and_every_command() -> None:
    text = help_text((), ROOT)
    for line in global_help().splitlines():
        assert line in text
    assert all(name in text for option in GLOBAL_OPTIONS for name in option.names)
    for command in ("init", "check", "plan", "apply", "destroy", "status", "output", "state", "release", "serve"):
        assert f"\n  {command} " in text


def test_a_command_is_found_without_declaring_all_of_them() -> None:
    assert first_word(["-C", "plan", "--env=x", "apply", "--yes"]) == "apply"
    assert first_word(["--env", "x"]) is None
    assert first_word(["-C", "x", "--help", "plan"]) is None
    for names in COMMANDS.values():
        for name in names:
            assert set(typer.main.get_command(make_app(name)).commands) == set(names)  # type: ignore[attr-defined]
    assert set(ROOT.commands) == {name for names in COMMANDS.values() for name in names}  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", ["40", "60", "80"])
def test_no_summary_of_a_command_is_cut(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert main(["--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Global options")[0].replace("[ARGS]...", "")
