"""Where a user's function enters the model: stamps at the outermost model calls tell its phases apart."""

import contextlib
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infer_bench.workers.profiling.instrument import installed, model_calls
from infer_bench.workers.profiling.requests import ProbeCost
from infer_bench.workers.timing.loop import Clock, PhaseSamples, Stages, measure_floor, time_calls

Call = Callable[..., Any]
CALIBRATION = 501


class ModelBoundary:
    """Stamps the outermost model calls of one request at a time. Calls inside a model call are the model's own.

    The wrappers stay in place from `install` to `remove`, since putting them in and out between blocks would cost the
    interpreter its caches; without stamps they pass a call through.
    """

    def __init__(self, clock: Clock) -> None:
        self.names: dict[str, int] = {}
        self._clock = clock
        self._wrappers = contextlib.ExitStack()
        self._installed = False
        self._off = True
        self._calls = 0
        self._inside_ns = 0
        self._last_exit = 0
        self.waiting: list[int] = []
        self._waited_before = self._waited_after = 0

    def watch(self, loop: Any) -> None:
        """Count as waiting what an event loop of asyncio's own idles, other than while the model is called."""
        selector = getattr(loop, "_selector", None)
        if selector is not None:
            selector.select = self._time_waits(selector.select)
            self._wrappers.callback(delattr, selector, "select")

    def _time_waits(self, select: Call) -> Call:
        def time_wait(timeout: float | None = None) -> Any:
            if timeout is not None and timeout <= 0:
                return select(timeout)
            start, inside_ns = self._clock(), self._inside_ns
            try:
                return select(timeout)
            finally:
                self._add_wait(start, self._inside_ns - inside_ns)

        return time_wait

    def _add_wait(self, start: int, inside_ns: int) -> None:
        """A wait that ends now; a model call on another thread may have ended within it."""
        now = self._clock()
        after = now - max(start, self._last_exit)
        self._waited_before += max(0, now - start - inside_ns - after)
        self._waited_after += after

    def install(self) -> None:
        """Wrap the model calls of all that is imported by now, unless they are wrapped already."""
        if not self._installed:
            self._installed = True
            self._wrappers.enter_context(installed(model_calls(), self.wrap))

    def remove(self) -> None:
        """Leave everything as it was."""
        self._wrappers.close()

    def wrap(self, call: Call, name: str) -> Call:
        """`call`, stamped when it is not inside another one. Threads that a model call starts are inside it."""

        def stamp_call(*arguments: Any, **keywords: Any) -> Any:
            if self._off:
                return call(*arguments, **keywords)
            self._off = True
            clock, start = self._clock, self._clock()
            try:
                return call(*arguments, **keywords)
            finally:
                self._last_exit = clock()
                self._waited_before += self._waited_after
                self._waited_after = 0
                self._inside_ns += self._last_exit - start
                self._calls += 1
                self._off = False
                self.names[name] = self.names.get(name, 0) + 1

        return stamp_call

    def time_phases(self, stages: Stages, requests: Sequence[Any]) -> PhaseSamples:
        """Each request divided at its model calls.

        `preprocess` is all before the last model call that is in none, `predict` the model calls, `postprocess` the
        rest. A request without a model call is `predict` as a whole. What it waits is in none of them: `waiting` holds
        it, in ns, one entry a request.
        """
        self.waiting = []
        rows = [self._one(stages, request) for request in requests]
        return PhaseSamples(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)

    def _one(self, stages: Stages, request: Any) -> tuple[int, int, int, int]:
        preprocess, predict, postprocess, clock = stages.preprocess, stages.predict, stages.postprocess, self._clock
        self._calls = self._inside_ns = self._waited_before = self._waited_after = 0
        self._off = False
        start = clock()
        postprocess(predict(preprocess(request)))
        end = clock()
        self._off = True
        waited_ns = self._waited_before + self._waited_after
        self.waiting.append(waited_ns)
        if not self._calls:
            return end - start, 0, end - start - waited_ns, 0
        after = end - self._last_exit
        before = end - start - self._inside_ns - after - self._waited_before
        return end - start, before, self._inside_ns, after - self._waited_after

    def measure_cost(self) -> ProbeCost:
        """What the stamps add to the phases of a request with one model call, and what the wrapper that only passes
        through adds to it.
        """
        names, self.names = self.names, {}
        call = self.wrap(_nothing, "") if names else _nothing
        probed, bare = Stages(_nothing, call, _nothing), Stages(_nothing, _nothing, _nothing)
        rows = [self._one(probed, None) for _ in range(CALIBRATION)]
        real, passing = (statistics.median(time_calls(s, [None] * CALIBRATION, self._clock)) for s in (bare, probed))
        self.names = names
        empty = max(0.0, real - measure_floor(self._clock, CALIBRATION))
        before, inside, after = (statistics.median(row[i] for row in rows) for i in (1, 2, 3))
        share = empty / 3 if names else 0.0
        inside -= 0.0 if names else empty
        phases = max(0, round(before - share)), max(0, round(inside - share)), max(0, round(after - share))
        return ProbeCost(phases, max(0, round(passing - real)))


def _nothing(value: Any) -> Any:
    return value
