"""`POST /predict`: records in, predictions out."""

import asyncio
import time
from typing import Any

import msgspec

from infer_bench.model import Phase
from infer_bench.serving.endpoints.body import Receive, Scope, read_body, require_json
from infer_bench.serving.endpoints.endpoint import Endpoint, Response
from infer_bench.serving.paths.dual_path import Path
from infer_bench.serving.rows.rows import Rows

LONG_BYTES = 262_144
"""From so many bytes on, reading a body takes longer than a hand-over to a thread by far."""


class Prediction(msgspec.Struct, gc=False):
    """The answer: `predictions` (rows × outputs) and `labels` (rows), a list a row in the order of the records.

    JSON has no NaN and no infinity: such a value is null.
    """

    predictions: list[list[float]]
    labels: list[Any] | None
    path: Path
    model: str
    latency_us: dict[Phase, float]


class Predict(Endpoint):
    """One record, or a list of them."""

    label = "/predict"

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Read, wait for the model, write."""
        service = self.service
        require_json(scope)
        body = await read_body(scope, receive, service.settings)
        start = time.perf_counter_ns()
        rows = await self._read(body)
        read_ns = time.perf_counter_ns() - start
        answer = await service.batcher.answer(rows)
        phases_ns = {**answer.phases_ns, "preprocess": answer.phases_ns["preprocess"] + read_ns}
        service.record(rows, answer, phases_ns)
        latency: dict[Phase, float] = {phase: round(ns / 1000, 1) for phase, ns in phases_ns.items()}
        prediction = Prediction(answer.predictions.tolist(), answer.labels, answer.path, service.name, latency)
        return Response(_encode(prediction))

    async def _read(self, body: bytes) -> Rows:
        """The rows of a body; a long one is read in a thread, so that others are answered meanwhile."""
        read = self.service.reader.read
        if len(body) < LONG_BYTES:
            return read(body)
        return await asyncio.get_running_loop().run_in_executor(None, read, body)


_encode = msgspec.json.Encoder().encode
