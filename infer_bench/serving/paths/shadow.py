"""A share of the requests through both models, off the requests' own path: a watch on whether they still agree."""

import asyncio
import contextlib
import random
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from infer_bench.serving.paths.dual_path import Answer, align
from infer_bench.serving.paths.served_model import ServedModel
from infer_bench.serving.rows.rows import Rows
from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.typing import Floats

MOST_WAITING = 16
"""Requests beyond these are not compared: the watch may cost memory and time, but only so much."""


class ShadowCounters(Protocol):
    """Where the outcomes go."""

    def count_shadow(self, rows: int, differences: int) -> None:
        """So many rows were compared, and so many of them differ."""

    def count_lost_shadow(self) -> None:
        """A request was not compared."""


class Shadow:
    """Asks the fallback what it says to some of the requests that the model has answered.

    `share` of them, drawn at random, are compared in a thread; a prediction that differs by more than `limits` counts.
    """

    def __init__(
        self, model: ServedModel, fallback: ServedModel, share: float, limits: Limits, counters: ShadowCounters
    ) -> None:
        self._model, self._fallback = model, fallback
        self._share, self._limits, self._counters = share, limits, counters
        self._random = random.Random()
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "infer-bench-shadow")

    def consider(self, rows: Rows, answer: Answer) -> None:
        """Perhaps compare an answer of the model's."""
        if answer.path != "primary" or self._random.random() >= self._share:
            return
        if self._waiting >= MOST_WAITING:
            self._counters.count_lost_shadow()
            return
        self._waiting += 1
        loop = asyncio.get_running_loop()
        comparison = self._thread.submit(self._compare, rows, answer)
        comparison.add_done_callback(lambda result: self._tell(loop, rows.count, result))

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _compare(self, rows: Rows, answer: Answer) -> int:
        """How many rows differ."""
        reference = align(self._fallback.answer([rows]), self._fallback.spec, self._model.spec)
        ours = _as_predictions(reference.values, reference.labels)
        return compare(ours, _as_predictions(answer.predictions, answer.labels), self._limits).failing

    def _tell(self, loop: asyncio.AbstractEventLoop, rows: int, result: "Future[int]") -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._count, rows, result)

    def _count(self, rows: int, result: "Future[int]") -> None:
        self._waiting -= 1
        if result.exception() is not None:
            self._counters.count_lost_shadow()
        else:
            self._counters.count_shadow(rows, result.result())


def _as_predictions(values: Floats, labels: list[Any] | None) -> Predictions:
    return Predictions.unrefused(values, None if labels is None else Labels.of(labels))
