"""Where the sessions of a layout live: each in a fresh process, or reloaded among others in one worker."""

import contextlib
import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.fixed_rounds import cycled
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.report.bench import Process
from infer_bench.typing import Columns
from infer_bench.workers.job import Job
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import Message, spec_from
from infer_bench.workers.timing.hosted_session import MARK_BYTES

MOST_HELD_BYTES = 1_000_000_000
"""Sessions stay where they are, so that the next ones lie elsewhere; beyond this the oldest are closed."""


@dataclass(frozen=True, slots=True)
class InjectedDelay:
    """Work added to a candidate, to see whether it is found: turns of an empty loop in every `every`-th request."""

    turns: int = 0
    every: int = 1


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is ready: the worker and its number there, what it computes, and how it started."""

    worker: Worker
    seat: int
    spec: ModelSpec
    process: Process

    def ask(self, kind: str, *, timeout_s: float | None = None, **fields: Any) -> Message:
        """As `Worker.ask`, of this session."""
        return self.worker.ask(kind, timeout_s=timeout_s, seat=self.seat, **fields)


@dataclass(frozen=True, slots=True)
class Layout:
    """The sessions of one layout, and those that could not be opened with why."""

    taken: dict[Key, OpenSession]
    failed: dict[Key, InferBenchError]


class LayoutSource(Protocol):
    """Opens the sessions of one layout after the other."""

    restarts: bool
    """Whether each layout starts processes; neither that nor loading is counted as measuring."""

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Do once what is no part of measuring; returns those that cannot be opened, and why."""

    def layout(self, index: int, candidates: Sequence[Candidate]) -> contextlib.AbstractContextManager[Layout]:
        """The sessions of a layout, for as long as it lasts."""

    def at_work(self) -> int | None:
        """The seat whose block it was when rounds of several were broken off; None where that is not known."""

    def close(self) -> None:
        """End what is left."""


class _Opening:
    """What both ways have in common."""

    def __init__(self, columns: Mapping[Key, Columns], settings: Settings, plants: Mapping[Key, InjectedDelay]) -> None:
        self._columns = columns
        self._settings = settings
        self._plants = plants

    def _plant(self, candidate: Candidate, taken: OpenSession) -> None:
        plant = self._plants.get(candidate.key)
        if plant is not None:
            taken.ask("plant", turns=plant.turns, every=plant.every)


