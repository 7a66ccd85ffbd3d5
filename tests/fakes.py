"""Fakes for what a test must control: the clock, an engine, and the ways that a worker can die."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.base import Domain, Option, Request, argmax_labels
from infer_bench.errors import EngineError
from infer_bench.model import Feature, ModelRef, ModelSpec
from infer_bench.typing import Floats


class FakeClock:
    """Nanoseconds that pass only when told to, plus `cost_ns` at every reading."""

    def __init__(self, cost_ns: int = 0) -> None:
        self.now = 1_000
        self._cost = cost_ns

    def __call__(self) -> int:
        self.now += self._cost
        return self.now

    def spend(self, duration_ns: int) -> None:
        self.now += duration_ns


@dataclass
class FakeSession:
    """Adds its inputs up; each phase takes as long as it is told on a fake clock, and may do something bad."""

    clock: FakeClock = field(default_factory=FakeClock)
    phases_ns: tuple[int, int, int] = (0, 0, 0)
    deed: str = "none"
    slope: float = 1.0
    calls: int = 0
    spec: ModelSpec = field(
        default_factory=lambda: ModelSpec("binary", (Feature("a"), Feature("b")), ("yes",), ("no", "yes"))
    )

    def preprocess(self, request: Request) -> Any:
        self.clock.spend(self.phases_ns[0])
        return np.column_stack([np.atleast_1d(request["a"]), np.atleast_1d(request["b"])])

    def predict(self, inputs: Any) -> Any:
        self.clock.spend(self.phases_ns[1])
        self.calls += 1
        if self.calls > 5:
            do(self.deed)
        return 1 / (1 + np.exp(-self.slope * inputs.sum(axis=1)))

    def postprocess(self, outputs: Any) -> Floats:
        self.clock.spend(self.phases_ns[2])
        return np.asarray(outputs, dtype=np.float64).reshape(-1, 1)

    def labels(self, predictions: Floats) -> npt.NDArray[Any] | None:
        return argmax_labels(self.spec, predictions)

    def domain(self) -> Domain:
        return Domain({"a": (0.0, 1.0), "b": (0.5,)})

    def close(self) -> None:
        pass


FORKED: list[int] = []


def do(deed: str) -> None:
    """What can go wrong inside a stranger's library."""
    match deed:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "sys.exit":
            raise SystemExit(3)
        case "raise":
            raise RuntimeError("boom\nin two lines")
        case "hang":
            signal.pause()
        case "fork" if not FORKED:
            FORKED.append(os.fork())
        case "orphan" | "orphan and die" if not FORKED:
            FORKED.append(os.fork())
            if FORKED == [0]:
                signal.pause()
            if deed == "orphan and die":
                os.kill(os.getpid(), signal.SIGKILL)
        case "memory":
            raise MemoryError


class FakeEngine:
    """Opens anything; `deed` says what its sixth prediction does."""

    name = "fake"
    formats = frozenset({"python"})
    requires: tuple[str, ...] = ()
    extra = "fake"
    options: Mapping[str, Option] = {
        "deed": Option("what the sixth prediction does", "none"),
        "slope": Option("of the logit", "1.0"),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> FakeSession:
        if options.get("deed") == "refuse":
            raise EngineError("no such luck", "try another")
        return FakeSession(deed=options.get("deed", "none"), slope=float(options.get("slope", "1.0")))


class FakeFileEngine(FakeEngine):
    """As `FakeEngine`, for ONNX files, whose name says the deed: two of them fit into one worker."""

    name = "filed"
    formats = frozenset({"onnx"})

    def open(self, model: ModelRef, options: Mapping[str, str]) -> FakeSession:
        return super().open(model, {**options, "deed": Path(model.path).stem})
