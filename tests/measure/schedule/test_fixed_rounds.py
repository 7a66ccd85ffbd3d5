"""Fixed rounds on a fake clock: as many for everyone, in random order, and fewer only where time runs out."""

from dataclasses import replace
from typing import Any

import pytest

from infer_bench.errors import EngineError, InferBenchError, WorkerCrashed
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.fixed_rounds import FixedRounds
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.measure.settings import Settings
from infer_bench.progress import Silent
from tests.fakes import FakeClock
from tests.measure.fake_layouts import MS, US, FakeLayoutSource, S, candidate


def measure(
    labels: str, source: FakeLayoutSource, clock: FakeClock, saves: list[int] | None = None, **settings: Any
) -> Measurements:
    """Run a schedule of candidates with these one-letter labels; `saves` gets the rounds at each time of saving."""
    plan = Settings(**settings)
    measurements = Measurements([candidate(label) for label in labels], plan.batches)
    budget = Budget(round(plan.limit_s * S), clock)

    def save() -> None:
        clock.spend(S)
        if saves is not None:
            saves.append(sum(len(layout.rounds) for one in measurements for layout in one.layouts))

    rule = FixedRounds(measurements, budget, plan)
    Scheduler(measurements, source, rule, budget, plan, Silent()).run(save)
    return measurements


def count_rounds(measurements: Measurements) -> list[list[int]]:
    return [[len(layout.rounds) for layout in measurement.layouts] for measurement in measurements]


def processes(clock: FakeClock, **options: Any) -> FakeLayoutSource:
    return FakeLayoutSource(clock, lambda _: 50 * US, restarts=True, **options)


def test_every_candidate_has_the_rounds_on_every_layout_and_each_is_saved() -> None:
    clock, saves = FakeClock(), list[int]()
    source = processes(clock)
    measurements = measure("abc", source, clock, saves, rounds=12, processes=4, batches=(1, 8))
    assert count_rounds(measurements) == [[3] * 4] * 6
    assert saves == list(range(3, 73, 3))
    assert source.layouts == [["a", "b", "c"]] * 4
    assert source.is_closed
    assert (measurements.layout_count, measurements.cut_short) == (4, False)
    assert measurements.interpreters == {}


def test_the_order_within_a_round_is_random_and_the_same_for_a_seed() -> None:
    def orders(seed: int) -> list[list[int]]:
        clock = FakeClock()
        measurements = measure("abc", processes(clock), clock, rounds=20, processes=1, seed=seed)
        return [[r.report.position for r in measurement.layouts[0].rounds] for measurement in measurements]

    first, again, other = orders(1), orders(1), orders(2)
    assert first == again != other
    assert all(sorted(positions) == [0, 1, 2] for positions in zip(*first, strict=True))
    assert all(len(set(positions)) == 3 for positions in first)


def test_all_candidates_answer_the_same_rows_in_a_round() -> None:
    clock = FakeClock()
    source = processes(clock)
    measure("ab", source, clock, rounds=20, processes=2)
    assert source.starts["a"] == source.starts["b"]
    assert len(set(source.starts["a"])) == 20


def test_time_is_shared_by_layouts_and_batch_sizes_and_saving_costs_none() -> None:
    clock = FakeClock()
    measurements = measure("ab", processes(clock), clock, budget_s=4.0, processes=2, batches=(1, 8))
    rounds_ns = 2 * (10 * MS + 50 * US)
    assert count_rounds(measurements) == [[-(-S // rounds_ns)] * 2] * 4
    assert not measurements.cut_short


def test_rounds_that_the_usual_time_does_not_hold_are_cut_short() -> None:
    clock = FakeClock()
    measurements = measure("ab", FakeLayoutSource(clock, lambda _: 3 * S, restarts=True), clock)
    assert measurements.cut_short
    assert len({tuple(counts) for counts in count_rounds(measurements)}) == 1


@pytest.mark.parametrize("kind", ["about", "answers", "warm", "block", "memory"])
@pytest.mark.parametrize("death", [WorkerCrashed, EngineError])
def test_a_failure_costs_its_own_row(kind: str, death: type[InferBenchError]) -> None:
    clock = FakeClock()
    source = processes(clock, deaths={"b": (kind,)}, death=death)
    measurements = measure("abc", source, clock, rounds=6, processes=2)
    assert [key[1] for key in measurements.failures] == ([] if kind == "about" else ["b"])
    assert count_rounds(measurements)[0] == count_rounds(measurements)[2] == [3, 3]


def test_only_a_default_candidate_that_never_fitted_is_left_out() -> None:
    default, explicit = replace(candidate("a"), explicit=False), candidate("b")
    for error, expected in ((EngineError("wants text"), [default]), (WorkerCrashed("killed"), [])):
        assert Measurements([default, explicit], [1], {default.key: error}).left_out == expected
    assert Measurements([default], [1], {default.key: EngineError("wants text")}).left_out == []
