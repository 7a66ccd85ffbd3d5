"""A request divided by phase: the phases sum to it, whatever the probes cost and whoever disturbs it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.measure.profile.phases import PhaseRound, divide
from infer_bench.report.common import Phases
from infer_bench.workers.profiling.requests import MeasureProbes, TimePhases
from infer_bench.workers.profiling.runs import Profiling
from tests.fakes import FakeClock, FakeSession

ROWS = [{"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 0.0}]


@pytest.mark.parametrize("cost_ns", [0, 40, 500])
@pytest.mark.parametrize("scale", [1_000, 20_000, 1_000_000])
def test_on_a_fake_clock_the_phases_are_exact_and_nothing_is_left(cost_ns: int, scale: int) -> None:
    clock = FakeClock(cost_ns)
    session = FakeSession(clock, (3 * scale, scale, scale // 2))
    profiling = Profiling(session, ROWS, function=False, clock=clock)
    rounds = []
    for order in (False, True) * 3:
        times = profiling.time_phases(TimePhases(20, probed_first=order))
        rounds.append(PhaseRound(times.request, times.preprocess, times.predict, times.postprocess))
    cost = profiling.measure_probes(MeasureProbes())
    divided = divide(rounds, cost.request_ns, cost.phases_ns)
    assert divided.request.p50_ns == scale * 4 + scale // 2
    assert divided.typical.preprocess_ns == 3 * scale
    assert divided.typical.predict_ns == scale
    assert divided.typical.postprocess_ns == scale // 2
    assert divided.unaccounted_ns == 0
    assert isinstance(divided.phases, Phases)


def noisy(seed: int, hit: float) -> list[PhaseRound]:
    """Requests of 1 ms to 3 ms, 60/30/10, some of whose runs are interrupted for 5 ms."""
    generator, rounds = np.random.default_rng(seed), []
    for _ in range(20):
        whole = generator.uniform(1e6, 3e6, 10)
        late = 5e6 * (generator.random(10) < hit)
        parts = [(whole * share).astype(np.int64) for share in (0.6, 0.3, 0.1)]
        parts[1] += (5e6 * (generator.random(10) < hit)).astype(np.int64)
        rounds.append(PhaseRound((whole + late).astype(np.int64), *parts))
    return rounds


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.08))
def test_interruptions_of_some_runs_do_not_move_the_shares(seed: int, hit: float) -> None:
    divided = divide(noisy(seed, hit), 0, (0, 0, 0))
    whole = divided.typical.request_ns
    assert abs(divided.unaccounted_ns) < 0.04 * whole
    assert abs(divided.typical.preprocess_ns / whole - 0.6) < 0.04
    assert abs(divided.typical.predict_ns / whole - 0.3) < 0.04


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_the_parts_and_the_rest_sum_to_the_median(seed: int, hit: float) -> None:
    divided = divide(noisy(seed, hit), 10, (5, 5, 5))
    typical = divided.typical
    parts = typical.preprocess_ns + typical.predict_ns + typical.postprocess_ns
    assert parts + divided.unaccounted_ns == divided.request.p50_ns == typical.request_ns


def test_one_request_of_one_round_is_enough() -> None:
    one = np.array([1000], dtype=np.int64)
    divided = divide([PhaseRound(one, one // 2, one // 4, one // 4)], 0, (0, 0, 0))
    assert divided.typical.preprocess_ns == 500
    assert divided.unaccounted_ns == 0


def test_what_is_waited_is_a_part_of_its_own() -> None:
    one = np.full(8, 1_000, dtype=np.int64)
    divided = divide([PhaseRound(one, one // 10, one // 10, one // 20, one * 3 // 4)], 0, (0, 0, 0))
    typical = divided.typical
    assert (typical.preprocess_ns, typical.predict_ns, typical.postprocess_ns, typical.waiting_ns) == (
        100,
        100,
        50,
        750,
    )
    assert divided.unaccounted_ns == 0
