"""What a doctor found, as a person reads it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.identity import ProviderIdentity
from rftplan.doctor import WHY, About, Examined, Sign, State
from rftplan.render.doctor_documents import doctor_document
from rftplan.render.doctor_shapes import DoctorDocument
from rftplan.render.doctor_text import doctor_text
from rftplan.render.look import Look, ansi

OPENAI = ProviderIdentity("openai", "https://api.openai.com/v1", "org-a", None)


def document(*signs: Sign, identity: ProviderIdentity = OPENAI) -> DoctorDocument:
    return doctor_document(Examined(identity, "demo", date(2026, 11, 23), signs, requests=4))


ALL = document(
    Sign(About.REACHABLE, State.OK, "it answers"),
    Sign(About.KEY, State.WRONG, "it is refused", "get another"),
    Sign(About.LAUNCHING, State.UNKNOWN, "only a launch would tell"),
    Sign(About.JOBS, State.NOT_ASKED, "the key is refused"),
    Sign(About.FILES, State.NOT_ASKED, "the key is refused"),
    Sign(About.MODEL, State.WRONG, "shut down", subject="o4"),
)


def test_what_is_wrong_stands_last_and_is_named_in_the_last_line() -> None:
    assert doctor_text(ALL, Look()) == (
        "Provider openai, https://api.openai.com/v1, for project demo, on 2026-11-23\n"
        "\n"
        "  ✓ service  it answers\n"
        "  - jobs, files: the key is refused\n"
        "\n"
        "? launches, not known\n"
        "    only a launch would tell\n"
        f"    why:  {WHY[About.LAUNCHING]}\n"
        "\n"
        "✗ key\n"
        "    it is refused\n"
        f"    why:  {WHY[About.KEY]}\n"
        "    next: get another\n"
        "\n"
        "✗ model o4\n"
        "    shut down\n"
        f"    why:  {WHY[About.MODEL]}\n"
        "\n"
        "2 wrong: key, model o4. Besides: 1 ok, 1 not known, 2 not asked. Changed nothing, with 4 requests.\n"
    )


def test_where_nothing_is_wrong_that_is_the_last_line() -> None:
    local = ProviderIdentity("local", "http://local/v1")
    shown = doctor_text(document(Sign(About.KEY, State.OK, "none is needed"), identity=local), Look())
    assert shown.splitlines()[0] == "Provider local, inside this process, for project demo, on 2026-11-23"
    assert shown.splitlines()[-1] == "Nothing is wrong: 1 ok. Changed nothing, with 4 requests."


def test_every_look_says_why_it_matters() -> None:
    assert WHY.keys() == set(About)


@pytest.mark.parametrize("width", [80, 120])
def test_colours_only_underline_and_lines_are_as_wide_as_the_terminal(width: int) -> None:
    plain, painted = doctor_text(ALL, Look(width=width)), doctor_text(ALL, Look(paint=ansi, width=width))
    assert max(map(len, plain.splitlines())) <= width
    for tone in ("31", "32", "33", "2"):
        assert f"\x1b[{tone}m" in painted
        painted = painted.replace(f"\x1b[{tone}m", "")
    assert painted.replace("\x1b[0m", "") == plain


@given(
    found=st.text(min_size=1),
    next=st.none() | st.text(min_size=1),
    about=st.sampled_from(About),
    state=st.sampled_from(State),
    subject=st.none() | st.text(),
)
def test_nothing_that_a_service_says_is_obeyed_by_a_terminal(
    found: str, next: str | None, about: About, state: State, subject: str | None
) -> None:
    text = doctor_text(document(Sign(about, state, found, next, subject)), Look(width=80))
    assert all(line.isprintable() for line in text.split("\n"))
