"""The race: candidates in processes of their own, released one block at a time, in random order, never two at once."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from infer_bench.errors import InferBenchError, WorkerError
from infer_bench.machine.environment import throttled_ns
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.measurements import Measurement, Run, shape_of
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress
from infer_bench.report.bench import Process, Round
from infer_bench.typing import Array, Columns
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import Message, spec_from

WARM_LIMIT_NS = 1_000_000_000
ANSWERS_LIMIT_S = 2.0
"""Slow candidates answer only the first rows for the comparison; the result says how many."""


class Race:
    """Runs the layouts one after the other.

    `measurements`, `specs` and `failed` always hold what is known so far; `saved` is called after every round.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        columns: Mapping[Key, Columns],
        settings: Settings,
        progress: Progress,
    ) -> None:
        self.measurements = {(e.key, batch): Measurement(e, batch) for batch in settings.batches for e in candidates}
        self.specs: dict[Key, ModelSpec] = {}
        self.failed: dict[Key, InferBenchError] = {}
        self.cut_short = False
        self._candidates = list(candidates)
        self._columns = columns
        self._settings = settings
        self._progress = progress
        self._random = random.Random(settings.seed)

    def run(self, saved: Callable[[], None]) -> None:
        """Every layout: start, warm, race, end."""
        for layout in range(self._settings.processes):
            workers: dict[Key, Worker] = {}
            try:
                begun = self._start(layout, workers)
                for nth, batch in enumerate(self._settings.batches):
                    self._warm(layout, batch, workers, begun)
                    self._rounds(layout + nth / len(self._settings.batches), batch, workers, saved)
            finally:
                for worker in workers.values():
                    worker.kill()

    @property
    def lean(self) -> frozenset[str]:
        """The candidates whose workers keep modules from being imported."""
        return frozenset(e.label for e in self._candidates if e.engine.lean(e.artefact, e.options))

    @property
    def left_out(self) -> list[Candidate]:
        """Default candidates that turned out not to fit the model: nobody asked for them, and no worker broke.

        When none fits, all have failed.
        """
        unfit = [e for e in self._candidates if not e.asked and self._unfit(e)]
        return [] if len(unfit) == len(self._candidates) else unfit

    def _unfit(self, candidate: Candidate) -> bool:
        error = self.failed.get(candidate.key)
        raced = any(
            measurement.runs for measurement in self.measurements.values() if measurement.candidate.key == candidate.key
        )
        return error is not None and not isinstance(error, WorkerError) and not raced

    def _alive(self) -> list[Candidate]:
        return [candidate for candidate in self._candidates if candidate.key not in self.failed]

    @contextlib.contextmanager
    def _costs_its_row(self, candidate: Candidate) -> Iterator[None]:
        try:
            yield
        except InferBenchError as error:
            self.failed[candidate.key] = error

    def _tell(self, layouts: float, message: str) -> None:
        self._progress.update(layouts / self._settings.processes, message)

    def _start(self, layout: int, workers: dict[Key, Worker]) -> dict[Key, Process]:
        begun: dict[Key, Process] = {}
        for candidate in self._alive():
            self._tell(layout, f"process {layout + 1}: starting {candidate.label}")
            with self._costs_its_row(candidate):
                job = build_job(candidate, self._settings)
                worker = workers[candidate.key] = Worker(job, timeout_s=self._settings.timeout_s)
                begun[candidate.key] = self._cold_start(layout, candidate, worker)
        return begun

    def _cold_start(self, layout: int, candidate: Candidate, worker: Worker) -> Process:
        columns, first = self._columns[candidate.key], self._settings.batches[0]
        opened = worker.open()
        self.specs[candidate.key] = spec_from(opened.fields["spec"])
        worker.rows({name: cycled(column, first) for name, column in columns.items()})
        answered = worker.ask("first", batch=first)
        cold = int(answered.fields["done_ns"]) - worker.started_ns
        worker.rows(columns)
        times = {name: int(opened.fields[name]) for name in ("import_ns", "load_ns")}
        return Process.from_first_request(layout, cold, int(answered.fields["request_ns"]), **times)

    def _warm(self, layout: int, batch: int, workers: Mapping[Key, Worker], begun: Mapping[Key, Process]) -> None:
        for candidate in self._alive():
            self._tell(layout, f"process {layout + 1}: warming up {candidate.label}")
            measurement, worker = self.measurements[candidate.key, batch], workers[candidate.key]
            with self._costs_its_row(candidate):
                if measurement.predictions is None:
                    self._answers(measurement, worker)
                warm = worker.ask("warm", batch=batch, limit_ns=WARM_LIMIT_NS).fields
                measurement.shape = measurement.shape or shape_of(int(warm["request_ns"]), self._settings.scenario)
                measurement.runs.append(Run(begun[candidate.key]))
                measurement.runs[-1].warmed(warm)

    def _answers(self, measurement: Measurement, worker: Worker) -> None:
        limit = {"timeout_s": self._settings.timeout_s + ANSWERS_LIMIT_S, "limit_ns": int(ANSWERS_LIMIT_S * 1e9)}
        reply = worker.ask("answers", batch=measurement.batch, **limit)
        measurement.predictions, measurement.labels = reply.arrays["answers"], reply.fields["labels"]

    def _rounds(self, layouts: float, batch: int, workers: Mapping[Key, Worker], saved: Callable[[], None]) -> None:
        settings, throttled = self._settings, throttled_ns()
        until = time.monotonic() + settings.limit_s / settings.processes / len(settings.batches)
        for index in range(settings.rounds_per_process):
            self._tell(layouts, f"batch {batch:,}, round {index + 1}")
            order = self._alive()
            self._random.shuffle(order)
            for position, candidate in enumerate(order):
                with self._costs_its_row(candidate):
                    measurement, worker = self.measurements[candidate.key, batch], workers[candidate.key]
                    measurement.runs[-1].rounds.append(taken_round(measurement, worker, index, position))
            saved()
            if time.monotonic() >= until:
                self.cut_short |= settings.budget_s is None and index + 1 < settings.rounds_per_process
                break
        for candidate in self._alive():
            with self._costs_its_row(candidate):
                held = workers[candidate.key].ask("memory").fields
                self.measurements[candidate.key, batch].runs[-1].ended(held, throttled_ns() - throttled)


