"""Which part of a request is work on DataFrames, also inside the library: the steps of a profile, taken briefly."""

import contextlib
import time

from infer_bench.errors import InferBenchError
from infer_bench.measure.schedule.layouts import OpenSession
from infer_bench.model import PHASES, Phase
from infer_bench.report.profile import FRAME_STEPS
from infer_bench.workers.profiling.requests import PrepareProfile, StepTimes, TimeSteps

GLANCE_NS = 100_000_000
CHUNK_NS = 20_000_000


def measure_frame_shares(session: OpenSession, batch: int, request_ns: int) -> dict[Phase, float]:
    """The share of each phase (0 to 1) that goes into building, changing and converting DataFrames.

    A request takes about `request_ns`. It is measured in the session's own worker, with probes on pandas and the
    library, so nothing may be timed there afterwards. Empty where that cannot be told.
    """
    chunks: list[StepTimes] = []
    with contextlib.suppress(InferBenchError):
        session.ask(PrepareProfile((), batch, function=False))
        until = time.monotonic_ns() + GLANCE_NS
        while not chunks or time.monotonic_ns() < until:
            chunks.append(session.ask(TimeSteps(max(1, CHUNK_NS // max(1, request_ns)))))
    return share_frames(chunks)


def share_frames(chunks: list[StepTimes]) -> dict[Phase, float]:
    """The steps on DataFrames as a share of each phase, over all chunks. Pure."""
    shares: dict[Phase, float] = {}
    for phase in PHASES:
        whole = sum(chunk.phases.get(phase, 0) for chunk in chunks)
        steps = (step for chunk in chunks for step in chunk.steps if step.phase == phase and step.name in FRAME_STEPS)
        frames = sum(max(0, step.own_ns) for step in steps)
        if whole > 0:
            shares[phase] = min(1.0, frames / whole)
    return shares
