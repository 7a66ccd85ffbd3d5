"""One connection that is kept: a request, then its answer."""

import contextlib
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from infer_bench.engines.http.messages import AnswerReader
from infer_bench.engines.http.target import Target
from infer_bench.errors import EngineError

_BLOCK = 262_144


class Content(NamedTuple):
    """An answer: its status, its headers by lower-case name, and its body."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Client:
    """Asks one service, over one connection that is opened again where the service has closed it.

    Everything that goes wrong is an `EngineError` of one line. A request may be sent twice: where the connection turns
    out to have been closed before any of the answer came.
    """

    def __init__(self, target: Target, addresses: tuple[str, ...], timeout_s: float) -> None:
        self._target, self._addresses, self._timeout_s = target, addresses, timeout_s
        self._socket: socket.socket | None = None
        self._reader = AnswerReader()
        self.is_closed = False

    def ask(self, request: bytes) -> Content:
        """Send a request and wait for the whole answer."""
        if self.is_closed:
            raise EngineError("the session is closed")
        is_fresh = self._socket is None
        try:
            return self._ask(request, is_fresh=is_fresh)
        except (OSError, ValueError) as error:
            self._disconnect()
            raise EngineError(f"{self._target.url} {self._explain(error)}") from None

    def _ask(self, request: bytes, *, is_fresh: bool) -> Content:
        connection = self._socket or self._connect()
        reader = self._reader
        reader.begin()
        received = 0
        try:
            connection.sendall(request)
            while not reader.is_complete:
                data = connection.recv(_BLOCK)
                received += len(data)
                if not data:
                    break
                reader.feed(data)
        except (ConnectionResetError, BrokenPipeError):
            if received:
                raise
        if not received and not is_fresh:
            self._disconnect()
            return self._ask(request, is_fresh=True)
        if not reader.is_complete and not reader.ends_with_connection:
            raise ConnectionResetError
        if not reader.is_complete or not reader.keeps_alive:
            self._disconnect()
        return Content(reader.status, reader.headers, b"".join(reader.body))

    def _connect(self) -> socket.socket:
        for address in self._addresses:
            try:
                plain = socket.create_connection((address, self._target.port), timeout=self._timeout_s)
                break
            except OSError as error:
                failure = error
        else:
            raise failure
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context() if self._target.tls else None
        self._socket = context.wrap_socket(plain, server_hostname=self._target.host) if context else plain
        self._reader = AnswerReader()
        return self._socket

    def _explain(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"gave no answer in {self._timeout_s:g} s"
        if isinstance(error, ConnectionRefusedError):
            return "refuses connections"
        if isinstance(error, ssl.SSLError):
            return f"cannot be reached over TLS: {error.reason or error}"
        if isinstance(error, ConnectionError):
            return "closed the connection without a whole answer"
        if isinstance(error, OSError):
            return f"cannot be reached: {error.strerror or error}"
        return f"does not speak HTTP/1.1: {error}"

    def _disconnect(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def __del__(self) -> None:
        self._disconnect()

    def close(self) -> None:
        """Close the connection for good."""
        self.is_closed = True
        self._disconnect()
