"""The race: candidates in processes of their own, released one block at a time, in random order, never two at once."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from infer_bench.errors import InferBenchError, WorkerError
from infer_bench.machine.environment import thread_environment, throttled_ns
from infer_bench.measure.candidates.candidates import Entrant, Key
from infer_bench.measure.progress import Progress
from infer_bench.measure.schedule.measurements import Array, Lane, Run, shape_of
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.report.common import Process, Round
from infer_bench.workers.job import Job
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import Message, spec_from

Columns = Mapping[str, Array]
WARM_LIMIT_NS = 1_000_000_000
ANSWERS_LIMIT_S = 2.0
"""Slow candidates answer only the first rows for the comparison; the result says how many."""


def job_for(entrant: Entrant, settings: Settings) -> Job:
    """The worker that `entrant` needs."""
    threads = int(entrant.options.get("threads", settings.threads))
    return Job(
        engine=entrant.target,
        model=entrant.artefact,
        options=entrant.options,
        allow_pickle=settings.allow_pickle,
        lean=tuple(entrant.engine.lean(entrant.artefact, entrant.options)),
        environment=thread_environment(threads),
        affinity=settings.affinity,
        interpreter=entrant.interpreter,
        **({"folder": entrant.folder} if entrant.folder else {}),
    )


class Race:
    """Runs the layouts one after the other.

    `lanes`, `specs` and `failed` always hold what is known so far; `saved` is called after every round.
    """

    def __init__(
        self,
        entrants: Sequence[Entrant],
        columns: Mapping[Key, Columns],
        settings: Settings,
        progress: Progress,
    ) -> None:
        self.lanes = {(e.key, batch): Lane(e, batch) for batch in settings.batches for e in entrants}
        self.specs: dict[Key, ModelSpec] = {}
        self.failed: dict[Key, InferBenchError] = {}
        self.cut_short = False
        self._entrants = list(entrants)
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
        return frozenset(e.label for e in self._entrants if e.engine.lean(e.artefact, e.options))

    @property
    def left_out(self) -> list[Entrant]:
        """Default candidates that turned out not to fit the model: nobody asked for them, and no worker broke.

        When none fits, all have failed.
        """
        unfit = [e for e in self._entrants if not e.asked and self._unfit(e)]
        return [] if len(unfit) == len(self._entrants) else unfit

    def _unfit(self, entrant: Entrant) -> bool:
        error = self.failed.get(entrant.key)
        raced = any(lane.runs for lane in self.lanes.values() if lane.entrant.key == entrant.key)
        return error is not None and not isinstance(error, WorkerError) and not raced

    def _alive(self) -> list[Entrant]:
        return [entrant for entrant in self._entrants if entrant.key not in self.failed]

    @contextlib.contextmanager
    def _costs_its_row(self, entrant: Entrant) -> Iterator[None]:
        try:
            yield
        except InferBenchError as error:
            self.failed[entrant.key] = error

    def _tell(self, layouts: float, message: str) -> None:
        self._progress.update(layouts / self._settings.processes, message)

    def _start(self, layout: int, workers: dict[Key, Worker]) -> dict[Key, Process]:
        begun: dict[Key, Process] = {}
        for entrant in self._alive():
            self._tell(layout, f"process {layout + 1}: starting {entrant.label}")
            with self._costs_its_row(entrant):
                job = job_for(entrant, self._settings)
                worker = workers[entrant.key] = Worker(job, timeout_s=self._settings.timeout_s)
                begun[entrant.key] = self._cold_start(layout, entrant, worker)
        return begun

    def _cold_start(self, layout: int, entrant: Entrant, worker: Worker) -> Process:
        columns, first = self._columns[entrant.key], self._settings.batches[0]
        opened = worker.open()
        self.specs[entrant.key] = spec_from(opened.fields["spec"])
        worker.rows({name: cycled(column, first) for name, column in columns.items()})
        answered = worker.ask("first", batch=first)
        cold = int(answered.fields["done_ns"]) - worker.started_ns
        worker.rows(columns)
        times = {name: int(opened.fields[name]) for name in ("import_ns", "load_ns")}
        return Process.started(layout, cold, int(answered.fields["request_ns"]), **times)

    def _warm(self, layout: int, batch: int, workers: Mapping[Key, Worker], begun: Mapping[Key, Process]) -> None:
        for entrant in self._alive():
            self._tell(layout, f"process {layout + 1}: warming up {entrant.label}")
            lane, worker = self.lanes[entrant.key, batch], workers[entrant.key]
            with self._costs_its_row(entrant):
                if lane.answers is None:
                    self._answers(lane, worker)
                warm = worker.ask("warm", batch=batch, limit_ns=WARM_LIMIT_NS).fields
                lane.shape = lane.shape or shape_of(int(warm["request_ns"]), self._settings.scenario)
                lane.runs.append(Run(begun[entrant.key]))
                lane.runs[-1].warmed(warm)

    def _answers(self, lane: Lane, worker: Worker) -> None:
        limit = {"timeout_s": self._settings.timeout_s + ANSWERS_LIMIT_S, "limit_ns": int(ANSWERS_LIMIT_S * 1e9)}
        reply = worker.ask("answers", batch=lane.batch, **limit)
        lane.answers, lane.labels = reply.arrays["answers"], reply.fields["labels"]

    def _rounds(self, layouts: float, batch: int, workers: Mapping[Key, Worker], saved: Callable[[], None]) -> None:
        settings, throttled = self._settings, throttled_ns()
        until = time.monotonic() + settings.limit_s / settings.processes / len(settings.batches)
        for index in range(settings.rounds_per_process):
            self._tell(layouts, f"batch {batch:,}, round {index + 1}")
            order = self._alive()
            self._random.shuffle(order)
            for position, entrant in enumerate(order):
                with self._costs_its_row(entrant):
                    lane, worker = self.lanes[entrant.key, batch], workers[entrant.key]
                    lane.runs[-1].rounds.append(taken_round(lane, worker, index, position))
            saved()
            if time.monotonic() >= until:
                self.cut_short |= settings.budget_s is None and index + 1 < settings.rounds_per_process
                break
        for entrant in self._alive():
            with self._costs_its_row(entrant):
                held = workers[entrant.key].ask("memory").fields
                self.lanes[entrant.key, batch].runs[-1].ended(held, throttled_ns() - throttled)


class Asked(Protocol):
    """A session that blocks can be asked of: a worker's only one, or one of several."""

    def ask(self, kind: str, **fields: Any) -> Message:
        """Say one thing and wait for its answer."""


