"""uvicorn's HTTP protocol with what it leaves open: a limit on the head of a request, in bytes and in time.

And with a shorter way for requests to the model that come whole, as nearly all do: see `DirectRequest`.
"""

import asyncio
import functools
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infer_bench.serving.app import Application
from infer_bench.serving.endpoints.inference import LONG_BYTES, Inference
from infer_bench.serving.processes.direct_request import DirectRequest

MOST_HEAD_BYTES = 64 * 1024
HEAD_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 75.0
"""So long a connection may be idle, before its first request and between two."""
_SPECIAL = frozenset((b"content-encoding", b"transfer-encoding", b"expect"))
"""Headers of requests that take the longer way."""


def make_protocol(application: Application) -> Callable[..., asyncio.Protocol]:
    """What makes the protocol of each connection."""
    inferences = {urllib.parse.quote(path).encode(): endpoint for path, endpoint in application.inferences.items()}
    return functools.partial(GuardedProtocol, application, inferences)


class GuardedProtocol(HttpToolsProtocol):
    """A connection to an application; its requests for predictions are answered by its `inferences` directly."""

    def __init__(self, application: Application, inferences: Mapping[bytes, Inference], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._service = application.service
        self._inferences = inferences
        self._direct: DirectRequest | None = None
        self._is_half_closed = False
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
        if self._direct is not None:
            self._hand_over(self._direct)
        if not self._in_head:
            self._cancel_deadline()
            return
        if not self._head_bytes:
            self._cancel_deadline()
            self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"the head of the request is larger than {MOST_HEAD_BYTES:,} bytes")

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that sends no more, and may still read, gets the answers to what it has sent whole."""
        cycle: Any = self.cycle
        self._is_half_closed = bool(cycle) and not cycle.response_complete and not getattr(cycle, "more_body", False)
        return self._is_half_closed

    def on_response_complete(self) -> None:
        """A request is answered."""
        super().on_response_complete()
        if self._is_half_closed and self.cycle.response_complete:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """It ends."""
        self._in_head = False
        self._direct = self._start_direct()
        if self._direct is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        if self._direct is None:
            super().on_body(body)
        else:
            self._direct.parts.append(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._direct is None:
            super().on_message_complete()
        else:
            self.cycle, self._direct = self._direct, None  # type: ignore[assignment]
            self.cycle.ask()  # type: ignore[attr-defined]

    def _start_direct(self) -> DirectRequest | None:
        """A request for predictions that nothing is special about, while no other is being answered."""
        endpoint = self._inferences.get(self.url)
        parser, cycle = self.parser, self.cycle
        if endpoint is None or not (cycle is None or cycle.response_complete) or self.flow.write_paused:
            return None
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return None
        headers = dict(reversed(self.headers))
        if parser.should_upgrade() or not _SPECIAL.isdisjoint(headers):
            return None
        length = int(headers.get(b"content-length", b"0"))
        if not 0 < length <= min(self._service.settings.max_body_bytes, LONG_BYTES):
            return None
        return DirectRequest(endpoint, headers, self.transport, self.server_state, self.on_response_complete)

    def _hand_over(self, direct: DirectRequest) -> None:
        """Leave a request whose body is still on its way to uvicorn."""
        self._direct = None
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        for part in direct.parts:
            super().on_body(part)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, "this is no HTTP request")

    def _refuse(self, status: int, message: str) -> None:
        self._service.counters.count_error("malformed")
        self._service.counters.count_request("other", status, 0)
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
