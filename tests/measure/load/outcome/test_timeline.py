"""A load over time."""

import numpy as np

from infer_bench.measure.load.outcome.timeline import build_timeline
from infer_bench.report.load import LoadInterval

S = 1_000_000_000


def test_each_interval_has_its_requests_its_errors_and_the_latency_of_the_others() -> None:
    due = np.array([0, S // 2, 2 * S, 2 * S + 1, 5 * S])
    latencies = np.array([10, 30, -5, 50, -7])
    timeline = build_timeline(due, latencies, np.array([True, True, False, True, False]), 60 * S)
    assert timeline == (
        LoadInterval(0, 2, 0, 20, 30),
        LoadInterval(2 * S, 2, 1, 50, 50),
        LoadInterval(5 * S, 1, 1, None, None),
    )


def test_a_short_load_has_no_intervals_of_a_few_requests() -> None:
    due = np.arange(0, S, S // 1000)
    timeline = build_timeline(due, due + 1, np.ones(len(due), dtype=bool), S)
    assert [interval.start_ns for interval in timeline] == [n * S // 10 for n in range(10)]
    assert {interval.samples for interval in timeline} == {100}
    assert build_timeline(due[:0], due[:0], np.ones(0, dtype=bool), S) == ()
