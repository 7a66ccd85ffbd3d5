"""Layouts of reloaded sessions: all in one worker, each loaded anew, so that it lies elsewhere in memory."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.fixed_batch import choose_batch
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.schedule.layouts import Announce, InjectedDelay, Layout, OpenSession, SessionOpener
from infer_bench.measure.settings import Settings
from infer_bench.report.bench import Process
from infer_bench.typing import Columns
from infer_bench.workers.job import Job
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import CloseSession, LoadModel, MeasureMemory, SetRows, ShareRows
from infer_bench.workers.timing.requests import TimeFirstRequest
from infer_bench.workers.work_note import clear_note, read_note

MOST_RESIDENT_BYTES = 1_000_000_000
"""Sessions stay where they are, so that the next ones lie elsewhere; beyond this the oldest are closed."""


class ReloadedSessions(SessionOpener):
    """Loads each session after allocations of random sizes.

    Only for candidates that one worker can hold: the same engine, options, modules and interpreter.
    """

    restarts = False
    owns_memory = False

    def __init__(
        self,
        columns: Mapping[Key, Columns],
        settings: Settings,
        delays: Mapping[Key, InjectedDelay] | None = None,
    ) -> None:
        super().__init__(columns, settings, delays)
        self._worker: Worker | None = None
        self._note: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this does
        self._next = 0
        self._rows_at: dict[Key, int] = {}
        self._open_numbers: list[int] = []

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Start the worker, import the library, and make the requests, which the sessions then share."""
        failures = {}
        for candidate in candidates:
            try:
                layout = Layout()
                session = self._open(0, candidate, layout)
                session.ask(TimeFirstRequest(choose_batch(layout.specs[candidate.key], self._settings.batches)))
            except InferBenchError as error:
                failures[candidate.key] = error
        return failures

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        """Load each session anew, in random order. Those of earlier layouts stay in memory while there is room.

        Those whose worker ended when another was loaded are loaded once more, in a new worker.
        """
        layout = Layout()
        order = self._shuffle(index, candidates)
        missing = order
        while missing:
            for candidate in missing:
                announce(candidate)
                try:
                    layout.sessions[candidate.key] = self._open(index, candidate, layout)
                except InferBenchError as error:
                    layout.failures[candidate.key] = error
                    layout.sessions.pop(candidate.key, None)
            missing = [candidate for candidate in order if self._has_ended(layout, candidate.key)]
        yield layout
        self._make_room()

    @staticmethod
    def _has_ended(layout: Layout, key: Key) -> bool:
        return key in layout.sessions and layout.sessions[key].worker.has_ended

    def _open(self, index: int, candidate: Candidate, layout: Layout) -> OpenSession:
        job, number = build_job(candidate, self._settings), self._next
        if self._worker is None or self._worker.has_ended:
            self._worker = self._start(job)
        self._next += 1
        seed = hash((self._settings.seed, index, number)) & 0x7FFFFFFF
        model = self._worker.ask(LoadModel(job, seed, self._note.fileno(), session=number))
        layout.specs[candidate.key] = model.spec
        self._open_numbers.append(number)
        self._hand_over_rows(candidate, self._worker, number)
        process = Process(index, 0, 0, 0, model.load_ns, 0, load_waiting_ns=model.load_waiting_ns)
        session = OpenSession(self._worker, number, process)
        self._inject_delay(candidate, session)
        return session

    def _start(self, job: Job) -> Worker:
        """A worker, which knows nothing of what one before it held."""
        self._rows_at.clear()
        self._open_numbers.clear()
        clear_note(self._note.fileno())
        return Worker(job, timeout_s=self._settings.timeout_s, shares=[self._note.fileno()])

    def running_session(self) -> int | None:
        """As its worker noted before each block."""
        return read_note(self._note.fileno())

    def _hand_over_rows(self, candidate: Candidate, worker: Worker, number: int) -> None:
        """The first session of a candidate is handed its rows, the later ones share them; so do equal rows."""
        columns = self._columns[candidate.key]
        same = next((n for key, n in self._rows_at.items() if self._columns[key] is columns), None)
        if same is None:
            worker.ask(SetRows(columns, self._inputs, session=number))
            self._rows_at[candidate.key] = number
        else:
            worker.ask(ShareRows(same, session=number))

    def _make_room(self) -> None:
        if self._worker is None:
            return
        with contextlib.suppress(InferBenchError):
            while len(self._open_numbers) > 2 and _resident_bytes(self._worker) > MOST_RESIDENT_BYTES:
                oldest = next((n for n in self._open_numbers if n not in self._rows_at.values()), None)
                if oldest is None:
                    return
                self._open_numbers.remove(oldest)
                self._worker.ask(CloseSession(session=oldest))

    def close(self) -> None:
        """End the worker."""
        self._note.close()
        if self._worker is not None:
            self._worker.kill()


def _resident_bytes(worker: Worker) -> int:
    return worker.ask(MeasureMemory()).rss_bytes