class Asked(Protocol):
    """A session that blocks can be asked of: a worker's only one, or one of several."""

    def ask(self, kind: str, **fields: Any) -> Message:
        """Say one thing and wait for its answer."""


def taken_round(measurement: Measurement, session: Asked, index: int, position: int, **how: Any) -> Round:
    """One block of a lane; `how` stands beside its shape, as in `Runner.block`."""
    reply = session.ask("block", **asked(measurement), **how)
    return round_of(measurement, reply.fields, reply.arrays, index, position)


def asked(measurement: Measurement) -> dict[str, Any]:
    """What a block of a lane is asked for with."""
    if measurement.shape is None:
        raise RuntimeError("a block before its warm-up")
    shape = measurement.shape
    return {"batch": measurement.batch, "samples": shape.samples, "calls": shape.calls, "phases": shape.phases}


def block_of(reply: Message, name: str) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
    """One of the blocks in a reply to `rounds`: its counts and its arrays."""
    arrays = {key.rpartition("/")[2]: array for key, array in reply.arrays.items() if key.startswith(f"{name}/")}
    return reply.fields["counts"][name], arrays


def round_of(
    measurement: Measurement, fields: Mapping[str, Any], arrays: Mapping[str, Array], index: int, position: int
) -> Round:
    """The answer to a question for a block."""
    stamps: dict[str, Any] = {f"{name}_ns": tuple(array.tolist()) for name, array in arrays.items()}
    counted: dict[str, Any] = {key: int(fields[key]) for key in ("rows", "wall_ns", "gc_collections")}
    return Round(index, position, measurement.shape.calls if measurement.shape else 1, **counted, **stamps)


def cycled(column: Array, rows: int) -> Array:
    """The first `rows` values of a column, starting over where it is shorter."""
    return column[np.arange(rows) % len(column)]
