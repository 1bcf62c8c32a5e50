"""What one call was given, for every command."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.cli.invocation import Invocation, parse_address, parse_selection
from rftplan.errors import UsageError
from tests.cli.streams import pipes

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).filter(
    lambda text: not text.startswith("-")
)
GIVEN = st.fixed_dictionaries({}, optional=dict.fromkeys(("directory", "env", "specs", "lock", "provider"), WORDS))


@given(GIVEN)
def test_the_shown_command_can_be_pasted_and_means_the_same_project(given_: dict[str, str]) -> None:
    run = Invocation.given(pipes().terminal, given_)
    words = shlex.split(run.program)
    assert words[0] == "rftplan"
    options = dict(zip(words[1::2], words[2::2], strict=True))
    again = Invocation(
        run.terminal,
        Path(options.get("-C", "")),
        options.get("--env"),
        options.get("--specs", "specs"),
        options.get("--lock"),
        options.get("--provider"),
    )
    assert again.options() == run.options()


def test_nothing_given_is_nothing_shown() -> None:
    assert Invocation(pipes().terminal).program == "rftplan"


def test_addresses_are_parsed_or_wrong_usage() -> None:
    assert parse_address("job.review") == Address("job", "review")
    assert parse_selection(["job.a", "job.b"], None, None).replace == {Address("job", "a"), Address("job", "b")}
    part = parse_selection(None, ["job.a"], ["file.b"])
    assert (part.target, part.exclude) == ({Address("job", "a")}, {Address("file", "b")})
    with pytest.raises(UsageError):
        parse_address("review")


@pytest.mark.parametrize(("option", "given"), [("--target", ("review", None)), ("--exclude", (None, "review"))])
def test_a_bare_name_may_be_of_any_kind(option: str, given: tuple[str | None, str | None]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selection(None, *([name] if name else None for name in given))
    assert caught.value.message == f'"review" is a name, and {option} takes an address'
    assert str(caught.value.hint).startswith("write its kind before it: job.review, ")
