"""One connection: a request at a time, its answer taken apart by httptools."""

import asyncio
from typing import TYPE_CHECKING, Any

import httptools

if TYPE_CHECKING:
    from infer_bench.measure.load.generator.pool import Pool

LARGEST_ANSWER = 256 * 2**20
IDLE = -1
"""The place of a connection that waits for no answer."""
_FRAMING = (b"content-length", b"transfer-encoding")


class Connection(asyncio.Protocol):
    """A connection of a pool. `place` is the request that it waits for, `IDLE` without one.

    Of the answer that is read: its `status`, `headers` (names in lower case) and `body`; once it `is_complete`, whether
    the connection `keeps_alive` for another request.
    """

    def __init__(self, pool: "Pool", place: int) -> None:
        self._pool = pool
        self.place = place
        self.transport: Any = None
        self.is_lost = False
        self.answers = 0
        self._begin()
        self._parser = httptools.HttpResponseParser(self)

    def _begin(self) -> None:
        """Nothing of an answer has come yet."""
        self.received_bytes = 0
        self.body: list[bytes] = []
        self.headers: dict[bytes, bytes] = {}
        self.status = 0
        self.is_complete = self.keeps_alive = self._has_head = self._is_excessive = False

    @property
    def is_usable(self) -> bool:
        """Whether another request can be written."""
        return not self.is_lost and not self.transport.is_closing()

    def send(self, place: int, request: bytes) -> None:
        """Write a request, and wait for its answer."""
        self.place = place
        self._begin()
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
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
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
        if self.place != IDLE and self._ends_with_connection and error is None:
            self._pool.finish(self, now_ns)
        elif self.place != IDLE:
            self._pool.give_up(self, "closed" if error is None else "reset", str(error or ""))
        self._pool.drop(self)

    @property
    def _ends_with_connection(self) -> bool:
        return self._has_head and not any(name in self.headers for name in _FRAMING)

    # Called by the parser.

    def on_message_begin(self) -> None:
        """An answer that follows another one was not asked for."""
        if self.is_complete:
            self._is_excessive, self.keeps_alive = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep it."""
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if not self._is_excessive:
            self._has_head, self.status = True, self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Keep it."""
        if not self._is_excessive:
            self.body.append(data)

    def on_message_complete(self) -> None:
        """An answer is whole; one that only says to wait (1xx) is forgotten."""
        if 100 <= self.status < 200:
            self.body, self.headers, self._has_head = [], {}, False
        elif not self._is_excessive:
            self.is_complete, self.keeps_alive = True, self._parser.should_keep_alive()
