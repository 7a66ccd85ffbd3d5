"""When requests are due."""

import numpy as np

from infer_bench.measure.load.generator.schedule import plan_arrivals

SECOND = 1_000_000_000


def test_constant_arrivals_are_evenly_spaced() -> None:
    assert plan_arrivals(4, SECOND, "constant", 0).tolist() == [0, SECOND // 4, SECOND // 2, 3 * SECOND // 4]


def test_poisson_arrivals_are_as_many_as_asked_for_and_the_same_for_a_seed() -> None:
    times = plan_arrivals(10_000, SECOND, "poisson", 1)
    assert len(times) == 10_000
    assert (np.diff(times) >= 0).all()
    assert times[0] >= 0
    assert times[-1] < SECOND
    assert (times == plan_arrivals(10_000, SECOND, "poisson", 1)).all()
    assert (times != plan_arrivals(10_000, SECOND, "poisson", 2)).any()


def test_gaps_of_poisson_arrivals_are_exponential() -> None:
    gaps = np.diff(plan_arrivals(100_000, SECOND, "poisson", 0)) / 10_000
    assert abs(gaps.mean() - 1) < 0.02
    assert abs(gaps.std() - 1) < 0.02
    assert abs((gaps > 1).mean() - np.exp(-1)) < 0.01


def test_nothing_is_due_in_no_time() -> None:
    assert len(plan_arrivals(0, 0, "constant", 0)) == len(plan_arrivals(0, 0, "poisson", 0)) == 0
