"""What a request allocates, looked at in a worker that has nothing left to time."""

from infer_bench.errors import InferBenchError
from infer_bench.measure.schedule.layouts import OpenSession
from infer_bench.workers.profiling.requests import MeasureAllocations, PrepareProfile

REQUESTS = 10


def measure_allocations(session: OpenSession, batch: int) -> int | None:
    """The median over requests of the most that is allocated through Python at once; None where that cannot be told.

    tracemalloc slows every request that comes after, so that nothing may be timed there afterwards.
    """
    try:
        session.ask(PrepareProfile((), batch, function=False))
        return session.ask(MeasureAllocations(REQUESTS)).peak_bytes
    except InferBenchError:
        return None
