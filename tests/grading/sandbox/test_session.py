"""A process that gives no answer is given up, and why is said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rftplan.grading.sandbox.cell import TrustedCell
from rftplan.grading.sandbox.frames import Frames
from rftplan.grading.sandbox.session import Session, SpentError
from rftplan.grading.sandbox.setting import Setting


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[tuple[Session, Frames]]:
    """A session whose other side is here, and says nothing by itself."""
    there, back = os.pipe(), os.pipe()
    ours, other = Frames(back[0], there[1], 100), Frames(there[0], back[1], 100)
    yield Session(TrustedCell(Setting([], 1, 1, 1), str(tmp_path)), 0, ours), other
    for descriptor in (*there, *back):
        try:
            os.close(descriptor)
        except OSError:
            continue


def asked(session: Session) -> SpentError:
    with pytest.raises(SpentError) as caught:
        session.tell(b"row")
        session.answer(seconds=0.01, memory=1, watched=None)
    return caught.value


def test_silence_is_a_timeout(silent: tuple[Session, Frames]) -> None:
    spent = asked(silent[0])
    assert (spent.kind, spent.details) == ("timeout", "no score within 0.01 s")


def test_an_end_without_an_answer_is_a_crash(silent: tuple[Session, Frames]) -> None:
    silent[1].close()
    assert asked(silent[0]).kind == "crash"


def test_an_answer_over_the_limit_is_a_crash(silent: tuple[Session, Frames]) -> None:
    silent[1].send(b"x" * 101)
    assert asked(silent[0]).kind == "crash"


def test_the_answer_of_a_process_that_went_before_it_was_told_all_counts(silent: tuple[Session, Frames]) -> None:
    session, other = silent
    other.send(b"answer")
    other.close()
    session.tell(b"row", b"another")
    assert session.answer(seconds=1, memory=1, watched=None) == b"answer"
    assert asked(session).kind == "crash"
