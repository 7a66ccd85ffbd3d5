"""A request for predictions that came whole, from the connection to the model and back."""

import asyncio
import time
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from infer_bench.serving.endpoints.body import RequestHeaders
from infer_bench.serving.endpoints.endpoint import CLOSE, Headers, Response
from infer_bench.serving.endpoints.inference import Inference, Query
from infer_bench.serving.paths.dual_path import Answer


class DirectRequest:
    """Stands where uvicorn has a request's cycle, and in the batcher where a task has a future.

    A cycle costs a task, an event and four messages, more than reading a record, asking trees and writing the answer.
    `parts` are of the body. The attributes `keep_alive`, `disconnected`, `response_complete` and `message_event` are
    what uvicorn's connection sets and reads of a cycle.
    """

    message_event = asyncio.Event()
    """Nobody waits for it: the body is there."""

    def __init__(
        self,
        endpoint: Inference,
        headers: RequestHeaders,
        transport: asyncio.Transport,
        server: ServerState,
        tell_end: Callable[[], None],
    ) -> None:
        self._endpoint, self._headers = endpoint, headers
        self._transport, self._server, self._tell_end = transport, server, tell_end
        self._start_ns = time.perf_counter_ns()
        self._query: Query | None = None
        self.parts: list[bytes] = []
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False

    def ask(self) -> None:
        """Read the body, and queue its rows for the model. Raises nothing."""
        try:
            self._endpoint.authorize(self._headers.get(b"authorization", b""))
            self._query = self._endpoint.read(self._headers, b"".join(self.parts))
            self._endpoint.service.batcher.submit(self._query.rows, self)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered
            self.set_exception(error)

    def done(self) -> bool:
        """Whether there is nobody to answer."""
        return self.disconnected or self._transport.is_closing()

    def set_result(self, answer: Answer) -> None:
        """Write the model's answer. Raises nothing."""
        assert self._query is not None
        try:
            response = self._endpoint.complete(self._query, answer)
        except Exception as error:  # noqa: BLE001 - as above
            response = self._endpoint.explain(error)
        self._send(response)

    def set_exception(self, error: Exception) -> None:
        """Write what is wrong. Raises nothing."""
        self._send(self._endpoint.explain(error))

    def _send(self, response: Response) -> None:
        self.response_complete = True
        if not self.done():
            self._transport.write(_as_bytes(response, self._server.default_headers, self.keep_alive))
            if not self.keep_alive:
                self._transport.close()
        elapsed_ns = time.perf_counter_ns() - self._start_ns
        self._endpoint.service.counters.count_request(self._endpoint.label, response.status, elapsed_ns)
        self._tell_end()


def _as_bytes(response: Response, default_headers: Headers, keep_alive: bool) -> bytes:
    body = response.body
    headers = (*default_headers, *response.headers) if keep_alive else (*default_headers, *response.headers, CLOSE)
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    return b"%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[response.status], lines, len(body), body)
