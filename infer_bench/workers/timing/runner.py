"""One candidate inside its worker: warm-up, blocks and predictions of a session. Knows no process."""

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np

from infer_bench.engines.base import Request, Session
from infer_bench.errors import EngineError
from infer_bench.model import TensorInput
from infer_bench.typing import ABSENT, Array, Columns, Floats, TensorRequest
from infer_bench.workers.timing.cpu_time import read_cpu_ns
from infer_bench.workers.timing.fixed_work import time_fixed_work
from infer_bench.workers.timing.loop import (
    Clock,
    Cycle,
    Stages,
    measure_floor,
    measure_stamp_cost,
    time_calls,
    time_groups,
    time_phases,
)
from infer_bench.workers.timing.requests import WARM_WINDOW_NS, ChangedRowTimes, TimeBlock, TimedBlock, Warmth
from infer_bench.workers.timing.row_tables import ALONE_NS, RowTables
from infer_bench.workers.timing.run_queue import read_run_queue_ns

SHORT_NS = 50_000
"""Below this, stamps between the phases cost more than 0.2 % of the request: they are timed in calls of their own."""
GROUPED_NS = 5_000
"""Below this a stamp costs more than 1 %, so several calls share a sample."""
SAMPLE_NS = 20_000
"""How long a shared sample should last."""
DISCARDED_NS = 1_000_000
"""Up to this long (and 3 calls at most) the first calls of a block are thrown away: another process had the caches."""
UNDISTURBED_NS = 400_000_000
"""From here on a request loses less than 1 % to that, and none is thrown away: that would be half of a block."""
STEADY_WITHIN = 0.03
MOST_BYTES = 16 << 20
"""So much do a network's predictions fill at the most: its outputs may be far larger than its inputs."""


def requests_of(columns: Columns, batch: int, inputs: Sequence[TensorInput] = ()) -> list[Request]:
    """The rows cut into requests: records of Python scalars for batch 1, else tables of exactly `batch` rows.

    Rows are repeated from the start where the last table would be short. A request of a network, which takes `inputs`,
    is its arrays, `batch` of them stacked. Raises `DataError` where they cannot be. Arrays for a function of which no
    network is known are handed over as they stand in the columns, `batch` of them along a new first axis.
    """
    if inputs:
        from infer_bench.data.tensors.stacking import cut_requests  # workers of rows go without

        return list(cut_requests(columns, inputs, batch))
    rows = len(next(iter(columns.values())))
    tensors = any(column.ndim > 1 for column in columns.values())
    if batch == 1 and tensors:
        return [TensorRequest({name: np.asarray(column[i]) for name, column in columns.items()}) for i in range(rows)]
    if batch == 1:
        return _records_of(columns)
    starts = range(0, rows, batch)
    picks = [np.arange(start, start + batch) % rows for start in starts]
    kind = TensorRequest if tensors else dict
    return [kind({name: np.ascontiguousarray(column[pick]) for name, column in columns.items()}) for pick in picks]


