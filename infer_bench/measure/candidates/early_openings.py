"""Models that workers open while the coordinator is at something else, until they are asked what they eat."""

import contextlib
from collections.abc import Callable, Iterator

from infer_bench.errors import WorkerError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import LoadedModel, LoadModel


class EarlyOpenings(contextlib.AbstractContextManager["EarlyOpenings"]):
    """Workers that open a model each; all that nobody has taken end with the context, or before it by `close`.

    Nothing that is timed may run while one is at work. How long they took to start is not known.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._openings: list[tuple[Worker, Callable[[], LoadedModel]]] = []
        self._waiting: list[tuple[Worker, LoadedModel]] = []

    def start(self, candidate: Candidate) -> None:
        """Have a worker open the candidate's artefact; what goes wrong is raised by `open`."""
        with contextlib.suppress(WorkerError):
            worker = self._start(candidate)
            self._openings.append((worker, worker.post(LoadModel(worker.job))))

    @contextlib.contextmanager
    def open(self, candidate: Candidate, *, keep: bool = False) -> Iterator[tuple[Worker, ModelSpec]]:
        """The worker that has opened the candidate, or one that does now; it ends with the context, or may be taken.

        Those that may, with `keep`, are the ones that were started ahead, and with a budget all.
        """
        job = build_job(candidate, self._settings)
        opening = next((opening for opening in self._openings if opening[0].job == job), None)
        keep = keep and (opening is not None or self._settings.budget_s is not None)
        if opening is None:
            worker = self._start(candidate)
            opening = worker, worker.open
        else:
            self._openings.remove(opening)
        with contextlib.ExitStack() as resources:
            worker = resources.enter_context(opening[0])
            model = opening[1]()
            yield worker, model.spec
            if keep:
                resources.pop_all()
                self._waiting.append((worker, model))

    def take(self, candidate: Candidate) -> tuple[Worker, LoadedModel] | None:
        """A worker that was kept, for the caller to end, and what it has opened; None without one."""
        job = build_job(candidate, self._settings)
        place = next((place for place, (worker, _) in enumerate(self._waiting) if worker.job == job), None)
        return None if place is None else self._waiting.pop(place)

    def _start(self, candidate: Candidate) -> Worker:
        return Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s)

    @property
    def waiting_pids(self) -> list[int]:
        """The processes that are kept."""
        return [worker.pid for worker, _ in self._waiting]

    def close_unasked(self) -> None:
        """End those that nobody has asked for, which may be at work; those that are kept wait."""
        for worker, _ in self._openings:
            worker.kill()
        self._openings = []

    def close(self) -> None:
        """End those that nobody has taken."""
        self.close_unasked()
        for worker, _ in self._waiting:
            worker.kill()
        self._waiting = []

    def __exit__(self, *_: object) -> None:
        self.close()
