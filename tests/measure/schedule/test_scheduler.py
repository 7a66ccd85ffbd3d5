"""The pace of a gate, to the nanosecond on a fake clock: the budget is met, whoever takes part."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.errors import CannotRun, EngineError, WorkerCrashed
from infer_bench.measure.schedule.budget import LEAST_ROUNDS, Budget
from tests.fakes import FakeClock
from tests.measure.fake_layouts import MS, US, FakeGate, FakeLayoutSource, S, gate


def measure_s(count: int, request_ns: int, *, restarts: bool, load_ns: int = 2 * MS, **settings: Any) -> float:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: request_ns, restarts=restarts, load_ns=load_ns)
    outcome = gate(count, source, clock, **settings)
    outcome.run()
    assert source.is_closed
    return outcome.budget.spent_ns / S


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("request_ns", [2 * US, 50 * US, 3 * MS, 40 * MS])
@pytest.mark.parametrize("budget", [10.0, 30.0])
def test_an_undecided_gate_ends_within_five_percent_of_its_budget(
    restarts: bool, count: int, request_ns: int, budget: float
) -> None:
    assert measure_s(count, request_ns, restarts=restarts, budget_s=budget) == pytest.approx(budget, rel=0.05)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("budget", [20.0, 60.0])
def test_requests_of_400_ms_keep_to_it_too(restarts: bool, count: int, budget: float) -> None:
    assert measure_s(count, 400 * MS, restarts=restarts, budget_s=budget) == pytest.approx(budget, rel=0.05)


@pytest.mark.parametrize("batches", [(1, 64), (1, 8, 64, 512)])
def test_several_batch_sizes_share_the_budget(batches: tuple[int, ...]) -> None:
    clock = FakeClock()
    outcome = gate(2, FakeLayoutSource(clock, lambda _: 50 * US), clock, budget_s=10.0, batches=batches)
    outcome.run()
    assert outcome.budget.spent_ns / S == pytest.approx(10.0, rel=0.05)
    rounds = [sum(len(layout.rounds) for layout in measurement.layouts) for measurement in outcome.measurements]
    assert max(rounds) <= 1.5 * min(rounds)


@settings(deadline=None, max_examples=15)
@given(
    count=st.integers(1, 5),
    request_ns=st.integers(1 * US, 100 * MS),
    budget=st.floats(5, 60),
    restarts=st.booleans(),
    load_ns=st.integers(0, 100 * MS),
)
def test_a_budget_that_holds_a_few_rounds_is_never_exceeded_by_more_than_five_percent(
    count: int, request_ns: int, budget: float, restarts: bool, load_ns: int
) -> None:
    warm_ns = max(3 * request_ns, 250 * MS)
    if (count + 1) * (warm_ns + load_ns + 4 * max(200 * request_ns, 100 * MS)) < budget * S:
        spent = measure_s(count, request_ns, restarts=restarts, load_ns=load_ns, budget_s=budget)
        assert spent <= budget * 1.05


@pytest.mark.parametrize("restarts", [False, True])
def test_opening_sessions_is_no_measuring(restarts: bool) -> None:
    slow, quick = (run_gate(restarts=restarts, load_ns=load_ns).measurements for load_ns in (S, 0))
    assert slow.layout_count == quick.layout_count


def run_gate(count: int = 1, **options: Any) -> FakeGate:
    clock = FakeClock()
    outcome = gate(count, FakeLayoutSource(clock, lambda _: 50 * US, **options), clock, budget_s=10.0)
    outcome.run()
    return outcome


def test_every_layout_has_the_rounds_that_it_takes_and_all_candidates_as_many() -> None:
    outcome = run_gate(2)
    counts = [[len(layout.rounds) for layout in measurement.layouts] for measurement in outcome.measurements]
    assert len({len(layouts) for layouts in counts}) == 1
    for per_layout in zip(*counts, strict=True):
        assert min(per_layout) >= LEAST_ROUNDS
        assert max(per_layout) - min(per_layout) <= 1


def test_a_budget_too_small_for_a_round_gives_one_round() -> None:
    clock = FakeClock()
    outcome = gate(1, FakeLayoutSource(clock, lambda _: 400 * MS), clock, budget_s=0.1)
    outcome.run()
    assert outcome.measurements.layout_count == 1
    assert [len(layout.rounds) for measurement in outcome.measurements for layout in measurement.layouts] == [1, 1]


def test_a_pair_that_is_decided_is_measured_no_more() -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: 50 * US)
    outcome = gate(2, source, clock, budget_s=3.0)
    outcome.run(lambda: outcome.pairs[:1] if outcome.measurements.layout_count < 4 else [])
    assert source.layouts == [["base", "new0", "new1"], *[["base", "new0"]] * 3]


@pytest.mark.parametrize("kind", ["open", "about", "answers", "warm", "block", "memory"])
@pytest.mark.parametrize("who", ["new0", "base"])
def test_whoever_fails_at_anything_is_out_and_the_others_go_on(kind: str, who: str) -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: 50 * US, restarts=True, deaths={who: (kind,)})
    outcome = gate(2, source, clock, budget_s=3.0)
    outcome.run()
    assert [key[1] for key in outcome.measurements.failures] == [who]
    if who == "base":
        assert outcome.measurements.layout_count == int(kind != "open")
    else:
        assert outcome.measurements.layout_count > 1
        assert source.layouts[-1] == ["base", "new1"]


def test_requests_just_above_and_below_five_microseconds_are_timed_alike() -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda e: 4_900 if e.label == "base" else 5_100)
    outcome = gate(1, source, clock, budget_s=1.0)
    outcome.run()
    calls = {measurement.plan.calls for measurement in outcome.measurements if measurement.plan}
    assert len(calls) == 1
    assert calls.pop() > 1


def test_all_candidates_answer_the_same_rows_in_a_round_and_others_in_the_next() -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: 50 * US)
    gate(1, source, clock, budget_s=1.0).run()
    ours, theirs = source.starts.values()
    shared = min(len(ours), len(theirs))
    assert shared > 10
    assert ours[:shared] == theirs[:shared]
    assert len(set(ours)) == len(ours)


@pytest.mark.parametrize("kind", ["block", "warm"])
def test_in_a_shared_worker_a_failure_in_the_middle_of_rounds_ends_all_that_live_there(kind: str) -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: 50 * US, deaths={"new0": (kind,)})
    outcome = gate(1, source, clock, budget_s=3.0)
    outcome.run()
    assert "new0" in [key[1] for key in outcome.measurements.failures]
    assert outcome.measurements.layout_count == 1


@pytest.mark.parametrize("kind", ["block", "warm", "answers", "about"])
@pytest.mark.parametrize("death", [WorkerCrashed, EngineError])
def test_of_those_that_share_a_worker_only_the_culprit_is_out(kind: str, death: type[CannotRun]) -> None:
    clock = FakeClock()
    source = FakeLayoutSource(clock, lambda _: 50 * US, deaths={"new0": (kind,)}, death=death, running_session=1)
    outcome = gate(2, source, clock, budget_s=3.0)
    outcome.run()
    assert [key[1] for key in outcome.measurements.failures] == ["new0"]
    assert "no more" in str(next(iter(outcome.measurements.failures.values())))
    assert source.layouts[:2] == [["base", "new0", "new1"], ["base", "new1"]]
    counts = [
        len(layout.rounds)
        for measurement in outcome.measurements
        for layout in measurement.layouts
        if measurement.candidate.label != "new0"
    ]
    assert len(counts) > 2
    assert min(counts) > 0


def test_a_budget_counts_only_while_it_runs() -> None:
    clock = FakeClock()
    budget = Budget(1000, clock)
    for on, expected in itertools.pairwise([0, 5, 5, 12]):
        with budget.running(expected > on):
            clock.spend(expected - on or 100)
        assert budget.spent_ns == expected
    with budget.running():
        clock.spend(1)
        with budget.running(False):
            clock.spend(50)
        clock.spend(1)
    assert budget.spent_ns == 14
