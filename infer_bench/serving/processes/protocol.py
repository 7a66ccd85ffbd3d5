"""uvicorn's HTTP protocol with what it leaves open: a limit on the head of a request, in bytes and in time.

And with a shorter way for requests to the model that come whole, as nearly all do: see `DirectRequest`.
"""

import asyncio
import functools
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infer_bench.serving.app import Application
from infer_bench.serving.endpoints.inference import LONG_BYTES, Inference
from infer_bench.serving.processes.direct_request import DirectRequest

MOST_HEAD_BYTES = 64 * 1024
MOST_FRAMING = 8
"""Bytes around a byte of a chunked body: one in a chunk of its own has five."""
MOST_FRAMING_BYTES = 2 * MOST_HEAD_BYTES
"""And so many beside, as for trailers."""
HEAD_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 75.0
"""So long a connection may be idle, before its first request and between two."""
_SPECIAL = frozenset((b"content-encoding", b"transfer-encoding", b"expect"))
"""Headers of requests that take the longer way."""
_REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large"}


def make_protocol(application: Application) -> Callable[..., asyncio.Protocol]:
    """What makes the protocol of each connection."""
    inferences = {urllib.parse.quote(path).encode(): endpoint for path, endpoint in application.inferences.items()}
    return functools.partial(GuardedProtocol, application, inferences)


class GuardedProtocol(HttpToolsProtocol):
    """A connection to an application; its requests for predictions are answered by its `inferences` directly."""

    def __init__(self, application: Application, inferences: Mapping[bytes, Inference], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._service = application.service
        self._most_bytes = min(self._service.settings.max_body_bytes, LONG_BYTES)
        self._inferences = inferences
        self._direct: DirectRequest | None = None
        self._refusal: bytes | None = None
        self._is_half_closed = False
        self._in_head = self._in_message = False
        self._head_bytes = 0
        self._read_bytes = 0
        self._framing_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._idle_since_s = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch_idle(KEEP_ALIVE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._cancel_deadline()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and see that a head comes to its end."""
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        self._read_bytes = len(data)
        self._framing_bytes += len(data)
        self._parse(data)
        if self._direct is not None:
            self._hand_over(self._direct)
        if self._in_head:
            self._guard_head()
            return
        if self._deadline is not None:
            self._cancel_deadline()
        if self._in_message and self._framing_bytes > MOST_FRAMING_BYTES:
            self._refuse(431, f"more than {MOST_FRAMING_BYTES:,} bytes stand around the chunks of the body")

    def _is_in_body(self) -> bool:
        """Whether the latest request is a body that is still on its way."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and getattr(cycle, "more_body", False)

    def _parse(self, data: bytes) -> None:
        """Nothing is upgraded: a request that asks for another protocol is answered as if it did not.

        The parser takes such a request to end with its head, so that it is given the head again without that wish.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = self._parse_until_upgrade(rest)
        except httptools.HttpParserError:
            self.send_400_response("")

    def _parse_until_upgrade(self, data: memoryview) -> memoryview:
        """What is left behind the head of a request that asks for another protocol."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                raise httptools.HttpParserError from None
            self.parser.feed_data(self._head_without_upgrade())
            return data[upgrade.args[0] :]
        return data[:0]

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        headers = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, b"".join(headers))

    def _guard_head(self) -> None:
        """A head is on its way: of its first read, which may hold other requests before it, its headers count."""
        if self._head_bytes:
            self._head_bytes += self._read_bytes
        else:
            self._head_bytes = self._measure_head()
            self._cancel_deadline()
            self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse_head()

    def _measure_head(self) -> int:
        """The bytes of what is known of a head."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) + 1

    def _refuse_head(self) -> None:
        self._refuse(431, f"the head of the request is larger than {MOST_HEAD_BYTES:,} bytes")

    def _watch_idle(self, delay_s: float) -> None:
        """One timer a connection, which looks whether there was a request meanwhile: one a request costs more."""
        self._idle_since_s = self._idle_since_s or self.loop.time()
        self._idle_timer = self.loop.call_later(delay_s, self._end_if_idle)

    def _end_if_idle(self) -> None:
        left_s = self._idle_since_s + KEEP_ALIVE_S - self.loop.time()
        is_busy = self._in_head or (self.cycle is not None and not self.cycle.response_complete)
        if left_s > 0 or is_busy:
            self._watch_idle(left_s if left_s > 0 else KEEP_ALIVE_S)
        elif not self.transport.is_closing():
            self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that sends no more, and may still read, gets the answers to what it has sent whole."""
        cycle: Any = self.cycle
        self._is_half_closed = bool(cycle) and not cycle.response_complete and not self._is_in_body()
        return self._is_half_closed

    def on_response_complete(self) -> None:
        """A request is answered."""
        self._idle_since_s = self.loop.time()
        if self.pipeline:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            if self._refusal is not None:
                self._send_refusal(self._refusal)
            elif not self.transport.is_closing():
                self.flow.resume_reading()
        if self._is_half_closed and self.cycle.response_complete:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins. What uvicorn prepares for its own cycle comes when it is known to be needed."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head = self._in_message = True
        self._head_bytes = self._framing_bytes = 0

    def on_headers_complete(self) -> None:
        """It ends."""
        self._in_head = False
        if self._head_bytes + self._read_bytes > MOST_HEAD_BYTES < self._measure_head():
            self._refuse_head()
            raise httptools.HttpParserError
        if self.parser.should_upgrade():
            return
        self._direct = self._start_direct()
        if self._direct is None:
            self._start_cycle()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._framing_bytes -= MOST_FRAMING * len(body)
        if self._direct is None:
            super().on_body(body)
        else:
            self._direct.parts.append(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._in_message = False
        if self.parser.should_upgrade():
            return
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
        self.headers.reverse()  # of one that stands twice, the first
        headers = dict(self.headers)
        self.headers.reverse()
        length = int(headers.get(b"content-length", b"0"))
        if not 0 < length <= self._most_bytes or not _SPECIAL.isdisjoint(headers):
            return None
        return DirectRequest(endpoint, headers, self.transport, self.server_state, self.on_response_complete)

    def _start_cycle(self) -> None:
        """uvicorn's own way."""
        url, headers, expects_continue = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects_continue
        self.headers += headers
        super().on_headers_complete()

    def _hand_over(self, direct: DirectRequest) -> None:
        """Leave a request whose body is still on its way to uvicorn."""
        self._direct = None
        if self.transport.is_closing():
            return
        self._start_cycle()
        for part in direct.parts:
            super().on_body(part)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, "this is no HTTP request")

    def _refuse(self, status: int, message: str) -> None:
        """Answer so, once what was asked before has its answer, and close the connection; no more of it is read."""
        if self.transport.is_closing() or self._refusal is not None:
            return
        self._service.counters.count_error("malformed")
        self._service.counters.count_request("other", status, 0)
        body = msgspec.json.encode({"error": message})
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._refusal = head.encode() + body
        if self.pipeline and self._is_in_body():
            self.pipeline.popleft()  # the request that is refused, which waits for its turn
        elif self.cycle is None or self.cycle.response_complete or self._is_in_body():
            self._send_refusal(self._refusal)

    def _send_refusal(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
