"""What candidates answer, for the comparison; no part of the measuring."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from infer_bench.machine.environment import count_usable_cpus
from infer_bench.measure.candidates.candidates import Key
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.layouts import ActiveLayout, OpenSession
from infer_bench.measure.schedule.measurements import Measurement, Measurements, NetworkOutputs
from infer_bench.measure.settings import Settings
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.tasks.batch_invariance import CompareBatch
from infer_bench.workers.timing.requests import MakeRequests, PredictRows, RowPredictions

R = TypeVar("R")

PREDICTIONS_LIMIT_S = 2.0
"""Slow candidates answer only the first rows for the comparison; the result says how many."""


class RowPredictor:
    """Asks candidates once for what they answer; as many at a time as there are CPUs where all have processes."""

    def __init__(self, measurements: Measurements, budget: Budget, settings: Settings, *, together: bool) -> None:
        self._measurements, self._budget, self._settings = measurements, budget, settings
        self._most = count_usable_cpus(settings.affinity) if together else 1

    def predict(self, layout: ActiveLayout, batch: int) -> None:
        """Ask those of a layout whose answers at a batch size are not known."""
        sessions = layout.sessions
        due = [key for key in sessions if self._measurements[key, batch].predictions is None]
        due.sort(key=lambda key: sessions[key].process.first_request_ns, reverse=True)  # or the slowest is left alone
        request = PredictRows(batch, limit_ns=self._budget.cap_ns(int(PREDICTIONS_LIMIT_S * 1e9)))
        timeout_s = self._settings.timeout_s + PREDICTIONS_LIMIT_S
        for key, response in ask_together({key: sessions[key] for key in due}, request, self._most, timeout_s):
            with layout.charge(key):
                measurement = self._measurements[key, batch]
                _note(measurement, response())
                self._compare_batch(measurement, sessions[key])

    def make_requests(self, layout: ActiveLayout, batch: int) -> None:
        """Have the requests made that warming up would make in one process after the other."""
        if self._most > 1:
            for key, response in ask_together(layout.sessions, MakeRequests(batch), self._most):
                with layout.charge(key):
                    response()

    def _compare_batch(self, measurement: Measurement, session: OpenSession) -> None:
        """Whether a network answers requests in a batch as it does alone."""
        if measurement.batch > 1 and self._measurements.specs[measurement.candidate.key].inputs:
            request = CompareBatch(measurement.batch, limit_ns=int(PREDICTIONS_LIMIT_S * 1e9))
            measurement.invariance = session.ask(request)


def _note(measurement: Measurement, rows: RowPredictions) -> None:
    measurement.predictions, measurement.labels = rows.predictions, rows.labels
    measurement.outputs = None if rows.outputs is None else NetworkOutputs(rows.outputs)


def ask_together(
    sessions: Mapping[Key, OpenSession], request: SessionRequest[R], most: int, timeout_s: float | None = None
) -> Iterator[tuple[Key, Callable[[], R]]]:
    """Ask all of them, so many at a time, the next one when one has answered; each key with what gives its response.

    Where the caller breaks off, the threads that wait end with the processes.
    """
    if most == 1 or len(sessions) == 1:
        for key, session in sessions.items():
            yield key, session.post(request, timeout_s=timeout_s)
        return
    pool = ThreadPoolExecutor(most)
    try:
        responses = {key: pool.submit(session.ask, request, timeout_s=timeout_s) for key, session in sessions.items()}
        for key, response in responses.items():
            yield key, response.result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
