"""A limit is broken where that is shown, and not where chance puts a percentile a little beyond it."""

import numpy as np
import pytest

from infer_bench.gates.limits import parse_bound
from infer_bench.measure.load.generator.rate_search import judge_trial
from infer_bench.measure.load.outcome.limits import check_limits
from infer_bench.measure.load.outcome.verdict import conclude
from infer_bench.report.load import LatencyLimit
from infer_bench.typing import Samples
from tests.measure.load.generator.results import make_result

P99 = (parse_bound("p99<20ms"),)
RNG = np.random.default_rng(11)


def draw(p99_ms: float, count: int) -> Samples:
    """Independent latencies in ns, of a log-normal whose p99 is that."""
    return (p99_ms * 1e6 * np.exp(0.5 * (RNG.standard_normal(count) - 2.3263478740408408))).astype(np.int64)


def count_broken(p99_ms: float, count: int, runs: int) -> int:
    return sum(check_limits(P99, draw(p99_ms, count), 0)[0].status == "broken" for _ in range(runs))


@pytest.mark.parametrize("count", [500, 3000])
def test_a_service_at_its_limit_is_hardly_ever_said_to_break_it(count: int) -> None:
    assert count_broken(20.0, count, 1000) <= 20
    assert count_broken(18.0, count, 300) == 0


@pytest.mark.parametrize(("p99_ms", "count"), [(22.0, 10_000), (30.0, 1000), (40.0, 500)])
def test_a_slower_one_is_told(p99_ms: float, count: int) -> None:
    assert count_broken(p99_ms, count, 100) >= 95


def test_what_is_too_close_is_undecided_and_said_so() -> None:
    latencies = np.full(1000, 10_000_000)
    latencies[-12:] = 20_400_000
    (limit,) = check_limits(P99, latencies, 0)
    assert limit == LatencyLimit("p99<20ms", "p99", 20e6, 20_400_000, "undecided", is_close=True)
    verdict = conclude([make_result(limits=(limit,), samples=1000)])
    assert (verdict.status, verdict.exit_code) == ("inconclusive", 3)
    assert "p99 is 20.4 ms, the limit is p99<20ms: too close for 1,000 requests" in verdict.reasons[0]
    assert judge_trial(make_result(limits=(limit,))).limits[0].status == "broken"


def test_requests_without_an_answer_lie_beyond_every_limit() -> None:
    few, many = (check_limits(P99, np.full(1000 - failures, 10), failures)[0] for failures in (12, 40))
    assert (few.status, few.is_close, few.value_ns) == ("undecided", True, None)
    assert (many.status, many.is_close, many.value_ns) == ("broken", False, None)


def test_all_beyond_and_all_at_the_limit_break_it() -> None:
    assert check_limits(P99, np.full(500, 20_000_000), 0)[0].status == "broken"
    assert check_limits(P99, np.full(500, 19_999_999), 0)[0].status == "holds"
    assert check_limits(P99, np.full(400, 20_000_000), 0)[0] == LatencyLimit("p99<20ms", "p99", 20e6, None, "undecided")
