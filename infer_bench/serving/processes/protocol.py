"""uvicorn's HTTP protocol with what it leaves open: a limit on the head of a request, in bytes and in time."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
HEAD_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 75.0
"""So long a connection may be idle, before its first request and between two."""


class GuardedProtocol(HttpToolsProtocol):
    """A connection. `count_malformed` is told of every request whose head is none."""

    def __init__(self, count_malformed: Callable[[int], None], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._count_malformed = count_malformed
        self._in_head = False
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(KEEP_ALIVE_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and see that a head comes to its end."""
        super().data_received(data)
        if not self._in_head:
            self._cancel_deadline()
            return
        if not self._head_bytes:
            self._cancel_deadline()
            self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"the head of the request is larger than {MOST_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """It ends."""
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, "this is no HTTP request")

    def _refuse(self, status: int, message: str) -> None:
        self._count_malformed(status)
        body = msgspec.json.encode({"error": message})
        head = (
            f"HTTP/1.1 {status} {'Bad Request' if status == 400 else 'Request Header Fields Too Large'}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
