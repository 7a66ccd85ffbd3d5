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
    """Workers that open a model each; those that nobody has asked for end with the context. None of them is measured.

    Nothing that is timed may run before that.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._openings: list[tuple[Worker, Callable[[], LoadedModel]]] = []

    def start(self, candidate: Candidate) -> None:
        """Have a worker open the candidate's artefact; what goes wrong is raised by `open`."""
        with contextlib.suppress(WorkerError):
            worker = self._start(candidate)
            self._openings.append((worker, worker.post(LoadModel(worker.job))))

    @contextlib.contextmanager
    def open(self, candidate: Candidate) -> Iterator[tuple[Worker, ModelSpec]]:
        """The worker that has opened the candidate, or one that does now; it ends with the context."""
        job = build_job(candidate, self._settings)
        opening = next((opening for opening in self._openings if opening[0].job == job), None)
        if opening is None:
            with self._start(candidate) as worker:
                yield worker, worker.open().spec
            return
        self._openings.remove(opening)
        with opening[0] as worker:
            yield worker, opening[1]().spec

    def _start(self, candidate: Candidate) -> Worker:
        return Worker(build_job(candidate, self._settings), timeout_s=self._settings.timeout_s)

    def __exit__(self, *_: object) -> None:
        while self._openings:
            self._openings.pop()[0].kill()
