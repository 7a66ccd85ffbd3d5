"""How many samples and calls a block holds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.measure.schedule.budget import LEAST_ROUNDS
from infer_bench.measure.schedule.sampling import (
    BLOCK_NS,
    NEARLY_GROUPED_NS,
    count_shared_calls,
    plan_sampling,
    plan_whole_requests,
)
from infer_bench.measure.settings import DEFAULT_ROUNDS
from infer_bench.stats.percentiles import minimum_samples
from infer_bench.workers.timing.runner import GROUPED_NS, SHORT_NS


@given(request_ns=st.integers(1, 10**11))
def test_a_block_lasts_ten_milliseconds_and_shares_samples_only_below_five_microseconds(request_ns: int) -> None:
    plan = plan_sampling(request_ns, "single_stream")
    assert plan.samples * plan.calls * request_ns >= BLOCK_NS
    assert (plan.calls > 1) == (request_ns < GROUPED_NS)
    assert plan.phases == (request_ns >= SHORT_NS)
    if request_ns > 100_000_000:
        assert plan.samples == 1


@given(request_ns=st.integers(1, 10**11))
def test_the_usual_rounds_carry_a_p99_up_to_six_milliseconds_and_a_p95_up_to_fifty(request_ns: int) -> None:
    plan = plan_sampling(request_ns, "single_stream")
    samples = DEFAULT_ROUNDS * plan.samples
    if request_ns <= 6_250_000:
        assert samples >= minimum_samples(0.99)
    if request_ns <= 50_000_000:
        assert samples >= minimum_samples(0.95)
    if plan.samples * request_ns > 100_000_000:
        assert plan.samples == 1


@pytest.mark.parametrize(("request_ns", "samples"), [(3_000_000, 8), (12_500_000, 4), (25_000_000, 2), (40_000_000, 2)])
def test_slow_requests_have_as_many_samples_as_percentiles_take(request_ns: int, samples: int) -> None:
    assert plan_sampling(request_ns, "single_stream").samples == samples


@pytest.mark.parametrize(("request_ns", "samples"), [(3_000_000, 10), (12_500_000, 8), (60_000_000, 1)])
def test_the_blocks_of_a_gate_have_ten_samples_while_they_stay_below_100_ms(request_ns: int, samples: int) -> None:
    assert plan_whole_requests(request_ns, "single_stream", 1, 10**9).samples == samples


@given(request_ns=st.integers(1, 10**11))
def test_offline_a_block_is_one_sample_of_as_many_calls(request_ns: int) -> None:
    plan = plan_sampling(request_ns, "offline")
    single = plan_sampling(request_ns, "single_stream")
    assert (plan.samples, plan.calls) == (1, single.samples * single.calls)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=5), st.integers(1, 500), st.integers(1, 10**9))
def test_requests_that_are_nearly_as_short_as_the_shortest_share_samples_alike(
    requests_ns: list[int], samples: int, most_ns: int
) -> None:
    calls = count_shared_calls(requests_ns)
    assert (calls > 1) == (min(requests_ns) < GROUPED_NS)
    for request_ns in requests_ns:
        plan = plan_whole_requests(request_ns, "single_stream", samples, most_ns, calls)
        assert plan.calls == (calls if request_ns < NEARLY_GROUPED_NS else 1)
        assert not plan.phases
        assert plan.samples * plan.calls * request_ns >= BLOCK_NS
        assert plan.samples >= samples or samples * plan.calls * request_ns > most_ns


@given(request_ns=st.integers(10_000, 10**8), samples=st.integers(2, 500), most_ns=st.integers(1, 10**9))
def test_where_a_block_is_too_short_for_a_percentile_the_fewest_rounds_hold_it_together(
    request_ns: int, samples: int, most_ns: int
) -> None:
    plan, usual = (plan_whole_requests(request_ns, "single_stream", count, most_ns) for count in (samples, 1))
    if LEAST_ROUNDS * (most_ns // request_ns) >= samples:
        assert LEAST_ROUNDS * plan.samples >= samples
        assert plan.samples * request_ns <= max(most_ns, usual.samples * request_ns)
    else:
        assert plan == usual


@given(st.integers(1, 10**9), st.integers(1, 500))
def test_a_gate_changes_nothing_offline_but_that_it_times_no_phases(request_ns: int, samples: int) -> None:
    whole = plan_sampling(request_ns, "offline")
    assert plan_whole_requests(request_ns, "offline", samples, 10**9, 7) == replace(whole, split=False)
