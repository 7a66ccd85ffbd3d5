"""A data file read once, batch by batch, and answered by all sides at the same time."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.predictors import Predictions, Predictor, aligned, columns_for
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress
from infer_bench.typing import Array
from infer_bench.workers.shared import SharedTable

BATCH_BYTES = 1 << 24
LEAST_ROWS, MOST_ROWS = 1_024, 65_536
AHEAD = 2
"""So many batches are out at a time: one that is answered, and the next, so that no side waits for it."""
Hear = Callable[[], Predictions]


@dataclass
class Duel:
    """A candidate against the reference: its side, its groups so far, and why it failed if it did."""

    side: Predictor
    groups: dict[str, GroupComparison]
    failed: InferBenchError | None = None
    explanation: Explanation = field(default_factory=Explanation)


def batch_rows(features: int) -> int:
    """Rows a batch: 16 MB of doubles, within bounds."""
    return int(np.clip(BATCH_BYTES // (8 * max(1, features)), LEAST_ROWS, MOST_ROWS))


def narrowed(table: Table, dtype: str | None) -> Table:
    """Numbers rounded to `dtype` and handed on in double, so that a library computes as ever; None changes nothing."""
    if dtype is None:
        return table
    with np.errstate(over="ignore"):
        rounded = {n: c.astype(dtype).astype(np.float64) for n, c in table.columns.items() if c.dtype.kind == "f"}
    return Table({**table.columns, **rounded})


class FanOut:
    """Asks the reference and every candidate that has not failed, all at once.

    Each side has a thread that waits for its answers, in the order of asking. Where memory can be shared, a table is
    written once for all sides, and its question is on the way while a side still answers the one before.
    """

    def __init__(self, reference: "Predictor | Saved", spec: ModelSpec, duels: Sequence[Duel]) -> None:
        self.reference, self.spec, self.duels = reference, spec, list(duels)
        self._threads = [ThreadPoolExecutor(max_workers=1) for _ in range(1 + len(duels))]
        self._blocks = itertools.cycle(duels[0].side.blocks)

    def start(self, table: Table, first: int) -> "Asked":
        """Hand a table out; its answers are awaited with `finish`. At most `AHEAD` tables may be out at a time."""
        block = self._written(table)
        ours = self._threads[0].submit(self._reference(table, first, block))
        theirs = {
            i: self._threads[1 + i].submit(_asking(duel.side, table, self.spec, block))
            for i, duel in enumerate(self.duels)
            if duel.failed is None
        }
        return Asked(table, first, ours, theirs)

    def _written(self, table: Table) -> SharedTable | None:
        block = next(self._blocks, None)
        if block is not None:
            try:
                block.write(table.columns)
            except OSError:
                self._blocks, block = itertools.cycle(()), None
        return block

    def _reference(self, table: Table, first: int, block: SharedTable | None) -> Hear:
        reference = self.reference
        if isinstance(reference, Saved):
            return lambda: reference.predictions(first, table.rows)
        if block is None:
            return lambda: reference.answer(table.columns)
        reference.ask(table.columns, block)
        return reference.hear

    def finish(self, asked: "Asked", group: str) -> None:
        """Compare what came back. Raises the reference's error; a candidate's costs that candidate only.

        Of a candidate that has failed, nothing is counted from there on: what stands in the report has no gap.
        """
        ours = asked.reference.result()
        for i, future in asked.candidates.items():
            duel = self.duels[i]
            if duel.failed is not None:
                continue
            try:
                duel.groups[group].add(ours, future.result(), asked.first, asked.table.take)
            except InferBenchError as error:
                duel.failed = error

    def close(self) -> None:
        """Let the threads go."""
        for thread in self._threads:
            thread.shutdown(wait=False, cancel_futures=True)


def _asking(side: Predictor, table: Table, spec: ModelSpec, block: SharedTable | None) -> Hear:
    """Put the question, where it can be put ahead of its turn; what is returned waits for the answers."""
    if block is None:
        return lambda: ask(side, table, spec)
    try:
        columns = columns_for(table, side, spec)
    except InferBenchError as error:
        return partial(_raised, error)
    side.ask(columns, block)
    return lambda: aligned(side.hear(), side.spec, spec)


def _raised(error: InferBenchError) -> Predictions:
    raise error


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """Predictions made before, as a reference: `values` (rows, outputs). `name` is the file's."""

    name: str
    values: "Array"

    def fitting(self, spec: ModelSpec) -> "Saved":
        """The predictions in the canonical form: of two probabilities of a binary model the second."""
        both = spec.task == "binary" and self.values.shape[1] == 2
        if not both or not np.allclose(self.values.sum(axis=1), 1.0, atol=1e-3, equal_nan=True):
            return self
        return Saved(self.name, self.values[:, 1:])

    def predictions(self, first: int, rows: int) -> Predictions:
        """The saved answers to `rows` rows from number `first` on."""
        part = np.asarray(self.values[first : first + rows], dtype=np.float64)
        return Predictions(part, np.zeros(len(part), dtype=np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A batch on its way."""

    table: Table
    first: int
    reference: "Future[Predictions]"
    candidates: Mapping[int, "Future[Predictions]"]

    def wait(self) -> None:
        """Until every side has answered, or has failed to."""
        wait([self.reference, *self.candidates.values()])


def ask(side: Predictor, table: Table, reference: ModelSpec) -> Predictions:
    """A candidate's answers, in the reference's class order. Raises `EngineError` when their number differs."""
    return aligned(side.answer(columns_for(table, side, reference)), side.spec, reference)


def stream(fan_out: FanOut, batches: Iterator[Table], total: int, group: str, progress: Progress) -> float:
    """Run a file's batches through the arena. Returns rows per second.

    The next batch is read, and the one before is compared, while the sides answer: they never wait for this process.
    """
    start, done, first = time.monotonic(), 0, 0
    out: deque[Asked] = deque()

    def compared(asked: Asked) -> int:
        fan_out.finish(asked, group)
        rows = done + asked.table.rows
        progress.update(rows / max(1, total), _said(rows, total, time.monotonic() - start))
        return rows

    for table in batches:
        oldest = out.popleft() if len(out) == AHEAD else None
        if oldest is not None:
            oldest.wait()  # only then is its block free
        out.append(fan_out.start(table, first))
        first += table.rows
        if oldest is not None:
            done = compared(oldest)
    for asked in out:
        done = compared(asked)
    return done / max(1e-9, time.monotonic() - start)


def _said(done: int, total: int, spent_s: float) -> str:
    rate = done / max(1e-9, spent_s)
    return f"{done:,} of {total:,} rows   {rate:,.0f} rows/s   {max(0, total - done) / max(1.0, rate):.0f} s left"
