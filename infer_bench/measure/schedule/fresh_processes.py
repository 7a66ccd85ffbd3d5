"""Layouts of fresh processes: each session of each layout in a process of its own."""

import contextlib
from collections.abc import Iterator, Sequence

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.fixed_batch import choose_batch
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.layouts import Announce, Layout, OpenSession, SessionOpener, repeat_rows
from infer_bench.report.bench import Process
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import SetRows
from infer_bench.workers.timing.requests import TimeFirstRequest


class FreshProcesses(SessionOpener):
    """Starts a process a candidate and layout."""

    restarts = True

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Nothing: each process prepares itself."""
        return {}

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        """Start the processes in random order, and end them."""
        layout, workers = Layout(), list[Worker]()
        try:
            for candidate in self._shuffle(index, candidates):
                announce(candidate)
                try:
                    workers.append(Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s))
                    layout.sessions[candidate.key] = self._open(index, candidate, workers[-1], layout)
                except InferBenchError as error:
                    layout.failures[candidate.key] = error
            yield layout
        finally:
            for worker in workers:
                worker.kill()

    def _open(self, index: int, candidate: Candidate, worker: Worker, layout: Layout) -> OpenSession:
        """Open the session and have it answer its first request, which ends its cold start."""
        columns = self._columns[candidate.key]
        model = worker.open()
        batch = choose_batch(model.spec, self._settings.batches)
        layout.specs[candidate.key] = model.spec
        worker.ask(SetRows(repeat_rows(columns, batch)))
        first = worker.ask(TimeFirstRequest(batch))
        worker.ask(SetRows(columns))
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
