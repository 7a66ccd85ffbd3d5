"""Requests on their way to the engine: what waits when it is free goes together, and nothing waits for a timer.

A call that is known to be short runs on the event loop's own thread: a hand-over to another and back would take longer.
Any other runs in a thread of its own, so that the server answers meanwhile.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from infer_bench.serving.faults import RequestFault
from infer_bench.serving.paths.dual_path import Answer, DualPath
from infer_bench.serving.rows.rows import Rows

MOST_ROWS = 4096
"""So many rows go together at the most, unless one request alone has more."""
LONGEST_ON_LOOP_NS = 1_000_000
LONGEST_TOGETHER_NS = 50_000_000
"""Requests of a network that are expected to take longer together go in several calls, and the first is not kept."""
MOST_OTHERS = 64
"""So many requests of other shapes may stand between those that go together."""
_MOST_GROWTH = 10.0
_WEIGHT = 0.2
"""Of the latest call in what a row is expected to take."""


class Waiter(Protocol):
    """Who waits for an answer: a future, or what behaves like one. It must raise nothing."""

    def done(self) -> bool:
        """Whether it waits no more."""

    def set_result(self, result: Answer, /) -> None:
        """Take the answer."""

    def set_exception(self, exception: Exception, /) -> None:
        """Take what is wrong."""


Waiting = tuple[Rows, Waiter]
Results = list[Answer | Exception]


class Batcher:
    """The queue before the engine. `row_ns` is what a row is known to take, None where it is not known.

    Requests go together up to `most_rows`; 1: each goes alone, whatever rows it has. Those of a network go together as
    its `stacking` says. `count` is called with the number of requests and of rows of every call.
    """

    def __init__(
        self,
        paths: DualPath,
        *,
        limit: int,
        row_ns: float | None = None,
        most_rows: int = MOST_ROWS,
        count: Callable[[int, int], None],
    ) -> None:
        self._paths = paths
        self._limit, self._most_rows = limit, most_rows
        self._count = count
        self._row_ns = row_ns
        self._on_loop = all(model.stays_on_loop for model in (paths.primary, paths.fallback) if model is not None)
        self._stacking = paths.main.stacking
        self._waiting: deque[Waiting] = deque()
        self._busy = False
        self._thread = ThreadPoolExecutor(1, "infer-bench-engine")

    @property
    def waiting(self) -> int:
        """How many requests wait for the engine."""
        return len(self._waiting)

    async def answer(self, rows: Rows) -> Answer:
        """Wait for the engine and for its answer. Raises `RequestFault`."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.submit(rows, future)
        return await future

    def submit(self, rows: Rows, waiter: Waiter) -> None:
        """Queue rows for the engine, on the event loop's thread. Raises `RequestFault` when too many wait."""
        if len(self._waiting) >= self._limit:
            message = f"{self._limit:,} requests wait for the model already"
            raise RequestFault(503, "busy", message, headers=[(b"retry-after", b"1")])
        self._waiting.append((rows, waiter))
        if not self._busy:
            self._busy = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._take_turn, loop)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _take_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, rows = self._next_batch()
        if not batch:
            self._busy = False
        elif self._on_loop and self._row_ns is not None and self._row_ns * rows < LONGEST_ON_LOOP_NS:
            self._deliver(batch, rows, self._run(batch, rows))
            if self._waiting:
                loop.call_soon(self._take_turn, loop)
            else:
                self._busy = False
        else:
            call = loop.run_in_executor(self._thread, self._run, batch, rows)
            call.add_done_callback(lambda results: self._end_turn(loop, batch, rows, results))

    def _end_turn(
        self, loop: asyncio.AbstractEventLoop, batch: list[Waiting], rows: int, results: "asyncio.Future[Results]"
    ) -> None:
        if not results.cancelled():
            self._deliver(batch, rows, results.result())
        self._take_turn(loop)

    def _deliver(self, batch: list[Waiting], rows: int, results: Results) -> None:
        self._count(len(batch), rows)
        for (_, waiter), result in zip(batch, results, strict=True):
            if waiter.done():
                continue
            if isinstance(result, Exception):
                waiter.set_exception(result)
            else:
                waiter.set_result(result)

    def _next_batch(self) -> tuple[list[Waiting], int]:
        """The oldest request whose caller still waits, those that go along with it, and how many rows they have."""
        batch: list[Waiting] = []
        others: list[Waiting] = []
        rows, most = 0, self._most_rows
        while self._waiting and rows < most and len(others) < MOST_OTHERS:
            request = self._waiting.popleft()
            if request[1].done():
                continue
            self._prepare(request[0], is_alone=not batch and not self._waiting)
            if not batch:
                most = self._find_most(request[0])
            elif not _is_alike(batch[0][0], request[0]):
                others.append(request)
                continue
            elif rows + request[0].weight > most:
                others.append(request)
                break
            batch.append(request)
            rows += request[0].weight
        self._waiting.extendleft(reversed(others))
        return batch, rows

    def _prepare(self, rows: Rows, *, is_alone: bool) -> None:
        """See whether a network's request may go along with others, where there are any."""
        if self._stacking is not None and rows.stackable is None and not is_alone:
            rows.stackable = self._stacking.prepare(rows)

    def _find_most(self, rows: Rows) -> int:
        """How many rows may go along with these: of a network no more than it is expected to answer in a while."""
        if rows.stackable is None or self._row_ns is None:
            return self._most_rows if rows.stackable is None else rows.stackable.most
        return min(rows.stackable.most, int(LONGEST_TOGETHER_NS / max(1.0, self._row_ns)))

    def _run(self, batch: list[Waiting], rows: int) -> Results:
        start = time.perf_counter_ns()
        try:
            results: Results = list(self._paths.answer([rows for rows, _ in batch]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach those who wait
            results = [error] * len(batch)
        self._learn((time.perf_counter_ns() - start) / rows)
        return results

    def _learn(self, row_ns: float) -> None:
        """What a row takes, from the last call; one that another process has interrupted says little of it."""
        if self._row_ns is not None:
            row_ns = (1 - _WEIGHT) * self._row_ns + _WEIGHT * min(row_ns, _MOST_GROWTH * self._row_ns)
        self._row_ns = row_ns


def _is_alike(rows: Rows, other: Rows) -> bool:
    """Whether both may go together; those of a table always may."""
    if rows.stackable is None or other.stackable is None:
        return rows.stackable is other.stackable
    return rows.stackable.shapes == other.stackable.shapes
