"""The highest rate that a limit on the time in a queue holds at, against what is known of queues."""

import numpy as np
import pytest

from infer_bench.stats.queue import MOST_BUSY, find_highest_rate, simulate_times

MS = 1e6


def test_exponential_service_is_the_queue_of_the_textbook() -> None:
    """M/M/1: the time in the system is exponential with the mean 1 / (mu - lambda)."""
    service = np.random.default_rng(1).standard_exponential(200_000) * MS
    rate = find_highest_rate(service, 0.99, 20 * MS)
    assert rate == pytest.approx(1000 - np.log(100) / 0.020, rel=0.03)


def test_times_follow_from_those_before() -> None:
    service, gaps = np.array([5.0, 1.0, 4.0, 2.0]), np.array([2.0, 9.0, 1.0, 1.0])
    assert simulate_times(service, gaps).tolist() == [5.0, 4.0, 4.0, 5.0]


def test_a_limit_that_single_requests_break_holds_at_no_rate() -> None:
    assert find_highest_rate(np.array([1.0, 9.0]) * MS, 0.9, 5 * MS) is None


def test_a_loose_limit_leaves_no_server_busier_than_can_be_told() -> None:
    assert find_highest_rate(np.full(10, MS), 0.5, 1e12) == pytest.approx(MOST_BUSY * 1000)


def test_a_tail_costs_more_than_its_mean() -> None:
    steady, tailed = np.full(1000, MS), np.r_[np.full(995, 0.9 * MS), np.full(5, 20.9 * MS)]
    assert steady.mean() == pytest.approx(tailed.mean())
    assert (find_highest_rate(tailed, 0.99, 4 * MS) or 0) < 0.8 * (find_highest_rate(steady, 0.99, 4 * MS) or 0)