class FreshProcesses(_Opening):
    """Each session of each layout in a process of its own."""

    restarts = True

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Nothing: each process prepares itself."""
        return {}

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate]) -> Iterator[Layout]:
        """Start the processes in random order, and end them."""
        layout, workers = Layout({}, {}), []
        order = random.Random(f"{self._settings.seed} {index}").sample(list(candidates), len(candidates))
        try:
            for candidate in order:
                try:
                    workers.append(Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s))
                    layout.taken[candidate.key] = self._opened(index, candidate, workers[-1])
                except InferBenchError as error:
                    layout.failed[candidate.key] = error
            yield layout
        finally:
            for worker in workers:
                worker.kill()

    def _opened(self, index: int, candidate: Candidate, worker: Worker) -> OpenSession:
        columns, batch = self._columns[candidate.key], self._settings.batches[0]
        opened = worker.open().fields
        worker.rows({name: cycled(column, batch) for name, column in columns.items()})
        first = worker.ask("first", batch=batch).fields
        worker.rows(columns)
        times = {name: int(opened[name]) for name in ("import_ns", "load_ns")}
        process = Process.from_first_request(
            index, int(first["done_ns"]) - worker.started_ns, int(first["request_ns"]), **times
        )
        taken = OpenSession(worker, 0, spec_from(opened["spec"]), process)
        self._plant(candidate, taken)
        return taken

    def at_work(self) -> int | None:
        """None: each answers for itself."""
        return None

    def close(self) -> None:
        """Nothing outlives its layout."""


class Reloaded(_Opening):
    """All sessions in one worker, each loaded after allocations of random sizes, so that it lies elsewhere.

    Only for entrants that one worker can hold: the same engine, options, modules and interpreter.
    """

    restarts = False

    def __init__(self, columns: Mapping[Key, Columns], settings: Settings, plants: Mapping[Key, InjectedDelay]) -> None:
        super().__init__(columns, settings, plants)
        self._worker: Worker | None = None
        self._mark: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this does
        self._next = 0
        self._tables: dict[Key, int] = {}
        self._held: list[int] = []

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Start the worker, import the library, and make the requests, which the sessions then share."""
        failed = {}
        for candidate in candidates:
            try:
                self._opened(0, candidate).ask("first", batch=self._settings.batches[0])
            except InferBenchError as error:
                failed[candidate.key] = error
        return failed

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate]) -> Iterator[Layout]:
        """Load each session anew, in random order. Those of earlier layouts stay in memory while there is room.

        Those whose worker ended when another was loaded are loaded once more, in a new worker.
        """
        layout = Layout({}, {})
        order = random.Random(f"{self._settings.seed} {index}").sample(list(candidates), len(candidates))
        left = order
        while left:
            for candidate in left:
                try:
                    layout.taken[candidate.key] = self._opened(index, candidate)
                except InferBenchError as error:
                    layout.failed[candidate.key] = error
                    layout.taken.pop(candidate.key, None)
            left = [candidate for candidate in order if self._lost(layout, candidate.key)]
        yield layout
        self._make_room()

    @staticmethod
    def _lost(layout: Layout, key: Key) -> bool:
        return key in layout.taken and layout.taken[key].worker.ended

    def _opened(self, index: int, candidate: Candidate) -> OpenSession:
        job, seat = build_job(candidate, self._settings), self._next
        if self._worker is None or self._worker.ended:
            self._worker = self._started(job)
        self._next += 1
        seed = hash((self._settings.seed, index, seat)) & 0x7FFFFFFF
        opened = self._worker.open(job, seat=seat, ballast_seed=seed, mark=self._mark.fileno()).fields
        self._held.append(seat)
        self._rows(candidate, self._worker, seat)
        taken = OpenSession(
            self._worker, seat, spec_from(opened["spec"]), Process(index, 0, 0, 0, int(opened["load_ns"]), 0)
        )
        self._plant(candidate, taken)
        return taken

    def _started(self, job: Job) -> Worker:
        """A worker, which knows nothing of what one before it held."""
        self._tables.clear()
        self._held.clear()
        os.truncate(self._mark.fileno(), 0)
        os.truncate(self._mark.fileno(), MARK_BYTES)
        return Worker(job, timeout_s=self._settings.timeout_s, shares=[self._mark.fileno()])

    def at_work(self) -> int | None:
        """As its worker noted before each block."""
        number = int.from_bytes(os.pread(self._mark.fileno(), MARK_BYTES, 0), "little")
        return number - 1 if number else None

    def _rows(self, candidate: Candidate, worker: Worker, seat: int) -> None:
        """The first session of an entrant is handed its rows, the later ones share them; so do equal rows."""
        columns = self._columns[candidate.key]
        same = next((n for key, n in self._tables.items() if self._columns[key] is columns), None)
        if same is None:
            worker.rows(columns, seat=seat)
            self._tables[candidate.key] = seat
        else:
            worker.ask("share", seat=seat, of=same)

    def _make_room(self) -> None:
        if self._worker is None:
            return
        with contextlib.suppress(InferBenchError):
            while len(self._held) > 2 and self._resident(self._worker) > MOST_HELD_BYTES:
                oldest = next((seat for seat in self._held if seat not in self._tables.values()), None)
                if oldest is None:
                    return
                self._held.remove(oldest)
                self._worker.ask("leave", seat=oldest)

    @staticmethod
    def _resident(worker: Worker) -> int:
        return int(worker.ask("memory").fields["rss_bytes"])

    def close(self) -> None:
        """End the worker."""
        self._mark.close()
        if self._worker is not None:
            self._worker.kill()


def fits_one_worker(candidates: Sequence[Candidate]) -> bool:
    """Whether one worker can hold them all, side by side: the same engine, options, modules and interpreter."""
    kinds = {
        (e.engine.name, tuple(sorted(e.options.items())), tuple(e.engine.lean(e.artefact, e.options)), e.interpreter)
        for e in candidates
    }
    return len(kinds) == 1 and all(e.spec.target is None and e.model.family != "callable" for e in candidates)
