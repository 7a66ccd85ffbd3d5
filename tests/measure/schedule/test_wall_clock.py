"""A budget that bounds all of a run, to the nanosecond on a fake clock: openings, warm-ups and blocks alike."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.measure.schedule.budget import LEAST_ROUNDS, Budget
from infer_bench.measure.schedule.fixed_rounds import FixedRounds
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.measure.settings import Settings
from infer_bench.progress import Silent
from tests.fakes import FakeClock
from tests.measure.fake_layouts import MS, US, FakeGate, FakeLayoutSource, S, candidate, gate

PREPARATION_NS = S


def run_gate(budget_s: float, request_ns: int, load_ns: int, *, restarts: bool = True) -> tuple[FakeGate, float]:
    """A gate that never decides, after a second of preparation; with the seconds that it took in all."""
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: request_ns, restarts=restarts, load_ns=load_ns)
    outcome = gate(1, source, clock, budget_s=budget_s)
    begin_ns = clock.now
    outcome.budget = Budget(round(budget_s * S), clock, begin_ns=begin_ns)
    clock.spend(PREPARATION_NS)
    outcome.run()
    return outcome, (clock.now - begin_ns) / S


def run_bench(budget_s: float, load_ns: int, **options: Any) -> tuple[Measurements, float]:
    """A bench of three candidates, with the seconds that it took in all."""
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: 50 * US, restarts=True, load_ns=load_ns)
    plan = Settings(budget_s=budget_s, **options)
    measurements = Measurements([candidate(label) for label in "abc"], plan.batches, batches_fail_alone=True)
    begin_ns = clock.now
    budget = Budget(round(budget_s * S), clock, begin_ns=begin_ns)
    clock.spend(PREPARATION_NS)
    rule = FixedRounds(measurements, budget, plan)
    Scheduler(measurements, source, rule, budget, plan, Silent()).run(lambda: None)
    return measurements, (clock.now - begin_ns) / S


@settings(deadline=None, max_examples=12)
@given(
    budget_s=st.floats(5, 120),
    request_ns=st.integers(2 * US, 20 * MS),
    load_ns=st.integers(0, 4 * S),
    restarts=st.booleans(),
)
def test_a_gate_ends_within_a_tenth_of_a_budget_that_holds_two_layouts(
    budget_s: float, request_ns: int, load_ns: int, restarts: bool
) -> None:
    layout_ns = 2 * (load_ns + 250 * MS + (LEAST_ROUNDS + 1) * max(200 * request_ns, 100 * MS))
    if PREPARATION_NS + 2 * layout_ns < budget_s * S:
        assert run_gate(budget_s, request_ns, load_ns, restarts=restarts)[1] <= 1.1 * budget_s


def test_a_gate_uses_most_of_what_it_is_given_for_layouts() -> None:
    outcome, seconds = run_gate(60.0, 500 * US, 2 * S)
    assert 50 < seconds <= 61
    assert outcome.measurements.layout_count >= 8
    assert all(len(layout.rounds) >= LEAST_ROUNDS for one in outcome.measurements for layout in one.layouts)


@pytest.mark.parametrize("load_ns", [100 * MS, S, 3 * S])
@pytest.mark.parametrize("batches", [(1,), (1, 64)])
@pytest.mark.parametrize("budget_s", [20.0, 60.0])
def test_a_bench_ends_within_a_tenth_of_its_budget(budget_s: float, batches: tuple[int, ...], load_ns: int) -> None:
    measurements, seconds = run_bench(budget_s, load_ns, batches=batches)
    assert 0.8 * budget_s < seconds <= 1.1 * budget_s
    counts = {len(layout.rounds) for one in measurements for layout in one.layouts}
    assert min(counts) > 1


def test_fewer_processes_are_started_where_their_start_would_take_most_of_the_budget() -> None:
    assert run_bench(60.0, 100 * MS)[0].layout_count == 3
    measurements, _ = run_bench(20.0, 3 * S)
    assert measurements.layout_count == 1
    assert 40 * S < measurements.budget_needed_ns < 80 * S
    enough, _ = run_bench(measurements.budget_needed_ns / S, 3 * S)
    assert enough.layout_count == 3
    assert enough.budget_needed_ns == 0


def test_a_batch_size_that_the_budget_has_no_time_for_is_left_out_and_said_to_be() -> None:
    measurements, seconds = run_bench(5.0, 2 * S, batches=(1, 64))
    assert seconds < 8
    key = measurements.candidates[0].key
    assert measurements.failure(key, 1) is None
    assert "the budget of 5 s was spent before it" in str(measurements.failure(key, 64))
    assert measurements.failures == {}


def test_one_process_of_each_is_measured_whatever_it_takes() -> None:
    measurements, seconds = run_bench(2.0, 3 * S)
    assert [[len(layout.rounds) for layout in one.layouts] for one in measurements] == [[1]] * 3
    assert seconds < 12


@pytest.mark.parametrize(("budget_s", "layouts"), [(15.0, 14), (20.0, 18), (30.0, 18)])
def test_as_many_layouts_are_aimed_at_as_the_budget_holds_with_the_fewest_rounds(budget_s: float, layouts: int) -> None:
    outcome, _ = run_gate(budget_s, 300 * US, 300 * MS, restarts=False)
    assert outcome.measurements.layout_count == layouts
