"""The worker that shrinks and runs networks: a file at a time, and a new one where a file has broken it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from infer_bench.measure.candidates.jobs import build_task_job
from infer_bench.measure.quantize.arrays import Requests
from infer_bench.measure.quantize.reference import Outputs
from infer_bench.model import ModelRef
from infer_bench.workers.process import Worker
from infer_bench.workers.protocol import Request
from infer_bench.workers.tasks.quantize import NetworkDescription, PrepareNetwork, RunNetwork, WriteForm, WrittenForm

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class RowsFile:
    """Requests in a scratch file."""

    path: str
    count: int
    stack: int
    free: bool


class NetworkTools:
    """Asks one worker after the other; `folder` holds the scratch files."""

    def __init__(self, source: ModelRef, folder: Path, timeout_s: float) -> None:
        self.source = source
        self.folder = folder
        self.prepared = str(folder / "prepared.onnx")
        self._timeout_s = timeout_s
        self._worker: Worker | None = None

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.kill()

    def ask(self, request: Request[R]) -> R:
        """The response. Raises what the worker raised; the next request has another worker where this one is gone."""
        if self._worker is None or self._worker.has_ended:
            self._worker = Worker(build_task_job(self.source), timeout_s=self._timeout_s)
        return self._worker.ask(request)

    def prepare(self) -> NetworkDescription:
        """Read the model, or raise why it cannot be shrunk."""
        return self.ask(PrepareNetwork(self.source.path, self.prepared))

    def save(self, requests: Requests, name: str) -> RowsFile:
        """Put requests where workers read them."""
        return RowsFile(requests.save(self.folder / f"{name}.npz"), requests.count, requests.stack, requests.free)

    def write(self, form: str, rows: RowsFile, excluded: tuple[str, ...], target: str) -> WrittenForm:
        """Write a form to `target`, calibrated on all of `rows`."""
        return self.ask(WriteForm(self.prepared, target, form, rows.path, rows.count, rows.stack, excluded))

    def run(
        self, path: str, rows: RowsFile, *, precise: bool = False, singly: bool = False, most: int | None = None
    ) -> Outputs:
        """The outputs of a file on `rows`, on the first `most` of them; `singly`: one request at a time."""
        stop = rows.count if most is None else min(most, rows.count)
        return self.ask(RunNetwork(path, rows.path, 0, stop, 1 if singly else rows.stack, precise)).arrays
