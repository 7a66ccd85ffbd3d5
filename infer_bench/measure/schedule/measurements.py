"""What is gathered of each candidate at each batch size while the race runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.report.bench import Process, Round
from infer_bench.typing import Array
from infer_bench.workers.timing.runner import GROUPED_NS, SAMPLE_NS, SHORT_NS

BLOCK_NS = 10_000_000
"""A block shorter than this is at the mercy of the scheduler."""
BLOCK_SAMPLES = 10
NEARLY_GROUPED_NS = 2 * GROUPED_NS
SLOW_BLOCK_NS = 100_000_000
"""Slow requests get the ten samples only while a block stays below this."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the blocks of a candidate look at one batch size; the same in each of its processes."""

    samples: int
    calls: int
    phases: bool


def shape_of(request_ns: int, scenario: str) -> Shape:
    """Samples and calls a block for a request of about `request_ns`.

    At least 10 ms and 10 samples a block; several calls a sample below 5 µs; a whole block as one sample offline.
    """
    calls = -(-SAMPLE_NS // request_ns) if request_ns < GROUPED_NS else 1
    sample = request_ns * calls
    samples = max(1, -(-BLOCK_NS // sample), min(BLOCK_SAMPLES, SLOW_BLOCK_NS // sample))
    if scenario == "offline":
        return Shape(1, samples * calls, False)
    return Shape(samples, calls, calls == 1 and request_ns >= SHORT_NS)


def shared_calls(requests_ns: Iterable[int]) -> int:
    """Calls a sample where any request is so short that a sample needs several; else 1."""
    return max((-(-SAMPLE_NS // ns) for ns in requests_ns if ns < GROUPED_NS), default=1)


def shape_for(request_ns: int, scenario: str, samples: int, most_ns: int, calls: int = 1) -> Shape:
    """As `shape_of`, with as many `samples` a block as a percentile takes, where a block of `most_ns` can hold them.

    No stamps between the phases: a gate judges requests. `calls` are those a sample of the others: a request that is
    nearly as short has as many, since the median of single calls is another number than that of their means.
    """
    shape = shape_of(request_ns, scenario)
    if scenario == "offline":
        return shape
    calls = calls if request_ns < NEARLY_GROUPED_NS else 1
    sample = request_ns * calls
    fewest = max(1, -(-BLOCK_NS // sample), min(BLOCK_SAMPLES, SLOW_BLOCK_NS // sample))
    return Shape(max(fewest, samples) if samples * sample <= most_ns else fewest, calls, False)


@dataclass
class Run:
    """One process of a lane: what is known of it, and its rounds so far."""

    process: Process
    rounds: list[Round] = field(default_factory=list)

    def warmed(self, warm: Mapping[str, Any]) -> None:
        """Note how the warm-up went."""
        self.process = replace(
            self.process,
            warmup_ns=int(warm["warmup_ns"]),
            warmup_steady=bool(warm["steady"]),
            floor_ns=int(warm["floor_ns"]),
            stage_floor_ns=int(warm["stage_floor_ns"]),
        )

    def ended(self, held: Mapping[str, Any], throttled_ns: int) -> None:
        """Note the memory held and the time that the quota took away."""
        self.process = replace(
            self.process,
            rss_bytes=int(held["rss_bytes"]),
            peak_rss_bytes=int(held["peak_rss_bytes"]),
            throttled_ns=throttled_ns,
        )

    def frozen(self) -> Process:
        """The process with its rounds, for the report."""
        return replace(self.process, rounds=tuple(self.rounds))


@dataclass
class Measurement:
    """All that was gathered of one candidate at one batch size."""

    candidate: Candidate
    batch: int
    shape: Shape | None = None
    predictions: Array | None = None
    labels: list[Any] | None = None
    runs: list[Run] = field(default_factory=list)

    def samples(self, phase: str) -> list[list[Array]]:
        """Raw samples of `request`, `preprocess`, `predict` or `postprocess` in ns: processes → rounds → samples."""
        name = f"{phase}_ns"
        return [[np.array(getattr(r, name), dtype=np.int64) for r in run.rounds] for run in self.runs if run.rounds]
