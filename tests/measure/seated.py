"""A seating without processes: its sessions answer at once and spend the time that they would have taken on a clock."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from infer_bench.candidate import parse
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.measure.duel import Duel, Match
from infer_bench.measure.entrants import Entrant, Key
from infer_bench.measure.progress import Silent
from infer_bench.measure.seating import Layout, Taken
from infer_bench.measure.settings import Settings
from infer_bench.model import Feature, ModelRef, ModelSpec
from infer_bench.results import Process
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import Message
from tests.fakes import FakeClock, FakeEngine

SPEC = ModelSpec("binary", (Feature("a"), Feature("b")), ("yes",), ("no", "yes"))
S, MS, US = 1_000_000_000, 1_000_000, 1_000


@dataclass
class FakeWorker:
    """Answers as a worker does; a request takes `request_ns` on the clock. `deaths`: what it is asked when it dies."""

    clock: FakeClock
    request_ns: int
    deaths: tuple[str, ...] = ()
    starts: list[int] = field(default_factory=list)

    def ask(self, kind: str, *, timeout_s: float | None = None, **fields: Any) -> Message:
        if kind in self.deaths:
            raise EngineError(f"no more {kind}")
        return cast(Message, getattr(self, kind)(fields))

    def about(self, fields: Mapping[str, Any]) -> Message:
        return Message("about", {"python": "3.11.9", "executable": "/python", "packages": {"numpy": "2.0"}})

    def answers(self, fields: Mapping[str, Any]) -> Message:
        return Message("answers", {"labels": None}, {"answers": np.zeros((4, 1))})

    def warm(self, fields: Mapping[str, Any]) -> Message:
        self.clock.spend(max(3 * self.request_ns, fields["limit_ns"]))
        known = {"warmup_ns": 1, "steady": True, "floor_ns": 40, "stage_floor_ns": 40}
        return Message("warm", {"request_ns": self.request_ns, **known})

    def block(self, fields: Mapping[str, Any]) -> Message:
        self.starts.append(fields["start"])
        calls = fields["samples"] * fields["calls"]
        self.clock.spend((calls + 1) * self.request_ns)
        request = np.full(fields["samples"], fields["calls"] * self.request_ns, dtype=np.int64)
        none = np.zeros(0, dtype=np.int64)
        arrays = {"request": request, "preprocess": none, "predict": none, "postprocess": none}
        return Message("block", {"rows": calls, "wall_ns": calls * self.request_ns, "gc_collections": 0}, arrays)

    def memory(self, fields: Mapping[str, Any]) -> Message:
        return Message("memory", {"rss_bytes": 100, "peak_rss_bytes": 200})


class FakeSeating:
    """Every session takes `load_ns` to open, which counts as measuring in no mode."""

    def __init__(
        self,
        clock: FakeClock,
        request_ns: Callable[[Entrant], int],
        *,
        restarts: bool = False,
        load_ns: int = 2 * MS,
        deaths: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.restarts = restarts
        self.opened: list[list[str]] = []
        self.workers: list[FakeWorker] = []
        self.closed = False
        self._clock, self._request_ns, self._load_ns, self._deaths = clock, request_ns, load_ns, deaths or {}

    def prepare(self, entrants: Sequence[Entrant]) -> dict[Key, InferBenchError]:
        return {e.key: EngineError("cannot open") for e in entrants if "open" in self._deaths.get(e.label, ())}

    @contextlib.contextmanager
    def layout(self, index: int, entrants: Sequence[Entrant]) -> Iterator[Layout]:
        self.opened.append([entrant.label for entrant in entrants])
        layout = Layout({}, {})
        for entrant in entrants:
            self._clock.spend(self._load_ns)
            worker = FakeWorker(self._clock, self._request_ns(entrant), self._deaths.get(entrant.label, ()))
            self.workers.append(worker)
            layout.taken[entrant.key] = Taken(cast(Worker, worker), 0, SPEC, Process(index, 0, 0, 0, self._load_ns, 0))
        yield layout

    def close(self) -> None:
        self.closed = True


def entrant(label: str, model: str = "m.onnx") -> Entrant:
    """Someone who takes part."""
    ref = ModelRef(model, "onnx", "onnx", "", 1000)
    return Entrant(label, parse("fake"), FakeEngine(), "tests.fakes:FakeEngine", {}, ref, ref, True)


def duel(count: int, seating: FakeSeating, clock: FakeClock, samples: int = 200, **settings: Any) -> Duel:
    """So many candidates against one baseline."""
    base = entrant("base", "old.onnx")
    matches = [Match(entrant(f"new{n}"), base) for n in range(count)]
    return Duel(matches, seating, Settings(**settings), samples, Silent(), clock=clock)


def undecided(found: Duel) -> None:
    """Run with nothing ever decided."""
    found.run(lambda: found.matches, lambda: None)
