"""When a load says nothing of the server."""

import numpy as np
import pytest

from infer_bench.measure.load.outcome.validity import Waits, count_outstanding, judge_validity
from infer_bench.report.common import Notice
from infer_bench.stats.load.times import summarize_times
from infer_bench.typing import Samples

US = 1_000
NO_WAITS = Waits()
LATENCY = summarize_times(np.full(1_000, 200 * US))


def judge(
    delay: Samples, waits: Waits = NO_WAITS, busy_share: float | None = 0.5, outstanding: int = 100
) -> list[Notice]:
    return list(judge_validity(LATENCY, delay, waits, 64, outstanding, busy_share))


def test_a_prompt_generator_is_valid() -> None:
    assert judge(np.full(1_000, 20 * US)) == []


def test_lag_beyond_a_tenth_of_the_p50_is_not() -> None:
    delay = np.full(1_000, US)
    delay[:11] = 21 * US
    (reason,) = judge(delay)
    assert reason.code == "lag"
    assert "10 %" in reason.message
    delay[10] = US
    assert judge(delay) == []


@pytest.mark.parametrize(
    ("lag_ns", "share"), [(20_001, "10.001 %"), (20_040, "10.02 %"), (21_600, "10.8 %"), (2_469_136, "1,235 %")]
)
def test_a_delay_near_the_limit_is_told_with_the_digits_it_takes(lag_ns: int, share: str) -> None:
    (reason,) = judge(np.full(1_000, lag_ns))
    assert f"the delay is {share} of the p50, 10 % are allowed" in reason.message


@pytest.mark.parametrize(("failures", "codes"), [(499, []), (501, ["errors"]), (1_000, ["errors"])])
def test_without_a_p50_there_is_nothing_to_judge_by(failures: int, codes: list[str]) -> None:
    latency = summarize_times(np.full(1_000 - failures, 200 * US), failures)
    reasons = judge_validity(latency, np.full(1_000, US), NO_WAITS, 64, 100, 0.5)
    assert [reason.code for reason in reasons] == codes


def test_connections_that_ran_out_are_told_with_how_many_it_takes() -> None:
    (reason,) = judge(np.full(1_000, US), Waits(3, late=1))
    assert reason.code == "connections"
    assert "3 of 1,000" in reason.message
    assert "--connections 128" in reason.hint
    (reason,) = judge(np.full(1_000, US), Waits(3), outstanding=9_000)
    assert "--connections 10000," in reason.hint
    (reason,) = judge(np.full(1_000, US), Waits(3), outstanding=20_000)
    assert "--connections" not in reason.hint


def test_connections_that_a_pause_of_the_generator_took_are_told_apart() -> None:
    delay = np.full(1_000, US)
    delay[:3] = 40_000 * US
    waited = np.zeros(1_000, dtype=np.bool_)
    waited[:5] = True
    (reason,) = judge(delay, Waits.count_from(waited, delay))
    assert reason.code == "connections"
    assert reason.message.endswith("held up itself, for 40 ms at the most")
    assert "--connections" not in reason.hint


def test_a_generator_that_has_no_time_left_is_not() -> None:
    (reason,) = judge(np.full(1_000, US), busy_share=0.95)
    assert reason.code == "cpu"


def test_the_most_outstanding_requests() -> None:
    due, settled = np.array([0, 10, 20, 30]), np.array([10, 40, 35, 50])
    assert count_outstanding(due, settled) == 3
    assert count_outstanding(due[:0], settled[:0]) == 0
