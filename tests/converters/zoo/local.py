"""A worker without a process: the same requests, answered here, so that hundreds of conversions take minutes."""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from infer_bench.workers.dispatch import respond
from infer_bench.workers.host import Host
from infer_bench.workers.job import Job
from infer_bench.workers.protocol import R, Request, request_frame, response_of
from infer_bench.workers.requests import LoadedModel, LoadModel
from infer_bench.workers.wire import Frame


class LocalWorker:
    """Stands in for `infer_bench.workers.process.Worker`."""

    def __init__(self, job: Job, **ignored: Any) -> None:
        self.job = job
        self._host = Host()

    def ask(self, request: Request[R], *, timeout_s: float | None = None) -> R:
        """Answered at once."""
        blocked = {name for name, module in list(sys.modules.items()) if module is None}
        frame = _cross(respond(self._host, _cross(request_frame(0, request))))
        for name in [name for name, module in list(sys.modules.items()) if module is None and name not in blocked]:
            del sys.modules[name]
        return response_of(request, frame)

    def open(self) -> LoadedModel:
        """As a worker's."""
        return self.ask(LoadModel(self.job))

    def post(self, request: Request[R]) -> Callable[[], R]:
        """Answered when the response is waited for."""
        return partial(self.ask, request)

    def close(self) -> None:
        """Nothing to end."""

    kill = close

    def __enter__(self) -> "LocalWorker":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()


def _cross(frame: Frame) -> Frame:
    """As it arrives on the other side: its body is JSON."""
    return Frame(frame.kind, frame.number, json.loads(json.dumps(frame.body)), frame.arrays)
