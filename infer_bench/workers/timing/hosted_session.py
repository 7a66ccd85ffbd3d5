"""One session in a worker: the model, its rows, and a runner for each batch size. A worker may hold several."""

import random
import time
from collections.abc import Mapping
from itertools import repeat
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.typing import Array
from infer_bench.workers.protocol import Message
from infer_bench.workers.timing.runner import WARM_WINDOW_NS, Runner, requests_of

MARK_BYTES = 8
"""Of a file shared with the coordinator: one more than the number of the seat whose block it is, 0 for nobody's."""
BALLAST_PIECES = 64
BALLAST_BYTES = (64, 262_144)


class Table:
    """Rows to answer. Sessions that answer the same rows share the records made of them."""

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self.columns = columns
        self._requests: dict[int, list[Any]] = {}

    def requests(self, batch: int) -> list[Any]:
        """The rows cut into requests of `batch` rows, made once."""
        if batch not in self._requests:
            self._requests[batch] = requests_of(self.columns, batch)
        return self._requests[batch]


class HostedSession:
    """A session at work. `memory_offset` was allocated before it was loaded, so that no two lie alike in memory."""

    def __init__(self, session: Session, memory_offset: list[bytearray]) -> None:
        self.session = session
        self.table = Table({})
        self._ballast = memory_offset
        self._runners: dict[int, Runner] = {}

    def sit(self, table: Table) -> None:
        """Take the rows to answer."""
        self.table = table
        self._runners = {}

    def runner(self, batch: int) -> Runner:
        """What answers requests of `batch` rows."""
        if batch not in self._runners:
            requests, rows = self.table.requests(batch), len(next(iter(self.table.columns.values())))
            self._runners[batch] = Runner(self.session, requests, rows, batch, time.perf_counter_ns)
        return self._runners[batch]

    def first(self, fields: Mapping[str, Any]) -> Message:
        """The first request of this process; `done_ns` is the clock when it was answered."""
        taken = self.runner(int(fields["batch"])).first()
        return Message("first", {"request_ns": taken, "done_ns": time.perf_counter_ns()})

    def domain(self) -> Message:
        """Where the model's inputs are interesting."""
        domain = self.session.domain()
        thresholds = {name: [scalar(v) for v in values] for name, values in domain.thresholds.items()}
        stored = {} if domain.rows is None else {"rows": domain.rows}
        return Message("domain", {"thresholds": thresholds, "missing": sorted(domain.missing)}, stored)

    def warm(self, fields: Mapping[str, Any]) -> Message:
        """Warm up until steady."""
        window = int(fields.get("window_ns", WARM_WINDOW_NS))
        warmth = self.runner(int(fields["batch"])).warm(int(fields["limit_ns"]), window)
        told = {"request_ns": warmth.request_ns, "warmup_ns": warmth.warmup_ns, "steady": warmth.steady}
        return Message("warm", {**told, "floor_ns": warmth.floor_ns, "stage_floor_ns": warmth.stage_floor_ns})

    def block(self, fields: Mapping[str, Any]) -> Message:
        """One block."""
        runner = self.runner(int(fields["batch"]))
        shape = int(fields["samples"]), int(fields["calls"]), bool(fields["phases"])
        block = runner.block(*shape, split=bool(fields.get("split", True)), start=fields.get("start"))
        arrays = {
            "request": block.request,
            "preprocess": block.stages.preprocess,
            "predict": block.stages.predict,
            "postprocess": block.stages.postprocess,
        }
        counts = {"wall_ns": block.wall_ns, "rows": block.rows, "gc_collections": block.gc_collections}
        return Message("block", counts, arrays)

    def predictions(self, fields: Mapping[str, Any]) -> Message:
        """The canonical output and the labels of the rows, in order."""
        predictions, labels = self.runner(int(fields["batch"])).predictions(int(fields["limit_ns"]))
        listed = None if labels is None else [scalar(label) for label in labels]
        return Message("answers", {"labels": listed}, {"answers": predictions})

    def plant(self, fields: Mapping[str, Any]) -> Message:
        """Make every `every`-th request do more work: so many turns of an empty loop."""
        self.session = Planted(self.session, int(fields["turns"]), int(fields["every"]))
        self._runners = {}
        return Message("planted")


class Planted:
    """A session with more work to do in some of its requests: what a gate is to find, or with no turns, is not."""

    def __init__(self, session: Session, turns: int, every: int) -> None:
        self._inner = session
        self._turns, self._every, self._count = turns, every, 0
        self._predict = session.predict

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def predict(self, inputs: Any) -> Any:
        """The session's own call, and the work."""
        outputs = self._predict(inputs)
        self._count += 1
        if self._count >= self._every:
            self._count = 0
            spin(self._turns)
        return outputs


def spin(turns: int) -> None:
    """An empty loop: work that no cache and no library changes, each turn as long as the next."""
    for _ in repeat(None, turns):
        pass


def memory_offset(seed: int | None) -> list[bytearray]:
    """Pieces of memory of random sizes, every second one freed again: the next thing loaded lies elsewhere.

    None: nothing is allocated.
    """
    if seed is None:
        return []
    chance, low, high = random.Random(seed), *np.log(BALLAST_BYTES)
    pieces = [bytearray(int(np.exp(chance.uniform(low, high)))) for _ in range(BALLAST_PIECES)]
    return pieces[::2]


def scalar(value: Any) -> Any:
    """A numpy scalar as plain Python."""
    return value.item() if isinstance(value, np.generic) else value
