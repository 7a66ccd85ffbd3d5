"""Layouts of fresh processes: each session of each layout in a process of its own."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.fixed_batch import choose_batch
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.layouts import (
    Announce,
    InjectedDelay,
    Layout,
    OpenSession,
    SessionOpener,
    repeat_rows,
)
from infer_bench.measure.settings import Settings
from infer_bench.model import TensorInput
from infer_bench.report.bench import Process
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import LoadedModel, SetRows
from infer_bench.workers.timing.requests import TimeFirstRequest


class FreshProcesses(SessionOpener):
    """Starts a process a candidate and layout.

    With `overlap` those of a layout start at the same time, and so their starts are not measured.
    """

    restarts = True
    owns_memory = True

    def __init__(
        self,
        columns: Mapping[Key, Columns],
        settings: Settings,
        delays: Mapping[Key, InjectedDelay] | None = None,
        inputs: tuple[TensorInput, ...] = (),
        *,
        overlap: bool = False,
    ) -> None:
        super().__init__(columns, settings, delays, inputs)
        self._overlap = overlap

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Nothing: each process prepares itself."""
        return {}

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        """Start the processes in random order, and end them."""
        workers = list[Worker]()
        order = self._shuffle(index, candidates)
        try:
            if self._overlap:
                yield self._open_together(index, order, workers, announce)
            else:
                yield self._open_in_turn(index, order, workers, announce)
        finally:
            _kill(workers)

    def _open_in_turn(
        self, index: int, candidates: Sequence[Candidate], workers: list[Worker], announce: Announce
    ) -> Layout:
        layout = Layout()
        for candidate in candidates:
            announce(candidate)
            with layout.noting_failure(candidate.key):
                workers.append(self._start(candidate))
                layout.sessions[candidate.key] = self._open(index, candidate, workers[-1], layout)
        return layout

    def _open_together(
        self, index: int, candidates: Sequence[Candidate], workers: list[Worker], announce: Announce
    ) -> Layout:
        """Start them here, for a process ends with the thread that started it, and wait for each in a thread."""
        layout, by_key = Layout(), dict[Key, Worker]()
        for candidate in candidates:
            announce(candidate)
            with layout.noting_failure(candidate.key):
                by_key[candidate.key] = self._start(candidate)
                workers.append(by_key[candidate.key])

        def open_session(candidate: Candidate) -> None:
            with layout.noting_failure(candidate.key):
                layout.sessions[candidate.key] = self._open(index, candidate, by_key[candidate.key], layout)

        with ThreadPoolExecutor(len(candidates)) as pool:
            openings = [pool.submit(open_session, candidate) for candidate in candidates if candidate.key in by_key]
            try:
                wait(openings)
            except BaseException:
                _kill(workers)  # or the threads would wait for them
                raise
        for opening in openings:
            opening.result()
        keys = [candidate.key for candidate in candidates if candidate.key in layout.sessions]
        return Layout({key: layout.sessions[key] for key in keys}, layout.specs, layout.failures)

    def _start(self, candidate: Candidate) -> Worker:
        return Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s)

    def _load(self, index: int, candidate: Candidate, worker: Worker) -> LoadedModel:
        return worker.open()

    def _open(self, index: int, candidate: Candidate, worker: Worker, layout: Layout) -> OpenSession:
        """Open the session and have it answer its first request, which ends its cold start."""
        columns = self._columns[candidate.key]
        model = self._load(index, candidate, worker)
        batch = choose_batch(model.spec, self._settings.batches)
        layout.specs[candidate.key] = model.spec
        worker.ask(SetRows(repeat_rows(columns, batch), self._inputs))
        first = worker.ask(TimeFirstRequest(batch))
        worker.ask(SetRows(columns, self._inputs))
        process = Process(index, 0, 0, 0, 0, 0)
        if not self._overlap:
            cold_start_ns = first.done_ns - worker.started_ns
            process = Process.from_first_request(index, cold_start_ns, first.request_ns, model.import_ns, model.load_ns)
        session = OpenSession(worker, 0, process)
        self._inject_delay(candidate, session)
        return session

    def running_session(self) -> int | None:
        """None: each answers for itself."""
        return None

    def close(self) -> None:
        """Nothing outlives its layout."""


def _kill(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.kill()
