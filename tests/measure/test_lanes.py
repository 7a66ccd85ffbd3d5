"""How many samples and calls a block holds."""

from hypothesis import given
from hypothesis import strategies as st

from infer_bench.measure.lanes import BLOCK_NS, shape_of
from infer_bench.workers.runner import GROUPED_NS, SHORT_NS


@given(request_ns=st.integers(1, 10**11))
def test_a_block_lasts_ten_milliseconds_and_shares_samples_only_below_five_microseconds(request_ns: int) -> None:
    shape = shape_of(request_ns, "single_stream")
    assert shape.samples * shape.calls * request_ns >= BLOCK_NS
    assert (shape.calls > 1) == (request_ns < GROUPED_NS)
    assert shape.phases == (request_ns >= SHORT_NS)
    if request_ns <= 10_000_000:
        assert shape.samples >= 10
    if request_ns > 100_000_000:
        assert shape.samples == 1


@given(request_ns=st.integers(1, 10**11))
def test_offline_a_block_is_one_sample_of_as_many_calls(request_ns: int) -> None:
    shape = shape_of(request_ns, "offline")
    single = shape_of(request_ns, "single_stream")
    assert (shape.samples, shape.calls) == (1, single.samples * single.calls)
