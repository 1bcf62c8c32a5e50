"""Messages over two descriptors: four bytes of length, then that many bytes. Does not know what they say."""

from __future__ import annotations

import os
import select
import struct
import time
from dataclasses import dataclass, field

_LENGTH = struct.Struct("!I")
_PIECE = 1 << 16


class BrokenFrameError(Exception):
    """The other side wants to say more than it may. There is no way to go on with it."""


@dataclass(slots=True, eq=False)
class Frames:
    """One side of a conversation. `limit` is the most that one message of the other side may have, in bytes."""

    incoming: int
    outgoing: int
    limit: int
    _kept: bytearray = field(default_factory=bytearray, init=False, repr=False)

    def send(self, *parts: bytes) -> None:
        """One message made of these parts. Raises BrokenPipeError if the other side is gone."""
        unsent = memoryview(b"".join((_LENGTH.pack(sum(map(len, parts))), *parts)))
        while unsent:
            unsent = unsent[os.write(self.outgoing, unsent) :]

    def receive(self) -> bytes | None:
        """The next message, None at the end; half a message at the end is none."""
        while (message := self._taken()) is None:
            if not self._read():
                return None
        return message

    def receive_by(self, deadline: float, *, watched: int | None = None) -> bytes | None:
        """As `receive`, but raises TimeoutError at that moment of the monotonic clock.

        Raises EOFError when the other side of the descriptor `watched` is closed.
        """
        while (message := self._taken()) is None:
            self._wait(deadline, watched)
            if not self._read():
                return None
        return message

    def close(self) -> None:
        os.close(self.incoming)
        os.close(self.outgoing)

    def _taken(self) -> bytes | None:
        if len(self._kept) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._kept)
        if length > self.limit:
            raise BrokenFrameError(f"a message of {length} bytes")
        end = _LENGTH.size + length
        if len(self._kept) < end:
            return None
        message = bytes(self._kept[_LENGTH.size : end])
        del self._kept[:end]
        return message

    def _read(self) -> bool:
        piece = os.read(self.incoming, _PIECE)
        self._kept += piece
        return bool(piece)

    def _wait(self, deadline: float, watched: int | None) -> None:
        poll = select.poll()
        poll.register(self.incoming, select.POLLIN)
        if watched is not None:
            poll.register(watched, 0)
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
        if not ready:
            raise TimeoutError
        if watched in ready:
            raise EOFError
