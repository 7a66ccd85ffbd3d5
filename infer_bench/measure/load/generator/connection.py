"""One connection: a request at a time, its answer taken apart by httptools."""

import asyncio
from typing import TYPE_CHECKING, Any

from infer_bench.engines.http.messages import AnswerReader

if TYPE_CHECKING:
    from infer_bench.measure.load.generator.pool import Pool

LARGEST_ANSWER = 256 * 2**20
IDLE = -1
"""The place of a connection that waits for no answer."""


class Connection(AnswerReader, asyncio.Protocol):
    """A connection of a pool. `place` is the request that it waits for, `IDLE` without one."""

    def __init__(self, pool: "Pool", place: int) -> None:
        super().__init__()
        self._pool = pool
        self.place = place
        self.transport: Any = None
        self.is_lost = False
        self.answers = 0
        self.received_bytes = 0

    @property
    def is_usable(self) -> bool:
        """Whether another request can be written."""
        return not self.is_lost and not self.transport.is_closing()

    def send(self, place: int, request: bytes) -> None:
        """Write a request, and wait for its answer."""
        self.place = place
        self.begin()
        self.received_bytes = 0
        self.transport.write(request)

    def abort(self) -> None:
        """Give the request up."""
        self.place = IDLE
        if self.transport is not None:
            self.transport.abort()

    # Called by the event loop.

    def connection_made(self, transport: Any) -> None:
        """Send what the connection was opened for."""
        self.transport = transport
        self._pool.take_in(self)

    def data_received(self, data: bytes) -> None:
        """Stamp first, then read; what nobody asked for ends the connection."""
        now_ns = self._pool.stamp()
        if self.place == IDLE:
            self.transport.abort()
            return
        self.received_bytes += len(data)
        try:
            self.feed(data)
        except ValueError as error:
            self._pool.give_up(self, "not-http", str(error))
            return
        if self.is_complete:
            self._pool.finish(self, now_ns)
        elif self.received_bytes > LARGEST_ANSWER:
            self._pool.give_up(self, "too-large", f"more than {LARGEST_ANSWER:,} bytes")

    def connection_lost(self, error: Exception | None) -> None:
        """The end of an answer without a length, or of a request that gets none."""
        now_ns = self._pool.stamp()
        self.is_lost = True
        if self.place != IDLE and self.ends_with_connection and error is None:
            self._pool.finish(self, now_ns)
        elif self.place != IDLE:
            self._pool.give_up(self, "closed" if error is None else "reset", str(error or ""))
        self._pool.drop(self)
