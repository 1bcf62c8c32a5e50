"""Colours, width and questions depend on who is at the other end."""

from __future__ import annotations

import pytest

from rftplan.render.look import ansi, plain
from tests.cli.streams import Person, Streams, person, pipes


def test_a_pipe_gets_neither_colours_nor_wrapping() -> None:
    streams = pipes()
    look = streams.terminal.look(streams.stdout)
    assert (look.paint, look.width) == (plain, None)
    assert not streams.terminal.live and not streams.terminal.can_ask


@pytest.mark.parametrize(
    ("environ", "coloured", "live"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"NO_COLOR": ""}, True, True),
        ({"CI": "true"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_a_person_gets_colours_unless_told_otherwise(environ: dict[str, str], coloured: bool, live: bool) -> None:
    streams = person(environ=environ)
    assert streams.terminal.look(streams.stdout).paint is (ansi if coloured else plain)
    assert streams.terminal.live is live


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("maybe\n", False)],
)
def test_only_a_yes_is_a_yes(typed: str, answer: bool) -> None:
    streams = person(typed)
    assert streams.terminal.ask("Apply?") is answer
    assert streams.stderr.getvalue().startswith("Apply? [y/N] ")
    assert streams.stdout.getvalue() == ""


def test_questions_need_a_person_who_types_and_reads() -> None:
    assert person().terminal.can_ask
    assert not Streams(stdin=Person()).terminal.can_ask
