"""Where a user's function enters the model: stamps at the outermost model calls tell its phases apart."""

import contextlib
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infer_bench.workers.profiling.instrument import installed, model_calls
from infer_bench.workers.timing.loop import Clock, Stages, Stamps, floor, plain

Call = Callable[..., Any]
CALIBRATION = 501


class Boundary:
    """Stamps the outermost model calls of one request at a time. Calls inside a model call are the model's own.

    The wrappers stay in place from `install` to `remove`, since putting them in and out between blocks would cost the
    interpreter its caches; without stamps they pass a call through.
    """

    def __init__(self, clock: Clock) -> None:
        self.names: dict[str, int] = {}
        self._clock = clock
        self._held = contextlib.ExitStack()
        self._installed = False
        self._off = True
        self._calls = 0
        self._taken = 0
        self._left = 0

    def install(self) -> None:
        """Wrap the model calls of all that is imported by now, unless they are wrapped already."""
        if not self._installed:
            self._installed = True
            self._held.enter_context(installed(model_calls(), self.wrap))

    def remove(self) -> None:
        """Leave everything as it was."""
        self._held.close()

    def wrap(self, call: Call, name: str) -> Call:
        """`call`, stamped when it is not inside another one. Threads that a model call starts are inside it."""

        def stamped(*arguments: Any, **keywords: Any) -> Any:
            if self._off:
                return call(*arguments, **keywords)
            self._off = True
            clock, start = self._clock, self._clock()
            try:
                return call(*arguments, **keywords)
            finally:
                self._left = clock()
                self._taken += self._left - start
                self._calls += 1
                self._off = False
                self.names[name] = self.names.get(name, 0) + 1

        return stamped

    def stamps(self, stages: Stages, requests: Sequence[Any]) -> Stamps:
        """Each request divided at its model calls.

        `preprocess` is all before the last model call that is in none, `predict` the model calls, `postprocess` the
        rest. A request without a model call is `predict` as a whole.
        """
        rows = [self._one(stages, request) for request in requests]
        return Stamps(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)

    def _one(self, stages: Stages, request: Any) -> tuple[int, int, int, int]:
        preprocess, predict, postprocess, clock = stages.preprocess, stages.predict, stages.postprocess, self._clock
        self._calls = self._taken = 0
        self._off = False
        start = clock()
        postprocess(predict(preprocess(request)))
        end = clock()
        self._off = True
        if not self._calls:
            return end - start, 0, end - start, 0
        after = end - self._left
        return end - start, end - start - self._taken - after, self._taken, after

    def cost(self) -> tuple[int, int, int, int]:
        """What the stamps add to (preprocess, predict, postprocess) of a request with one model call, in ns, and what
        the wrapper that only passes through adds to it.
        """
        known, self.names = self.names, {}
        call = self.wrap(_nothing, "") if known else _nothing
        wrapped, bare = Stages(_nothing, call, _nothing), Stages(_nothing, _nothing, _nothing)
        rows = [self._one(wrapped, None) for _ in range(CALIBRATION)]
        real, passing = (statistics.median(plain(s, [None] * CALIBRATION, self._clock)) for s in (bare, wrapped))
        self.names = known
        empty = max(0.0, real - floor(self._clock, CALIBRATION))
        before, inside, after = (statistics.median(row[i] for row in rows) for i in (1, 2, 3))
        share = empty / 3 if known else 0.0
        inside -= 0.0 if known else empty
        parts = (max(0, round(part - share)) for part in (before, inside, after))
        return (*parts, max(0, round(passing - real)))


def _nothing(value: Any) -> Any:
    return value
