"""Where a user's function enters the model: stamps at the outermost model calls tell its phases apart."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infer_bench.workers.loop import Clock, Stages, Stamps
from infer_bench.workers.probes import installed, model_calls

Call = Callable[..., Any]
CALIBRATION = 501


class Boundary:
    """Stamps the outermost model calls of one request at a time. Calls inside a model call are the model's own."""

    def __init__(self, clock: Clock) -> None:
        self.names: dict[str, int] = {}
        self._clock = clock
        self._inside = False
        self._calls = 0
        self._taken = 0
        self._left = 0

    def wrap(self, call: Call, name: str) -> Call:
        """`call`, stamped when it is not inside another one. Threads that a model call starts are inside it."""

        def stamped(*arguments: Any, **keywords: Any) -> Any:
            if self._inside:
                return call(*arguments, **keywords)
            self._inside = True
            clock, start = self._clock, self._clock()
            try:
                return call(*arguments, **keywords)
            finally:
                self._left = clock()
                self._taken += self._left - start
                self._calls += 1
                self._inside = False
                self.names[name] = self.names.get(name, 0) + 1

        return stamped

    def stamps(self, stages: Stages, requests: Sequence[Any]) -> tuple[Stamps, int]:
        """Each request divided at its model calls, and how many requests had one.

        `preprocess` is all before the last model call that is in none, `predict` the model calls, `postprocess` the
        rest. A request without a model call is `predict` as a whole.
        """
        with installed(model_calls(), self.wrap):
            rows = [self._one(stages, request) for request in requests]
        table = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
        return Stamps(*table.T), sum(row[4] for row in rows)

    def _one(self, stages: Stages, request: Any) -> tuple[int, int, int, int, bool]:
        self._calls = self._taken = 0
        start = self._clock()
        stages.postprocess(stages.predict(stages.preprocess(request)))
        end = self._clock()
        if not self._calls:
            return end - start, 0, end - start, 0, False
        after = end - self._left
        return end - start, end - start - self._taken - after, self._taken, after, True

    def cost(self) -> tuple[int, int, int]:
        """What the stamps add to (preprocess, predict, postprocess) of a request with one model call, in ns."""
        known, self.names = self.names, {}
        call = self.wrap(_nothing, "")
        stages = Stages(_nothing, call, _nothing)
        rows = [self._one(stages, None) for _ in range(CALIBRATION)]
        bare = [self._empty(Stages(_nothing, _nothing, _nothing)) for _ in range(CALIBRATION)]
        self.names = known
        real = statistics.median(bare) / 3
        before, inside, after = (statistics.median(row[i] for row in rows) for i in (1, 2, 3))
        return tuple(max(0, round(part - real)) for part in (before, inside, after))  # type: ignore[return-value]

    def _empty(self, stages: Stages) -> int:
        """An empty request between two stamps, less what two stamps with nothing between them read."""
        start = self._clock()
        middle = self._clock()
        stages.postprocess(stages.predict(stages.preprocess(None)))
        end = self._clock()
        return max(0, end - middle - (middle - start))


def _nothing(value: Any) -> Any:
    return value
