"""`POST /predict`: records in, predictions out."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from infer_bench.model import Phase
from infer_bench.serving.endpoints.body import RequestHeaders, Scope, require_json
from infer_bench.serving.endpoints.endpoint import Response
from infer_bench.serving.endpoints.inference import Inference, Query, as_microseconds
from infer_bench.serving.paths.dual_path import Answer, Path
from infer_bench.typing import Array


class Prediction(msgspec.Struct, gc=False):
    """The answer: `predictions` (rows × outputs) and `labels` (rows), a list a row in the order of the records.

    JSON has no NaN and no infinity: such a value is null. A network's `outputs` by name are nested as they are shaped,
    and all their numbers in a row are its predictions.
    """

    predictions: list[list[float]]
    labels: list[Any] | None
    path: Path
    model: str
    latency_us: dict[Phase, float]
    outputs: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET


class Predict(Inference):
    """One record, or a list of them."""

    label = "/predict"

    def check(self, scope: Scope, headers: RequestHeaders) -> None:
        """The body must be JSON."""
        require_json(headers)

    def read(self, headers: RequestHeaders, body: bytes) -> Query:
        """Records, by the columns' names."""
        require_json(headers)
        start = time.perf_counter_ns()
        rows = self.service.reader.read(body)
        return Query(rows, time.perf_counter_ns() - start)

    def write(self, query: Query, answer: Answer, phases_ns: Mapping[Phase, int]) -> Response:
        """See `Prediction`."""
        latency_us = {phase: as_microseconds(ns) for phase, ns in phases_ns.items()}
        predictions = answer.predictions.tolist()
        outputs = msgspec.UNSET if answer.outputs is None else [_nest(named) for named in answer.outputs]
        content = Prediction(predictions, answer.labels, answer.path, self.service.name, latency_us, outputs)
        return Response(_encode(content))


def _nest(outputs: Mapping[str, Array]) -> dict[str, Any]:
    return {name: array.tolist() for name, array in outputs.items()}


_encode = msgspec.json.Encoder().encode
