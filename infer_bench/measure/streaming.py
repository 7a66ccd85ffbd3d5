"""A data file read once, batch by batch, and answered by all sides at the same time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.measure.causes.explanation import Explanation
from infer_bench.measure.pairing import Pairing
from infer_bench.measure.progress import Progress
from infer_bench.measure.sides import Answers, Side, aligned, columns_for
from infer_bench.model import ModelSpec
from infer_bench.workers.protocol import Array

BATCH_BYTES = 1 << 24
LEAST_ROWS, MOST_ROWS = 1_024, 65_536


@dataclass
class Duel:
    """A candidate against the reference: its side, its groups so far, and why it failed if it did."""

    side: Side
    groups: dict[str, Pairing]
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


class Arena:
    """Asks the reference and every candidate that has not failed, all at once."""

    def __init__(self, reference: "Side | Saved", spec: ModelSpec, duels: Sequence[Duel]) -> None:
        self.reference, self.spec, self.duels = reference, spec, list(duels)
        self._pool = ThreadPoolExecutor(max_workers=1 + len(duels))

    def start(self, table: Table, first: int) -> "Asked":
        """Hand a table out; its answers are awaited with `finish`."""
        ours = self._pool.submit(self._ask_reference, table, first)
        theirs: dict[int, Future[Answers]] = {}
        for i, duel in enumerate(self.duels):
            if duel.failed is None:
                theirs[i] = self._pool.submit(ask, duel.side, table, self.spec)
        return Asked(table, first, ours, theirs)

    def _ask_reference(self, table: Table, first: int) -> Answers:
        if isinstance(self.reference, Saved):
            return self.reference.answers(first, table.rows)
        return self.reference.answer(dict(table.columns))

    def finish(self, asked: "Asked", group: str) -> None:
        """Compare what came back. Raises the reference's error; a candidate's costs that candidate only."""
        ours = asked.reference.result()
        for i, future in asked.candidates.items():
            duel = self.duels[i]
            try:
                duel.groups[group].add(ours, future.result(), asked.first, asked.table.take)
            except InferBenchError as error:
                duel.failed = error

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """Predictions made before, as a reference: `values` (rows, outputs). `name` is the file's."""

    name: str
    values: "Array"

    def answers(self, first: int, rows: int) -> Answers:
        """The saved answers to `rows` rows from number `first` on."""
        part = np.asarray(self.values[first : first + rows], dtype=np.float64)
        return Answers(part, np.zeros(len(part), dtype=np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A batch on its way."""

    table: Table
    first: int
    reference: "Future[Answers]"
    candidates: Mapping[int, "Future[Answers]"]


def ask(side: Side, table: Table, reference: ModelSpec) -> Answers:
    """A candidate's answers, in the reference's class order. Raises `EngineError` when their number differs."""
    return aligned(side.answer(columns_for(table, side, reference)), side.spec, reference)


def stream(arena: Arena, batches: Iterator[Table], total: int, group: str, progress: Progress) -> float:
    """Run a file's batches through the arena; the next one is read while the sides answer. Returns rows per second."""
    start, done, waiting = time.monotonic(), 0, None
    first = 0
    for table in batches:
        if waiting is not None:
            arena.finish(waiting, group)
            done += waiting.table.rows
            progress.update(done / max(1, total), _said(done, total, time.monotonic() - start))
        waiting = arena.start(table, first)
        first += table.rows
    if waiting is not None:
        arena.finish(waiting, group)
        done += waiting.table.rows
    return done / max(1e-9, time.monotonic() - start)


def _said(done: int, total: int, spent_s: float) -> str:
    rate = done / max(1e-9, spent_s)
    return f"{done:,} of {total:,} rows   {rate:,.0f} rows/s   {max(0, total - done) / max(1.0, rate):.0f} s left"
