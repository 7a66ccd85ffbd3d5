"""One end of a stream of messages between two processes: each its length, then its bytes.

As `multiprocessing.connection` has it, which takes as long to import as Python to start, and holds every message whole.
"""

import errno
import os
import select
from collections.abc import Iterator, Sequence
from math import ceil

_LENGTH_BYTES = 8
_MOST_BUFFERS = 512
"""So many are handed to the system at a time: Linux and macOS take 1,024."""


class Connection:
    """The end that `descriptor` is, which is closed with the object; using a closed one raises `OSError`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def closed(self) -> bool:
        """Whether it was closed here."""
        return self._descriptor < 0

    def fileno(self) -> int:
        """The descriptor; -1 once it is closed."""
        return self._descriptor

    def close(self) -> None:
        """Let go of the descriptor."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def poll(self, timeout_s: float) -> bool:
        """Whether a message, or the end of the other side, comes within so long."""
        descriptor, poll = self._descriptor, select.poll()
        if descriptor < 0:
            raise OSError(errno.EBADF, "the connection is closed")
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(ceil(timeout_s * 1000)))

    def send(self, buffers: Sequence[memoryview]) -> None:
        """Write one message: all the views of bytes, one after the other."""
        length = sum(map(len, buffers)).to_bytes(_LENGTH_BYTES, "big")
        for part in _parts([memoryview(length), *buffers]):
            while part:
                part = _drop(part, os.writev(self._descriptor, part))

    def receive(self) -> bytearray:
        """Read one message. Raises EOFError when the other side is gone, MemoryError for one that is too long."""
        message = bytearray(self._receive_length())
        self._fill([memoryview(message)])
        return message

    def receive_into(self, buffers: Sequence[memoryview]) -> bool:
        """Read one message into writable views of bytes; False, with none of it read, where it has another length."""
        if self._receive_length() != sum(map(len, buffers)):
            return False
        self._fill(buffers)
        return True

    def _receive_length(self) -> int:
        length = bytearray(_LENGTH_BYTES)
        self._fill([memoryview(length)])
        return int.from_bytes(length, "big")

    def _fill(self, buffers: Sequence[memoryview]) -> None:
        for part in _parts(buffers):
            while part:
                count = os.readv(self._descriptor, part)
                if not count:
                    raise EOFError
                part = _drop(part, count)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def connect() -> tuple[Connection, Connection]:
    """Both ends of a new stream: what is written to one is read from the other."""
    import socket  # a worker, which is handed its end, starts without it

    ends = socket.socketpair()
    for end in ends:
        end.setblocking(True)
    return Connection(ends[0].detach()), Connection(ends[1].detach())


def _parts(buffers: Sequence[memoryview]) -> Iterator[list[memoryview]]:
    """Those that hold bytes, some at a time."""
    filled = [buffer for buffer in buffers if len(buffer)]
    for start in range(0, len(filled), _MOST_BUFFERS):
        yield filled[start : start + _MOST_BUFFERS]


def _drop(buffers: list[memoryview], count: int) -> list[memoryview]:
    """What is left of the buffers without their first `count` bytes."""
    for place, buffer in enumerate(buffers):
        if count < len(buffer):
            return [buffer[count:], *buffers[place + 1 :]]
        count -= len(buffer)
    return []
