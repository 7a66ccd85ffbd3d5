"""One candidate inside its worker: warm-up, blocks and answers of a session at each batch size. Knows no process."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.base import Request, Session
from infer_bench.typing import Floats
from infer_bench.workers.timing.loop import (
    Clock,
    Cycle,
    Stages,
    Stamps,
    Times,
    floor,
    grouped,
    plain,
    stamp_cost,
    stamped,
)

SHORT_NS = 50_000
"""Below this, stamps between the phases cost more than 0.2 % of the request: they are timed in calls of their own."""
GROUPED_NS = 5_000
"""Below this a stamp costs more than 1 %, so several calls share a sample."""
SAMPLE_NS = 20_000
"""How long a shared sample should last."""
DISCARDED_NS = 1_000_000
"""Up to this long (and 3 calls at most) the first calls of a block are thrown away: another process had the caches."""
WARM_WINDOW_NS = 20_000_000
STEADY_WITHIN = 0.03


@dataclass(frozen=True, slots=True)
class Warmth:
    """How the warm-up went: an estimate of one request, the time it took and whether it became steady."""

    request_ns: int
    warmup_ns: int
    steady: bool
    floor_ns: int
    stage_floor_ns: int


@dataclass(frozen=True, slots=True)
class Block:
    """One block's raw samples; `wall_ns` spans the request samples, `rows` those that they answered."""

    request: Times
    stages: Stamps
    wall_ns: int
    rows: int
    gc_collections: int


def requests_of(columns: Mapping[str, npt.NDArray[Any]], batch: int) -> list[Request]:
    """The rows cut into requests: records of Python scalars for batch 1, else tables of exactly `batch` rows.

    Rows are repeated from the start where the last table would be short.
    """
    rows = len(next(iter(columns.values())))
    if batch == 1:
        lists = {name: column.tolist() for name, column in columns.items()}
        return [{name: values[i] for name, values in lists.items()} for i in range(rows)]
    starts = range(0, rows, batch)
    picks = [np.arange(start, start + batch) % rows for start in starts]
    return [{name: np.ascontiguousarray(column[pick]) for name, column in columns.items()} for pick in picks]


def warm_up(stages: Stages, cycle: Cycle, limit_ns: int, clock: Clock, window_ns: int = WARM_WINDOW_NS) -> Warmth:
    """Run until two windows of `window_ns` in a row agree within 3 %, for `limit_ns` at the most."""
    start = clock()
    estimate = max(1, int(plain(stages, cycle.take(1), clock)[0]))
    previous, steady = 0.0, False
    while not steady and clock() - start < limit_ns:
        count = min(100_000, max(1, window_ns // estimate))
        median = float(np.median(plain(stages, cycle.take(count), clock)))
        steady = previous > 0 and abs(median / previous - 1) <= STEADY_WITHIN
        previous, estimate = max(1.0, median), max(1, int(median))
    spent = clock() - start
    return Warmth(estimate, spent, steady, floor(clock), stamp_cost(clock))


class Runner:
    """A session with its requests, made of so many `rows`, at one batch size."""

    def __init__(self, session: Session, requests: list[Request], rows: int, batch: int, clock: Clock) -> None:
        self._session = session
        self._stages = Stages(session.preprocess, session.predict, session.postprocess)
        self._requests = requests
        self._rows = rows
        self._cycle = Cycle(self._requests)
        self._batch = batch
        self._clock = clock

    def first(self) -> int:
        """The time of one request, in ns: on a fresh session, the first."""
        return int(plain(self._stages, self._requests[:1], self._clock)[0])

    def warm(self, limit_ns: int, window_ns: int = WARM_WINDOW_NS) -> Warmth:
        """Run until steady, for `limit_ns` at the most: see `warm_up`."""
        return warm_up(self._stages, self._cycle, limit_ns, self._clock, window_ns)

    def block(self, samples: int, calls: int, phases: bool, split: bool = True, start: int | None = None) -> Block:
        """`samples` samples of `calls` calls each, after a few discarded ones.

        With `phases` they are stamped between the phases too, else phases get calls of their own; without `split` none.
        `start` is the request to begin with, so that two sides answer the same ones; else the turn goes on.
        """
        discarded = plain(self._stages, self._cycle.take(1), self._clock)
        if discarded[0] * 3 < DISCARDED_NS:
            plain(self._stages, self._cycle.take(2), self._clock)
        if start is not None:
            self._cycle.seek(start)
        before, chosen = _collections(), self._cycle.take(samples * calls)
        begun = self._clock()
        if calls > 1:
            request = grouped(self._stages, chosen, calls, self._clock)
        elif phases:
            stages = stamped(self._stages, chosen, self._clock)
            wall = self._clock() - begun
            return Block(stages.request, stages, wall, samples * self._batch, _collections() - before)
        else:
            request = plain(self._stages, chosen, self._clock)
        wall = self._clock() - begun
        split_calls = max(1, samples * calls // 4) if split else 0
        stages = stamped(self._stages, self._cycle.take(split_calls), self._clock)
        return Block(request, stages, wall, samples * calls * self._batch, _collections() - before)

    def predictions(self, limit_ns: int) -> tuple[Floats, npt.NDArray[Any] | None]:
        """The canonical output (rows, outputs) and the labels (rows,) of the rows in order.

        The labels of a user's function are the text in its answers, unless the same request is answered with another
        text a second time, as with the number of a request.

        Stops after `limit_ns`, so the arrays may be shorter than the rows.
        """
        start, parts, texts = self._clock(), [], list[str]()
        for request in self._requests:
            outputs = self._outputs(request)
            parts.append(np.array(self._stages.postprocess(outputs), dtype=np.float64))
            texts += self._texts(outputs)
            if self._clock() - start > limit_ns:
                break
        predictions = np.concatenate(parts)[: self._rows]
        worded = any(texts) or (bool(texts) and bool(np.isnan(predictions).any()))
        told = worded and texts[: self._batch] == self._texts(self._outputs(self._requests[0]))
        return predictions, np.array(texts[: self._rows], dtype=object) if told else self._session.labels(predictions)

    def _outputs(self, request: Request) -> Any:
        return self._stages.predict(self._stages.preprocess(request))

    def _texts(self, outputs: Any) -> list[str]:
        """The text in the answers of a user's function."""
        texts = getattr(self._session, "texts", None)
        return list(texts(outputs)) if texts else []


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())