def taken_round(lane: Lane, session: Asked, index: int, position: int, **how: Any) -> Round:
    """One block of a lane; `how` stands beside its shape, as in `Runner.block`."""
    reply = session.ask("block", **asked(lane), **how)
    return round_of(lane, reply.fields, reply.arrays, index, position)


def asked(lane: Lane) -> dict[str, Any]:
    """What a block of a lane is asked for with."""
    if lane.shape is None:
        raise RuntimeError("a block before its warm-up")
    shape = lane.shape
    return {"batch": lane.batch, "samples": shape.samples, "calls": shape.calls, "phases": shape.phases}


def block_of(reply: Message, name: str) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
    """One of the blocks in a reply to `rounds`: its counts and its arrays."""
    arrays = {key.rpartition("/")[2]: array for key, array in reply.arrays.items() if key.startswith(f"{name}/")}
    return reply.fields["counts"][name], arrays


def round_of(lane: Lane, fields: Mapping[str, Any], arrays: Mapping[str, Array], index: int, position: int) -> Round:
    """The answer to a question for a block."""
    stamps: dict[str, Any] = {f"{name}_ns": tuple(array.tolist()) for name, array in arrays.items()}
    counted: dict[str, Any] = {key: int(fields[key]) for key in ("rows", "wall_ns", "gc_collections")}
    return Round(index, position, lane.shape.calls if lane.shape else 1, **counted, **stamps)


def cycled(column: Array, rows: int) -> Array:
    """The first `rows` values of a column, starting over where it is shorter."""
    return column[np.arange(rows) % len(column)]
