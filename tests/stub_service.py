"""A service on loopback that answers as it is told: a thread with an event loop of its own."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

httptools = pytest.importorskip("httptools")

PREDICTION = {"predictions": [[0.25]], "labels": None, "path": "primary", "model": "m.txt"}
PHASES = {"preprocess": 10.0, "predict": 20.5, "postprocess": 3.0}


@dataclass
class Exchange:
    """A request, and the transport that its answer is written to. `number` counts requests from 0."""

    number: int
    content: bytes
    transport: Any
    head: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""

    def write(self, *parts: bytes) -> None:
        for part in parts:
            self.transport.write(part)

    def reply(self, content: bytes, status: str = "200 OK", *more: str) -> None:
        head = "".join(f"{line}\r\n" for line in (f"content-length: {len(content)}", *more))
        self.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + content)

    def reply_json(self, value: object, status: str = "200 OK", *more: str) -> None:
        self.reply(json.dumps(value).encode(), status, *more)


Handler = Callable[[Exchange], None]


def predict(exchange: Exchange) -> None:
    """What a right server answers."""
    records = json.loads(exchange.content)
    rows = len(records) if isinstance(records, list) else 1
    exchange.reply_json({**PREDICTION, "predictions": [[0.25]] * rows, "latency_us": PHASES})


class _Service(asyncio.Protocol):
    def __init__(self, handler: Handler, counter: Iterator[int], transports: set[Any]) -> None:
        self._handler, self._counter, self._transports = handler, counter, transports
        self._parser = httptools.HttpRequestParser(self)
        self._content = b""
        self._head: dict[str, str] = {}
        self._path = ""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._transports.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head[name.decode().lower()] = value.decode()

    def on_body(self, data: bytes) -> None:
        self._content += data

    def on_message_complete(self) -> None:
        content, self._content = self._content, b""
        method = self._parser.get_method().decode()
        self._handler(Exchange(next(self._counter), content, self._transport, self._head, method, self._path))


async def _end_connections(transports: set[Any]) -> None:
    """Those that are being accepted, too; what this schedules is done by the end."""
    if accepting := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(accepting)
    for transport in tuple(transports):
        transport.abort()
    await asyncio.sleep(0)


@contextmanager
def serve(handler: Handler) -> Iterator[str]:
    """The address of a service whose requests `handler` answers, one after the other.

    Its connections end with it, also those whose client has gone without its thread having heard of that: the next
    collection of garbage would find them open, in whatever test it happens.
    """
    import itertools

    transports: set[Any] = set()
    loop, counter = asyncio.new_event_loop(), itertools.count()
    server = loop.run_until_complete(loop.create_server(lambda: _Service(handler, counter, transports), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end_connections(transports))
        loop.close()
