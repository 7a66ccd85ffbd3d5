"""Layouts of fresh processes: each session of each layout in a process of its own."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

from infer_bench.errors import InferBenchError, WorkerHung
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.early_openings import EarlyOpenings, SpareWorker
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
from infer_bench.measure.schedule.starts import StartPlan, StartTooLate
from infer_bench.measure.settings import Settings
from infer_bench.model import TensorInput
from infer_bench.report.bench import Process
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.protocol import Request
from infer_bench.workers.requests import LoadedModel, LoadModel, SetRows
from infer_bench.workers.timing.requests import TimeFirstRequest
from infer_bench.workers.timing.run_queue import count_waiting_ns

R = TypeVar("R")
V = TypeVar("V")
Place = tuple[int, Key]
"""A layout's number and the candidate in it."""


class FreshProcesses(SessionOpener):
    """Starts a process a candidate and layout.

    With `overlap` those of a layout start at the same time, and so their starts are not measured. With a `plan` it says
    that of each layout, and how many layouts start at once. In the first that do, processes that `openings` have kept
    take part.
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
        plan: StartPlan | None = None,
        openings: EarlyOpenings | None = None,
    ) -> None:
        super().__init__(columns, settings, delays, inputs)
        self._overlap = overlap
        self._plan = plan
        self._openings = openings or EarlyOpenings(settings)
        self._spares: dict[Worker, SpareWorker] = {}
        self._layouts: dict[int, Layout] = {}
        self._workers: dict[int, list[Worker]] = {}
        self._awaited: Candidate | None = None

    def prepare(self, candidates: Sequence[Candidate]) -> dict[Key, InferBenchError]:
        """Nothing: each process prepares itself."""
        return {}

    @contextlib.contextmanager
    def layout(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> Iterator[Layout]:
        """Start the processes in random order, unless they were started with the layout before, and end them."""
        try:
            if index not in self._layouts:
                self._open_layouts(index, candidates, announce)
            yield _restrict(self._layouts.pop(index), self._shuffle(index, candidates))
        finally:
            _kill(self._workers.pop(index, []))

    def _open_layouts(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> None:
        """Open the layout of that number, and those that start with it."""
        count = int(self._overlap) if self._plan is None else self._plan.count_layouts(index)
        indexes = range(index, index + max(1, count))
        for each in indexes:
            self._workers[each], self._layouts[each] = [], Layout()
        orders = {each: self._shuffle(each, candidates) for each in indexes}
        if self._plan is not None:
            orders = {each: self._plan.order(order) for each, order in orders.items()}
        self._awaited = None if index else orders[0][0]
        if count:
            self._open_together(orders, announce)
        else:
            self._end_openings(index)
            self._open_in_turn(index, orders[index], announce)
        if not index:
            self._open_one(orders[index], announce)
        if index and any(isinstance(error, StartTooLate) for error in self._layouts[index].failures.values()):
            self._layouts[index] = Layout()  # of all who take part, or of nobody

    def _end_openings(self, index: int) -> None:
        """End what might be at work beside timed starts, and what no later layout takes."""
        if self._plan is not None and self._plan.lets_wait(index, self._openings.waiting_pids):
            self._openings.close_unasked()
        else:
            self._openings.close()

    def _open_one(self, candidates: Sequence[Candidate], announce: Announce) -> None:
        """Where the one that was waited for has failed, wait for the next that had no time, until one has started."""
        layout = self._layouts[0]
        for candidate in candidates:
            if not layout.sessions and isinstance(layout.failures.get(candidate.key), StartTooLate):
                del layout.failures[candidate.key]
                self._awaited = candidate
                self._open_in_turn(0, [candidate], announce)

    def _open_in_turn(self, index: int, candidates: Sequence[Candidate], announce: Announce) -> None:
        layout = self._layouts[index]
        for candidate in candidates:
            announce(candidate)
            with layout.noting_failure(candidate.key):
                worker = self._start(candidate)
                self._workers[index].append(worker)
                layout.sessions[candidate.key] = self._open(index, candidate, worker, is_timed=True)
                if self._plan is not None:
                    self._plan.note_timed(index, worker.pid)

    def _open_together(self, orders: Mapping[int, Sequence[Candidate]], announce: Announce) -> None:
        """Start them here, for a process ends with the thread that started it, and wait for each in a thread."""
        places, by_place = [(index, c) for index, order in orders.items() for c in order], dict[Place, Worker]()
        for index, candidate in places:
            announce(candidate)
            with self._layouts[index].noting_failure(candidate.key):
                by_place[index, candidate.key] = self._take(candidate) or self._start(candidate)
                self._workers[index].append(by_place[index, candidate.key])
        self._openings.close()

        def open_session(index: int, candidate: Candidate) -> None:
            layout, worker = self._layouts[index], by_place[index, candidate.key]
            with layout.noting_failure(candidate.key):
                layout.sessions[candidate.key] = self._open(index, candidate, worker, is_timed=False)

        with ThreadPoolExecutor(len(places)) as pool:
            openings = [pool.submit(open_session, index, c) for index, c in places if (index, c.key) in by_place]
            try:
                wait(openings)
            except BaseException:
                self._kill_all()  # or the threads would wait for them
                raise
        for opening in openings:
            opening.result()

    def _start(self, candidate: Candidate) -> Worker:
        return Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s)

    def _take(self, candidate: Candidate) -> Worker | None:
        """One that has opened the model already."""
        spare = self._openings.take(candidate)
        if spare is None:
            return None
        self._spares[spare.worker] = spare
        return spare.worker

    def _load(self, index: int, candidate: Candidate, worker: Worker) -> LoadedModel:
        spare = self._spares.get(worker)
        return self._ask(candidate, worker, LoadModel(worker.job)) if spare is None else spare.model

    def _ask(self, candidate: Candidate, worker: Worker, request: Request[R]) -> R:
        """As `Worker.ask`, for no longer than the plan has time; but the very first one. Raises `StartTooLate`."""
        left_s = None if self._plan is None or candidate is self._awaited else self._plan.left_s
        if left_s is None or left_s >= self._settings.timeout_s:
            return worker.ask(request)
        try:
            return worker.ask(request, timeout_s=left_s)
        except WorkerHung:
            raise StartTooLate(self._settings.budget_s or 0.0) from None

    def _open(self, index: int, candidate: Candidate, worker: Worker, *, is_timed: bool) -> OpenSession:
        """Open the session and have it answer its first request, which ends its cold start."""
        columns = self._columns[candidate.key]
        model = self._load(index, candidate, worker)
        batch = choose_batch(model.spec, self._settings.batches)
        self._layouts[index].specs[candidate.key] = model.spec
        self._ask(candidate, worker, SetRows(repeat_rows(columns, batch), self._inputs))
        first = self._ask(candidate, worker, TimeFirstRequest(batch))
        self._ask(candidate, worker, SetRows(columns, self._inputs))
        process = Process(index, 0, 0, 0, 0, 0)
        if is_timed:
            cold_start_ns = first.done_ns - worker.started_ns
            process = replace(
                Process.from_first_request(index, cold_start_ns, first.request_ns, model.import_ns, model.load_ns),
                cold_start_waiting_ns=count_waiting_ns(first.queued_ns, cold_start_ns, first.cpu_ns),
                load_waiting_ns=model.load_waiting_ns,
            )
        spare = self._spares.get(worker)
        session = OpenSession(worker, 0, process, owns_memory=spare is None or not spare.has_drawn)
        self._inject_delay(candidate, session)
        return session

    def running_session(self) -> int | None:
        """None: each answers for itself."""
        return None

    def close(self) -> None:
        """End what was started ahead of its layout."""
        self._openings.close()
        self._kill_all()

    def _kill_all(self) -> None:
        _kill([worker for workers in list(self._workers.values()) for worker in workers])


def _restrict(layout: Layout, candidates: Sequence[Candidate]) -> Layout:
    """The layout of these candidates alone, in their order."""
    keys = [candidate.key for candidate in candidates]
    return Layout(_pick(layout.sessions, keys), _pick(layout.specs, keys), _pick(layout.failures, keys))


def _pick(part: Mapping[Key, V], keys: Sequence[Key]) -> dict[Key, V]:
    return {key: part[key] for key in keys if key in part}


def _kill(workers: Sequence[Worker]) -> None:
    """End them all at the same time: it takes the system a while to clear away a process with much memory."""
    for worker in workers:
        worker.send_kill()
    for worker in workers:
        worker.kill()
