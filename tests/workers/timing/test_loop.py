"""The timing loops, to the nanosecond, on a fake clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.workers.timing.loop import (
    Cycle,
    Stages,
    measure_floor,
    measure_stamp_cost,
    time_calls,
    time_groups,
    time_phases,
)
from tests.fakes import FakeClock, FakeSession

REQUEST = {"a": 0.0, "b": 0.0}


def stages_taking(clock: FakeClock, *phases_ns: int) -> Stages:
    before, call, after = phases_ns
    session = FakeSession(clock=clock, phases_ns=(before, call, after))
    return Stages(session.preprocess, session.predict, session.postprocess)


@given(
    phases=st.tuples(*[st.integers(0, 10**9)] * 3),
    cost=st.integers(0, 1000),
    samples=st.integers(1, 5),
)
def test_every_loop_reads_what_the_phases_took_plus_the_stamps_it_knows_of(
    phases: tuple[int, int, int], cost: int, samples: int
) -> None:
    clock = FakeClock(cost)
    stages, requests = stages_taking(clock, *phases), [REQUEST] * samples

    assert measure_floor(clock) == measure_stamp_cost(clock) == cost
    assert (time_calls(stages, requests, clock) == sum(phases) + cost).all()
    times = time_phases(stages, requests, clock)
    assert [array.tolist() for array in (times.preprocess, times.predict, times.postprocess)] == [
        [phase + cost] * samples for phase in phases
    ]
    assert (times.request == sum(phases) + 3 * cost).all()


@pytest.mark.parametrize("calls", [1, 3, 7])
def test_a_grouped_sample_is_the_sum_of_its_calls(calls: int) -> None:
    clock = FakeClock(36)
    times = time_groups(stages_taking(clock, 100, 200, 50), [REQUEST] * (4 * calls), calls, clock)
    assert times.tolist() == [350 * calls + 36] * 4


def test_samples_are_integers_in_the_order_they_were_taken() -> None:
    clock = FakeClock()
    durations = iter([5, 3, 9])
    stages = Stages(lambda request: clock.spend(next(durations)), lambda inputs: inputs, lambda outputs: outputs)
    times = time_calls(stages, [REQUEST] * 3, clock)
    assert times.dtype == np.int64
    assert times.tolist() == [5, 3, 9]


@given(size=st.integers(1, 20), takes=st.lists(st.integers(0, 50), max_size=8))
def test_a_cycle_goes_on_where_the_last_block_stopped(size: int, takes: list[int]) -> None:
    cycle = Cycle(list(range(size)))
    handed = [request for count in takes for request in cycle.take(count)]
    assert handed == [i % size for i in range(sum(takes))]


def test_a_cycle_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Cycle([])
