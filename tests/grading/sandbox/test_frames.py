"""Messages over pipes, whole or not at all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.sandbox.frames import BrokenFrameError, Frames


@pytest.fixture
def pair() -> Iterator[tuple[Frames, Frames]]:
    there, back = os.pipe(), os.pipe()
    yield Frames(back[0], there[1], 1000), Frames(there[0], back[1], 1000)
    for descriptor in (*there, *back):
        try:
            os.close(descriptor)
        except OSError:
            continue


@given(st.lists(st.lists(st.binary(max_size=300), max_size=3), max_size=10))
def test_what_is_sent_arrives_in_the_same_pieces(messages: list[list[bytes]]) -> None:
    incoming, outgoing = os.pipe()
    sender, receiver = Frames(incoming, outgoing, 0), Frames(incoming, outgoing, 1000)
    for message in messages:
        sender.send(*message)
    os.close(outgoing)
    assert [receiver.receive() for _ in messages] == [b"".join(message) for message in messages]
    assert receiver.receive() is None
    os.close(incoming)


def test_a_message_larger_than_a_pipe_arrives(pair: tuple[Frames, Frames]) -> None:
    one, other = pair
    other.limit = 1 << 22
    sending = threading.Thread(target=one.send, args=(b"x" * (1 << 22),))
    sending.start()
    assert other.receive() == b"x" * (1 << 22)
    sending.join()


def test_a_message_over_the_limit_is_not_waited_for(pair: tuple[Frames, Frames]) -> None:
    pair[0].send(b"x" * 1001)
    with pytest.raises(BrokenFrameError):
        pair[1].receive()


def test_half_a_message_at_the_end_is_none(pair: tuple[Frames, Frames]) -> None:
    os.write(pair[0].outgoing, b"\0\0\0\x09only")
    os.close(pair[0].outgoing)
    assert pair[1].receive_by(time.monotonic() + 60) is None


def test_silence_ends_at_the_deadline(pair: tuple[Frames, Frames]) -> None:
    with pytest.raises(TimeoutError):
        pair[1].receive_by(time.monotonic() + 0.01)


def test_the_end_of_whoever_is_watched_is_noticed(pair: tuple[Frames, Frames]) -> None:
    watched, held = os.pipe()
    os.close(held)
    with pytest.raises(EOFError):
        pair[1].receive_by(time.monotonic() + 60, watched=watched)
    os.close(watched)
