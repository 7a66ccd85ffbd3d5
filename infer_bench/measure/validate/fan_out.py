"""A data file read once, batch by batch, and predicted by all models at the same time."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.column_mapping import columns_for
from infer_bench.measure.validate.predictors import Predictor, align_classes
from infer_bench.measure.validate.saved_predictions import SavedPredictions
from infer_bench.measure.validate.user_rows import RowBatch
from infer_bench.measure.validate.validation import CandidateState
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.workers.shared import SharedTable

AHEAD = 2
"""So many batches are out at a time: one that is predicted, and the next, so that no model waits for it."""
Receive = Callable[[], Predictions]


@dataclass(frozen=True, slots=True, eq=False)
class PendingBatch:
    """A batch on its way; `first` is the number of its first row, and `candidates` are keyed by their places.

    `opens_block`: the rows before it were of another block.
    """

    table: Table
    first: int
    opens_block: bool
    reference: "Future[Predictions]"
    candidates: Mapping[int, "Future[Predictions]"]

    def wait(self) -> None:
        """Until every model has predicted it, or has failed to."""
        wait([self.reference, *self.candidates.values()])


class FanOut:
    """Hands each batch to the reference and every candidate that has not failed, all at once.

    Each model has a thread that waits for its predictions, in the order of the batches. Where memory can be shared, a
    batch is written once for all models, and is on its way while a model still predicts the one before.
    """

    def __init__(
        self, reference: Predictor | SavedPredictions, spec: ModelSpec, candidates: Sequence[CandidateState]
    ) -> None:
        self.reference, self.spec, self.candidates = reference, spec, list(candidates)
        self._threads = [ThreadPoolExecutor(max_workers=1) for _ in range(1 + len(candidates))]
        self._shared_tables = itertools.cycle(candidates[0].predictor.shared_tables)

    def start(self, rows: RowBatch) -> PendingBatch:
        """Hand a batch out; `finish` awaits its predictions. At most `AHEAD` batches may be out at a time."""
        table = rows.table
        memory = self._share(table)
        ours = self._threads[0].submit(self._send_to_reference(rows, memory))
        theirs = {
            i: self._threads[1 + i].submit(_send(candidate.predictor, table, self.spec, memory))
            for i, candidate in enumerate(self.candidates)
            if candidate.error is None
        }
        return PendingBatch(table, rows.first, rows.opens_block, ours, theirs)

    def _share(self, table: Table) -> SharedTable | None:
        """Shared memory that holds the batch; None where there is none."""
        memory = next(self._shared_tables, None)
        if memory is not None:
            try:
                memory.write(table.columns)
            except OSError:
                self._shared_tables, memory = itertools.cycle(()), None
        return memory

    def _send_to_reference(self, rows: RowBatch, memory: SharedTable | None) -> Receive:
        reference, table = self.reference, rows.table
        if isinstance(reference, SavedPredictions):
            return lambda: reference.predictions(rows.first, table.rows)
        if memory is None:
            return lambda: reference.predict(table.columns, opens_block=rows.opens_block)
        reference.send(table.columns, memory, opens_block=rows.opens_block)
        return reference.receive

    def finish(self, batch: PendingBatch, group: str) -> None:
        """Compare what came back. Raises the reference's error; a candidate's costs that candidate only.

        Of a candidate that has failed, nothing is counted from there on: what stands in the report has no gap.
        """
        ours = batch.reference.result()
        for i, future in batch.candidates.items():
            candidate = self.candidates[i]
            if candidate.error is not None:
                continue
            try:
                comparison = candidate.groups[group]
                if batch.opens_block:
                    comparison.open_block(batch.first)
                comparison.add(ours, future.result(), batch.first, batch.table.take)
            except InferBenchError as error:
                candidate.error = error

    def close(self) -> None:
        """Let the threads go."""
        for thread in self._threads:
            thread.shutdown(wait=False, cancel_futures=True)


def _send(predictor: Predictor, table: Table, spec: ModelSpec, memory: SharedTable | None) -> Receive:
    """Send a batch ahead of its turn, where that can be; what is returned waits for the predictions."""
    if memory is None:
        return lambda: predict_aligned(predictor, table, spec)
    try:
        columns = columns_for(table, predictor.spec, spec, predictor.name)
    except InferBenchError as error:
        return partial(_raise, error)
    predictor.send(columns, memory)
    return lambda: align_classes(predictor.receive(), predictor.spec, spec)


def _raise(error: InferBenchError) -> Predictions:
    raise error


def predict_aligned(predictor: Predictor, table: Table, reference: ModelSpec) -> Predictions:
    """A candidate's predictions, in the reference's class order. Raises `EngineError` when their number differs."""
    columns = columns_for(table, predictor.spec, reference, predictor.name)
    return align_classes(predictor.predict(columns), predictor.spec, reference)


def stream(fan_out: FanOut, batches: Iterator[RowBatch], total: int, group: str, progress: Progress) -> float:
    """Compare on a file's batches, of `total` rows. Returns rows per second.

    The next batch is read, and the one before is compared, while the models predict: they never wait for this process.
    """
    start, rows = time.monotonic(), 0
    pending: deque[PendingBatch] = deque()

    def compare(batch: PendingBatch) -> int:
        fan_out.finish(batch, group)
        count = rows + batch.table.rows
        progress.update(count / max(1, total), _rate(count, total, time.monotonic() - start))
        return count

    for batch in batches:
        oldest = pending.popleft() if len(pending) == AHEAD else None
        if oldest is not None:
            oldest.wait()  # only then is its memory free
        pending.append(fan_out.start(batch))
        if oldest is not None:
            rows = compare(oldest)
    for waiting in pending:
        rows = compare(waiting)
    return rows / max(1e-9, time.monotonic() - start)


def _rate(rows: int, total: int, elapsed_s: float) -> str:
    per_s = rows / max(1e-9, elapsed_s)
    return f"{rows:,} of {total:,} rows   {per_s:,.0f} rows/s   {max(0, total - rows) / max(1.0, per_s):.0f} s left"
