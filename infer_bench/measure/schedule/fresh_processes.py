"""Layouts of fresh processes: each session of each layout in a process of its own."""

import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.layouts import Announce, InjectedDelay, Layout, OpenSession, inject_delay, repeat_rows
from infer_bench.measure.settings import Settings
from infer_bench.report.bench import Process
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import SetRows
from infer_bench.workers.timing.requests import TimeFirstRequest


class FreshProcesses:
    """Starts a process a candidate and layout. `delays` are those of the candidates that are to have one."""

    restarts = True

    def __init__(
        self,
        columns: Mapping[Key, Columns],
        settings: Settings,
        delays: Mapping[Key, InjectedDelay] | None = None,
    ) -> None:
        self._columns = columns
        self._settings = settings
        self._delays = delays or {}

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Nothing: each process prepares itself."""
        return {}

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        """Start the processes in random order, and end them."""
        layout, workers = Layout(), list[Worker]()
        order = random.Random(f"{self._settings.seed} {index}").sample(list(candidates), len(candidates))
        try:
            for candidate in order:
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
        columns, batch = self._columns[candidate.key], self._settings.batches[0]
        model = worker.open()
        layout.specs[candidate.key] = model.spec
        worker.ask(SetRows(repeat_rows(columns, batch)))
        first = worker.ask(TimeFirstRequest(batch))
        worker.ask(SetRows(columns))
        cold_start_ns = first.done_ns - worker.started_ns
        process = Process.from_first_request(index, cold_start_ns, first.request_ns, model.import_ns, model.load_ns)
        session = OpenSession(worker, 0, process)
        inject_delay(session, self._delays.get(candidate.key))
        return session

    def running_session(self) -> int | None:
        """None: each answers for itself."""
        return None

    def close(self) -> None:
        """Nothing outlives its layout."""
