"""Models that workers open while the coordinator is at something else, until they are asked what they eat."""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from infer_bench.errors import WorkerError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import LoadedModel, LoadModel


class SpareWorker(NamedTuple):
    """A worker with the model that it has opened; with `has_drawn` it drew rows too, and so holds more than a model."""

    worker: Worker
    model: LoadedModel
    has_drawn: bool


class EarlyOpenings(contextlib.AbstractContextManager["EarlyOpenings"]):
    """Workers that open a model each; all that nobody has taken end with the context, or before it by `close`.

    Nothing that is timed may run while one is at work. How long they took to start is not known. Kept are those that
    were started ahead and drew no rows, and with `keeps` all: a budget may leave no time to open a model again.
    """

    def __init__(self, settings: Settings, *, keeps: bool = False) -> None:
        self._settings, self._keeps = settings, keeps
        self._openings: list[tuple[Worker, Callable[[], LoadedModel]]] = []
        self._spares: list[SpareWorker] = []

    def start(self, candidate: Candidate) -> None:
        """Have a worker open the candidate's artefact; what goes wrong is raised by `open`."""
        with contextlib.suppress(WorkerError):
            worker = self._start(candidate)
            self._openings.append((worker, worker.post(LoadModel(worker.job))))

    @contextlib.contextmanager
    def open(self, candidate: Candidate, *, draws: bool = False) -> Iterator[tuple[Worker, ModelSpec]]:
        """The worker that has opened the candidate, or one that does now; it ends with the context, or is kept.

        `draws`: rows are drawn in there.
        """
        spare, job = self.take(candidate), build_job(candidate, self._settings)
        opening = next((opening for opening in self._openings if opening[0].job == job), None)
        keeps = self._keeps or (opening is not None and not draws)
        if spare is not None:
            opening = spare.worker, lambda: spare.model
        elif opening is None:
            worker = self._start(candidate)
            opening = worker, worker.open
        else:
            self._openings.remove(opening)
        with contextlib.ExitStack() as resources:
            worker = resources.enter_context(opening[0])
            model = opening[1]()
            yield worker, model.spec
            if keeps:
                resources.pop_all()
                self._spares.append(SpareWorker(worker, model, draws or (spare is not None and spare.has_drawn)))

    def take(self, candidate: Candidate) -> SpareWorker | None:
        """A worker that was kept, for the caller to end; None without one."""
        job = build_job(candidate, self._settings)
        place = next((place for place, spare in enumerate(self._spares) if spare.worker.job == job), None)
        return None if place is None else self._spares.pop(place)

    def _start(self, candidate: Candidate) -> Worker:
        return Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s)

    @property
    def waiting_pids(self) -> list[int]:
        """The processes that are kept."""
        return [spare.worker.pid for spare in self._spares]

    def close_unasked(self) -> None:
        """End those that nobody has asked for, which may be at work; those that are kept wait."""
        for worker, _ in self._openings:
            worker.kill()
        self._openings = []

    def close(self) -> None:
        """End those that nobody has taken."""
        self.close_unasked()
        for spare in self._spares:
            spare.worker.kill()
        self._spares = []

    def __exit__(self, *_: object) -> None:
        self.close()
