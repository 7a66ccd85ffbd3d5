"""The pacing of a duel, to the nanosecond on a fake clock: the budget is met, whoever takes part."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.errors import CannotRun, EngineError, WorkerCrashed
from infer_bench.measure.schedule.budget import LEAST_ROUNDS, Stopwatch
from tests.fakes import FakeClock
from tests.measure.seated import MS, US, FakeLayoutSource, S, duel, undecided


def measured_s(count: int, request_ns: int, *, restarts: bool, load_ns: int = 2 * MS, **told: Any) -> float:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda _: request_ns, restarts=restarts, load_ns=load_ns)
    found = duel(count, seating, clock, **told)
    undecided(found)
    assert seating.closed
    return found.watch.spent_ns / S


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("request_ns", [2 * US, 50 * US, 3 * MS, 40 * MS])
@pytest.mark.parametrize("budget", [10.0, 30.0])
def test_an_undecided_duel_ends_within_five_percent_of_its_budget(
    restarts: bool, count: int, request_ns: int, budget: float
) -> None:
    assert measured_s(count, request_ns, restarts=restarts, budget_s=budget) == pytest.approx(budget, rel=0.05)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("budget", [20.0, 60.0])
def test_requests_of_400_ms_keep_to_it_too(restarts: bool, count: int, budget: float) -> None:
    assert measured_s(count, 400 * MS, restarts=restarts, budget_s=budget) == pytest.approx(budget, rel=0.05)


@pytest.mark.parametrize("batches", [(1, 64), (1, 8, 64, 512)])
def test_several_batch_sizes_share_the_budget(batches: tuple[int, ...]) -> None:
    clock = FakeClock()
    found = duel(2, FakeLayoutSource(clock, lambda _: 50 * US), clock, budget_s=10.0, batches=batches)
    undecided(found)
    assert found.watch.spent_ns / S == pytest.approx(10.0, rel=0.05)
    rounds = [sum(len(run.rounds) for run in measurement.runs) for measurement in found.measurements.values()]
    assert max(rounds) <= 1.5 * min(rounds)


@settings(deadline=None, max_examples=60)
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
        spent = measured_s(count, request_ns, restarts=restarts, load_ns=load_ns, budget_s=budget)
        assert spent <= budget * 1.05


@pytest.mark.parametrize("restarts", [False, True])
def test_opening_sessions_is_no_measuring(restarts: bool) -> None:
    assert duel_of(restarts=restarts, load_ns=S).layouts == duel_of(restarts=restarts, load_ns=0).layouts


def duel_of(count: int = 1, **told: Any) -> Any:
    clock = FakeClock()
    found = duel(count, FakeLayoutSource(clock, lambda _: 50 * US, **told), clock, budget_s=10.0)
    undecided(found)
    return found


def test_every_layout_has_the_rounds_that_it_takes_and_all_sides_as_many() -> None:
    found = duel_of(2)
    counts = [[len(run.rounds) for run in measurement.runs] for measurement in found.measurements.values()]
    assert len({len(runs) for runs in counts}) == 1
    for layouts in zip(*counts, strict=True):
        assert min(layouts) >= LEAST_ROUNDS
        assert max(layouts) - min(layouts) <= 1


def test_a_budget_too_small_for_a_round_gives_one_round() -> None:
    clock = FakeClock()
    found = duel(1, FakeLayoutSource(clock, lambda _: 400 * MS), clock, budget_s=0.1)
    undecided(found)
    assert found.layouts == 1
    assert [len(run.rounds) for measurement in found.measurements.values() for run in measurement.runs] == [1, 1]


def test_a_match_that_is_decided_leaves_the_race() -> None:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda _: 50 * US)
    found = duel(2, seating, clock, budget_s=3.0)
    found.run(lambda: found.matches[:1] if found.layouts < 4 else [], lambda: None)
    assert seating.opened == [["base", "new0", "new1"], *[["base", "new0"]] * 3]


@pytest.mark.parametrize("kind", ["open", "about", "answers", "warm", "block", "memory"])
@pytest.mark.parametrize("who", ["new0", "base"])
def test_whoever_fails_at_anything_is_out_and_the_others_go_on(kind: str, who: str) -> None:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda _: 50 * US, restarts=True, deaths={who: (kind,)})
    found = duel(2, seating, clock, budget_s=3.0)
    undecided(found)
    assert [key[1] for key in found.failed] == [who]
    assert found.layouts == (found.layouts if who == "new0" else int(kind != "open"))
    if who == "new0":
        assert found.layouts > 1
        assert seating.opened[-1] == ["base", "new1"]


def test_requests_just_above_and_below_five_microseconds_are_timed_alike() -> None:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda e: 4_900 if e.label == "base" else 5_100)
    found = duel(1, seating, clock, budget_s=1.0)
    undecided(found)
    calls = {measurement.shape.calls for measurement in found.measurements.values() if measurement.shape}
    assert len(calls) == 1
    assert calls.pop() > 1


def test_all_sides_answer_the_same_rows_in_a_round_and_others_in_the_next() -> None:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda _: 50 * US)
    undecided(duel(1, seating, clock, budget_s=1.0))
    ours, theirs = seating.starts.values()
    shared = min(len(ours), len(theirs))
    assert shared > 10
    assert ours[:shared] == theirs[:shared]
    assert len(set(ours)) == len(ours)


@pytest.mark.parametrize("kind", ["block", "warm"])
def test_in_a_shared_worker_a_failure_in_the_middle_of_rounds_ends_all_that_sit_there(kind: str) -> None:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda _: 50 * US, deaths={"new0": (kind,)})
    found = duel(1, seating, clock, budget_s=3.0)
    undecided(found)
    assert "new0" in [key[1] for key in found.failed]
    assert found.layouts == 1


@pytest.mark.parametrize("kind", ["block", "warm", "answers", "about"])
@pytest.mark.parametrize("death", [WorkerCrashed, EngineError])
def test_of_those_that_share_a_worker_only_the_culprit_is_out(kind: str, death: type[CannotRun]) -> None:
    clock = FakeClock()
    seating = FakeLayoutSource(clock, lambda _: 50 * US, deaths={"new0": (kind,)}, death=death, at_work=1)
    found = duel(2, seating, clock, budget_s=3.0)
    undecided(found)
    assert [key[1] for key in found.failed] == ["new0"]
    assert "no more" in str(next(iter(found.failed.values())))
    assert seating.opened[:2] == [["base", "new0", "new1"], ["base", "new1"]]
    counts = [
        len(run.rounds)
        for measurement in found.measurements.values()
        for run in measurement.runs
        if measurement.candidate.label != "new0"
    ]
    assert len(counts) > 2
    assert min(counts) > 0


def test_a_stopwatch_counts_only_while_it_runs() -> None:
    clock = FakeClock()
    watch = Stopwatch(clock)
    for on, expected in itertools.pairwise([0, 5, 5, 12]):
        with watch.running(expected > on):
            clock.spend(expected - on or 100)
        assert watch.spent_ns == expected
    with watch.running():
        clock.spend(1)
        with watch.running(False):
            clock.spend(50)
        clock.spend(1)
    assert watch.spent_ns == 14
