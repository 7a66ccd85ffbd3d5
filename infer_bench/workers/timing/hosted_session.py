"""One session in a worker: the model, its rows, and a runner for each batch size. A worker may hold several."""

import random
from collections.abc import Sequence
from itertools import repeat
from time import perf_counter_ns
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.model import TensorInput
from infer_bench.typing import Columns, Floats
from infer_bench.workers.timing.cpu_time import read_cpu_ns
from infer_bench.workers.timing.requests import (
    ChangedRowTimes,
    FirstRequest,
    InjectDelay,
    MakeRequests,
    PredictRows,
    RowPredictions,
    TimeBlock,
    TimeChangedRows,
    TimedBlock,
    TimeFirstRequest,
    Warmth,
    WarmUp,
)
from infer_bench.workers.timing.row_tables import takes_tables
from infer_bench.workers.timing.run_queue import read_run_queue_ns
from infer_bench.workers.timing.runner import Runner, requests_of

OFFSET_PIECES = 64
OFFSET_BYTES = (64, 262_144)


class RequestPool:
    """Rows to predict, and the requests cut from them. Sessions that predict the same rows share one.

    Those of a network are told by its `inputs`.
    """

    def __init__(self, columns: Columns, inputs: Sequence[TensorInput] = ()) -> None:
        self.columns, self.inputs = columns, inputs
        self._requests: dict[int, list[Any]] = {}

    def requests(self, batch: int) -> list[Any]:
        """The rows cut into requests of `batch` rows, made once; of a network, those of one batch size at a time."""
        if batch not in self._requests:
            if self.inputs:
                self._requests.clear()  # each copies the arrays
            self._requests[batch] = requests_of(self.columns, batch, self.inputs)
        return self._requests[batch]


class HostedSession:
    """A session at work. `memory_offset` was allocated before it was loaded, so that no two lie alike in memory."""

    def __init__(self, model: Session, memory_offset: list[bytearray]) -> None:
        self.model = model
        self.pool = RequestPool({})
        self._memory_offset = memory_offset
        self._runners: dict[int, Runner] = {}

    def set_pool(self, pool: RequestPool) -> None:
        """Predict other rows from now on."""
        self.pool = pool
        self._runners = {}

    def runner(self, batch: int) -> Runner:
        """What answers requests of `batch` rows."""
        if batch not in self._runners:
            if self.model.spec.inputs:
                self._runners.clear()
            requests, rows = self.pool.requests(batch), len(next(iter(self.pool.columns.values())))
            self._runners[batch] = Runner(self.model, requests, rows, batch, perf_counter_ns)
        return self._runners[batch]

    def time_first_request(self, request: TimeFirstRequest) -> FirstRequest:
        """See `TimeFirstRequest`."""
        request_ns = self.runner(request.batch).time_first()
        return FirstRequest(request_ns, perf_counter_ns(), read_cpu_ns(), read_run_queue_ns())

    def make_requests(self, request: MakeRequests) -> None:
        """See `MakeRequests`."""
        self.runner(request.batch)

    def warm_up(self, request: WarmUp) -> Warmth:
        """See `WarmUp`."""
        return self.runner(request.batch).warm_up(request.limit_ns, request.window_ns)

    def time_block(self, request: TimeBlock) -> TimedBlock:
        """See `TimeBlock`."""
        return self.runner(request.batch).time_block(request)

    def time_changed_rows(self, request: TimeChangedRows) -> ChangedRowTimes:
        """See `TimeChangedRows`."""
        return self.runner(1).time_changed_rows(request.count, request.limit_ns)

    def predict_rows(self, request: PredictRows) -> RowPredictions:
        """See `PredictRows`."""
        runner = self.runner(request.batch)
        if runner.takes_arrays:
            outputs = runner.predict_arrays(request.limit_ns)
            return RowPredictions(flatten_outputs(outputs, request.batch), None, outputs)
        columns = self.pool.columns if request.batch == 1 and takes_tables(self.model, self.pool.columns) else None
        predictions, labels = runner.predict_rows(request.limit_ns, columns)
        return RowPredictions(predictions, None if labels is None else tuple(labels))

    def inject_delay(self, request: InjectDelay) -> None:
        """See `InjectDelay`."""
        self.model = DelayedSession(self.model, request.turns, request.every)
        self._runners = {}


def flatten_outputs(outputs: Columns, batch: int) -> Floats:
    """The only output, of floats, as (requests, numbers), where each answer is one of `batch` requests.

    Without numbers where there are several outputs, sizes differ, or the answer is not a row a request.
    """
    columns = list(outputs.values())
    count = len(columns[0]) if columns else 0
    if len(columns) != 1 or columns[0].dtype.kind != "f" or not count:
        return np.empty((count, 0))
    column = columns[0]
    if batch > 1 and column.shape[1:2] != (batch,):
        return np.empty((count, 0))
    return column.reshape(count * batch, -1).astype(np.float64)


class DelayedSession:
    """A session with more work to do in some of its requests: what a gate is to find, or with no turns, is not."""

    def __init__(self, session: Session, turns: int, every: int) -> None:
        self._inner = session
        self._turns, self._every, self._count = turns, every, 0
        self._predict = session.predict

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def predict(self, inputs: Any) -> Any:
        """The session's own call, and the work."""
        outputs = self._predict(inputs)
        self._count += 1
        if self._count >= self._every:
            self._count = 0
            spin(self._turns)
        return outputs


def spin(turns: int) -> None:
    """An empty loop: work that no cache and no library changes, each turn as long as the next."""
    for _ in repeat(None, turns):
        pass


def allocate_offset(seed: int | None) -> list[bytearray]:
    """Pieces of memory of random sizes, every second one freed again: the next thing loaded lies elsewhere.

    None: nothing is allocated.
    """
    if seed is None:
        return []
    generator, low, high = random.Random(seed), *np.log(OFFSET_BYTES)
    pieces = [bytearray(int(np.exp(generator.uniform(low, high)))) for _ in range(OFFSET_PIECES)]
    return pieces[::2]
