"""The endpoints that ask the model: what comes before the wait for its answer, and what comes after."""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infer_bench.model import Phase
from infer_bench.serving.endpoints.body import Receive, RequestHeaders, Scope, read_body, read_headers
from infer_bench.serving.endpoints.endpoint import Endpoint, Response
from infer_bench.serving.paths.dual_path import Answer
from infer_bench.serving.rows.rows import Rows

LONG_BYTES = 262_144
"""From so many bytes on, reading a body takes longer than a hand-over to a thread by far."""


@dataclass(slots=True)
class Query:
    """A request that was read: its rows, how long that took, and its message, where the answer depends on it."""

    rows: Rows
    read_ns: int
    message: Any = None


class Inference(Endpoint):
    """Rows in, predictions out.

    An ASGI server calls the endpoint like any other. Who has a whole request in hand, `authorize`s it, `read`s it,
    hands the rows to the batcher and `complete`s the answer, which needs no task and no messages.
    """

    def check(self, scope: Scope, headers: RequestHeaders) -> None:
        """Raise `RequestFault` where the body need not even be read."""

    @abstractmethod
    def read(self, headers: RequestHeaders, body: bytes) -> Query:
        """The rows of a body. Raises `RequestFault`."""

    @abstractmethod
    def write(self, query: Query, answer: Answer, phases_ns: Mapping[Phase, int]) -> Response:
        """The response. Raises `RequestFault`."""

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Read, wait for the model, write."""
        headers = read_headers(scope)
        self.check(scope, headers)
        body = await read_body(scope, receive, self.service.settings)
        query = await self._read(headers, body)
        return self.complete(query, await self.service.batcher.answer(query.rows))

    def complete(self, query: Query, answer: Answer) -> Response:
        """Count the answer, and write it. Raises `RequestFault`."""
        phases_ns = answer.phases_ns.copy()  # of the call, which several requests may share
        phases_ns["preprocess"] += query.read_ns
        self.service.record(query.rows, answer, phases_ns)
        return self.write(query, answer, phases_ns)

    async def _read(self, headers: RequestHeaders, body: bytes) -> Query:
        """A long body is read in a thread, so that others are answered meanwhile."""
        if len(body) < LONG_BYTES:
            return self.read(headers, body)
        return await asyncio.get_running_loop().run_in_executor(None, self.read, headers, body)


def as_microseconds(ns: int) -> float:
    """A time as answers tell it."""
    return (ns + 50) // 100 / 10