def _records_of(columns: Columns) -> list[Request]:
    """A dict a row, without the keys that it lacks, which only columns of objects can say."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    if all(column.dtype.kind != "O" for column in columns.values()):
        return list(records)
    return [{name: value for name, value in record.items() if value is not ABSENT} for record in records]


def warm_up(stages: Stages, cycle: Cycle, limit_ns: int, clock: Clock, window_ns: int = WARM_WINDOW_NS) -> Warmth:
    """Run until two windows of `window_ns` in a row agree within 3 %, for `limit_ns` at the most."""
    start = clock()
    estimate = max(1, int(time_calls(stages, cycle.take(1), clock)[0]))
    previous, steady = 0.0, False
    while not steady and clock() - start < limit_ns:
        count = min(100_000, max(1, window_ns // estimate))
        median = float(np.median(time_calls(stages, cycle.take(count), clock)))
        steady = previous > 0 and abs(median / previous - 1) <= STEADY_WITHIN
        previous, estimate = max(1.0, median), max(1, int(median))
    warmup_ns = clock() - start
    return Warmth(estimate, warmup_ns, steady, measure_floor(clock), measure_stamp_cost(clock))


class Runner:
    """A session with its requests, made of so many `rows`, at one batch size."""

    def __init__(self, session: Session, requests: list[Request], rows: int, batch: int, clock: Clock) -> None:
        self._session = session
        self.takes_arrays = bool(requests) and isinstance(requests[0], TensorRequest)
        self._stages = Stages.of(session, tensors=self.takes_arrays)
        self._requests = requests
        self._rows = rows
        self._cycle = Cycle(self._requests)
        self._batch = batch
        self._clock = clock
        self._request_ns = 0

    def time_first(self) -> int:
        """The time of one request, in ns: on a fresh session, the first."""
        return int(time_calls(self._stages, self._requests[:1], self._clock)[0])

    def warm_up(self, limit_ns: int, window_ns: int = WARM_WINDOW_NS) -> Warmth:
        """Run until steady, for `limit_ns` at the most: see `warm_up`."""
        warmth = warm_up(self._stages, self._cycle, limit_ns, self._clock, window_ns)
        self._request_ns = warmth.request_ns
        return warmth

    def time_block(self, plan: TimeBlock) -> TimedBlock:
        """The samples that `plan` asks for, after a few that are thrown away."""
        reference_ns = time_fixed_work(self._clock)
        self._discard_first_calls()
        if plan.start is not None:
            self._cycle.seek(plan.start)
        collections, requests = _collections(), self._cycle.take(plan.samples * plan.calls)
        queued_start, cpu_start = read_run_queue_ns(), read_cpu_ns()
        start, phases = self._clock(), None
        if plan.calls > 1:
            request = time_groups(self._stages, requests, plan.calls, self._clock)
        elif plan.phases:
            phases = time_phases(self._stages, requests, self._clock)
            request = phases.request
        else:
            request = time_calls(self._stages, requests, self._clock)
        wall_ns, cpu_ns = self._clock() - start, read_cpu_ns() - cpu_start
        queued_ns = None if queued_start is None else (read_run_queue_ns() or queued_start) - queued_start
        if phases is None:
            count = max(1, len(requests) // 4) if plan.split else 0
            phases = time_phases(self._stages, self._cycle.take(count), self._clock)
        rows, collections = len(requests) * self._batch, _collections() - collections
        parts = phases.preprocess, phases.predict, phases.postprocess
        return TimedBlock(request, *parts, wall_ns, rows, collections, cpu_ns, reference_ns, queued_ns)

    def time_changed_rows(self, count: int, limit_ns: int) -> ChangedRowTimes:
        """See `TimeChangedRows`."""
        from infer_bench.workers.timing.changed_rows import time_changed_rows  # few candidates are asked

        requests = [] if self.takes_arrays or self._batch > 1 else self._cycle.take(count)
        return time_changed_rows(self._stages, requests, self._clock, limit_ns)

    def _discard_first_calls(self) -> None:
        if self._request_ns >= UNDISTURBED_NS:
            return
        first_ns = time_calls(self._stages, self._cycle.take(1), self._clock)[0]
        if first_ns * 3 < DISCARDED_NS:
            time_calls(self._stages, self._cycle.take(2), self._clock)

    def predict_rows(self, limit_ns: int, columns: Columns | None = None) -> tuple[Floats, Array | None]:
        """The canonical output (rows, outputs) and the labels (rows,) of the rows in order.

        The labels of a user's function are the text in its predictions, unless the same request gets another text a
        second time, as with the number of a request.

        Stops after `limit_ns`, so the arrays may be shorter than the rows. Requests of one row, whose table `columns`
        are, may be predicted in tables instead: see `RowTables`.
        """
        start, parts, texts = self._clock(), [], list[str]()
        tables = None if columns is None else RowTables(self._session, columns, self._clock)
        for request in self._requests:
            outputs = self._outputs(request)
            parts.append(np.array(self._session.postprocess(outputs), dtype=np.float64))
            self._check_count(len(parts[-1]))
            texts += self._texts(outputs)
            spent_ns = self._clock() - start
            if spent_ns > limit_ns:
                break
            if tables is not None and spent_ns > ALONE_NS:
                row_ns, alone = spent_ns / len(parts), _stack(parts)
                predictions = tables.predict(alone, self._predict_alone, row_ns, limit_ns - spent_ns)
                if predictions is not None:
                    return predictions, self._session.labels(predictions)
                tables = None
        predictions = _stack(parts)[: self._rows]
        if self._texts_are_labels(texts, predictions):
            return predictions, np.array(texts[: self._rows], dtype=object)
        return predictions, self._session.labels(predictions)

    def _check_count(self, predictions: int) -> None:
        """Whether each row has its prediction. Raises `EngineError`: rows a second would count rows that have none."""
        if predictions != self._batch and not self.takes_arrays:
            noun = "prediction" if predictions == 1 else "predictions"
            raise EngineError(f"it gives {predictions} {noun} for a request of {self._batch} rows")

    def _predict_alone(self, place: int) -> Floats:
        return np.array(self._session.postprocess(self._outputs(self._requests[place])), dtype=np.float64)

    def predict_arrays(self, limit_ns: int) -> dict[str, Array]:
        """Every output of the requests in order, by name, as a `data.Table` has its columns.

        Stops after `limit_ns`, or when they fill `MOST_BYTES`, so there may be fewer. What not every request gives,
        such as the last parts of a sequence, is left out.
        """
        from infer_bench.data.table import stack  # as in `requests_of`

        session: Any = self._session
        start, size, named = self._clock(), 0, list[dict[str, Array]]()
        for request in self._requests:
            named.append(
                {name: np.array(array) for name, array in session.named_outputs(self._outputs(request)).items()}
            )
            size += sum(array.nbytes for array in named[-1].values())
            if self._clock() - start > limit_ns or size > MOST_BYTES:
                break
        names = [name for name in named[0] if all(name in outputs for outputs in named)]
        return {name: stack([outputs[name] for outputs in named]) for name in names}

    def _texts_are_labels(self, texts: Sequence[str], predictions: Floats) -> bool:
        """Whether there is text, or nothing but text, and the first request gets the same a second time."""
        if not any(texts) and not (texts and np.isnan(predictions).any()):
            return False
        return texts[: self._batch] == self._texts(self._outputs(self._requests[0]))

    def _outputs(self, request: Request) -> Any:
        return self._stages.predict(self._stages.preprocess(request))

    def _texts(self, outputs: Any) -> list[str]:
        """The text in the predictions of a user's function."""
        texts = getattr(self._session, "texts", None)
        return list(texts(outputs)) if texts else []


def _stack(parts: Sequence[Floats]) -> Floats:
    """The predictions of all requests (rows, outputs). Raises `EngineError` where they differ in width."""
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        raise EngineError(f"it returns {min(widths)} values for one request and {max(widths)} for another")
    return np.concatenate(parts)


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())
