"""What requests allocate."""

from infer_bench.workers.profiling.allocations import LIMIT_NS, measure_allocations
from infer_bench.workers.timing.loop import Stages
from tests.fakes import FakeClock


def test_requests_that_tracing_slows_are_fewer() -> None:
    clock, answered = FakeClock(1), []

    def predict(size: int) -> bytearray:
        clock.spend(LIMIT_NS * 2 // 3)
        answered.append(size)
        return bytearray(size)

    allocations = measure_allocations(Stages(int, predict, len), [1_000_000] * 10, clock)
    assert allocations.requests == 2
    assert len(answered) == 3, "one of them is answered first"
    assert allocations.peak_bytes >= 1_000_000
