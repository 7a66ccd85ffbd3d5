"""Named outputs of networks: what rounding makes of them is the same, and nothing else is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.tensors.named_predictions import Method, NamedPredictions, Yardstick
from infer_bench.stats.agreement.tensors.network_comparison import NetworkComparison, compare_networks
from infer_bench.typing import Array
from tests.stats.agreement.tensors.simulated import make_weights, make_yardstick, predictions, requests, run, shake

LIMITS = Limits(1e-4, 1e-5, by_rounding=True)
METHODS: tuple[Method, ...] = ("float64", "noise")


def network(seed: int, rows: list[Array], method: Method = "float64") -> NamedPredictions:
    weights = make_weights(seed)
    return predictions({"y": [run(weights, row) for row in rows]}, make_yardstick(weights, rows, method))


def compare(one: NamedPredictions, other: NamedPredictions, limits: Limits = LIMITS) -> NetworkComparison:
    return compare_networks(one, other, limits)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12), scale=st.sampled_from([1.0, 255.0, 1e4]))
def test_another_order_of_sums_is_the_same(method: Method, seed: int, count: int, scale: float) -> None:
    rows = requests(count, seed, scale)
    other = predictions({"y": [run(make_weights(seed), row, chunk=7) for row in rows]})
    result = compare(network(seed, rows, method), other)
    assert not result.failing(LIMITS)
    assert not compare(other, network(seed, rows, method)).failing(LIMITS)


def _half_layer(weights: list[Array]) -> list[Array]:
    return [weights[0].astype(np.float16).astype(np.float32), *weights[1:]]


def _bias(weights: list[Array]) -> list[Array]:
    moved = weights[-1].copy()
    moved[:, 3] += 1e-4
    return [*weights[:-1], moved]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", [_half_layer, _bias])
@given(seed=st.integers(0, 10_000), count=st.integers(1, 8))
def test_a_fault_far_below_the_usual_tolerance_differs(method: Method, fault: Any, seed: int, count: int) -> None:
    rows = requests(count, seed)
    other = predictions({"y": [run(fault(make_weights(seed)), row, chunk=7) for row in rows]})
    for one, two in ((network(seed, rows, method), other), (other, network(seed, rows, method))):
        assert compare(one, two).failing(LIMITS)


@given(seed=st.integers(0, 10_000), at=st.integers(0, 9), request=st.integers(0, 7))
def test_one_wrong_element_does_not_hide_in_a_mean(seed: int, at: int, request: int) -> None:
    rows = requests(8, seed)
    values = [run(make_weights(seed), row, chunk=7) for row in rows]
    values[request][0, at] += 1e-3
    assert compare(network(seed, rows), predictions({"y": values})).failing(LIMITS) == {request}


def test_what_is_given_as_a_tolerance_decides_alone() -> None:
    rows = requests(6)
    weights = make_weights()
    other = predictions({"y": [run(_half_layer(weights), row) for row in rows]})
    result = compare(network(0, rows), other)
    assert result.failing(LIMITS)
    assert not compare(network(0, rows), other, Limits(1e-2)).failing(Limits(1e-2))
    assert compare(network(0, rows), other, Limits(1e-9)).failing(Limits(1e-9))


def _boxes(fault: float) -> tuple[NamedPredictions, NamedPredictions]:
    """Boxes to 320 in four channels beside scores of 0 to 1 in six, at 200 places."""
    rng = np.random.default_rng(5)
    scale = np.array([300.0] * 4 + [1.0] * 6).reshape(1, 10, 1)
    exact = rng.uniform(0.01, 1, (1, 10, 200)) * scale
    ours, theirs = (exact * (1 + rng.normal(0, 5e-8, exact.shape)) for _ in range(2))
    theirs[:, 4:] += fault
    one, other = ours.astype(np.float32), theirs.astype(np.float32)
    moved = exact * (1 + rng.normal(0, 5e-8, exact.shape))
    yardstick = Yardstick({"y": [exact]}, [{"y": [moved]}], np.ones(1))
    return predictions({"y": [one]}, yardstick), predictions({"y": [other]})


def test_scores_do_not_drown_in_what_boxes_round() -> None:
    assert not compare(*_boxes(0.0)).failing(LIMITS)
    result = compare(*_boxes(2e-6))
    assert result.failing(LIMITS) == {0}
    pools = result.outputs["y"].pools()
    assert [len(pool.slices) for pool in pools] == [6, 4]
    assert [pool.errors.is_different for pool in pools] == [True, False]


def test_a_small_request_does_not_hide_behind_large_ones() -> None:
    rows = [*requests(7, 1, 1000.0), *requests(7, 2)]
    values = [run(make_weights(), row, chunk=7) for row in rows]
    values[9] = values[9] + np.float32(3e-5)
    assert compare(network(0, rows), predictions({"y": values})).failing(LIMITS) == {9}


@pytest.mark.parametrize("seed", range(4))
def test_blocks_add_up_to_the_whole(seed: int) -> None:
    rows = requests(9, seed)
    reference, other = network(seed, rows), [run(make_weights(seed), row, chunk=5) for row in rows]
    other[4] = other[4] * np.float32(1.001)
    whole = compare(reference, predictions({"y": other}))
    parts = NetworkComparison()
    for start, stop in ((0, 2), (2, 3), (3, 9)):
        ours = _cut(reference, start, stop)
        parts += compare_networks(ours, predictions({"y": other[start:stop]}), LIMITS, first=start)
    assert parts.failing(LIMITS) == whole.failing(LIMITS) == {4}
    assert parts.requests == 9
    assert parts.outputs["y"].tally == whole.outputs["y"].tally
    pools = [one.outputs["y"].worst_pool() for one in (parts, whole)]
    ratios = [pool.ratio for pool in pools if pool is not None]
    assert ratios[0] == pytest.approx(ratios[1])


def _cut(predicted: NamedPredictions, start: int, stop: int) -> NamedPredictions:
    def part(arrays: Any) -> Any:
        return {name: values[start:stop] for name, values in arrays.items()}

    yard = predicted.yardstick
    assert yard is not None
    shaken = [part(draw) for draw in yard.shaken]
    yardstick = Yardstick(part(yard.exact), shaken, yard.sizes[start:stop], yard.method)
    return NamedPredictions(part(predicted.outputs), predicted.refusals[start:stop], "", yardstick)


@pytest.mark.parametrize(
    ("ours", "theirs", "failing"),
    [
        (np.array([[1, 2]]), np.array([[1, 2]]), 0),
        (np.array([[1, 2]]), np.array([[1, 3]]), 1),
        (np.array([[1, 2]], np.int64), np.array([[1, 2]], np.int32), 0),
        (np.array([True]), np.array([False]), 1),
        (np.array([["a", "é"]], object), np.array([["a", "é"]], object), 0),
        (np.array([["a", "b"]], object), np.array([["a", "c"]], object), 1),
        (np.array([["1"]], object), np.array([[1]]), 1),
        (np.array([[2**53]], np.int64), np.array([[2**53 + 1]], np.int64), 1),
        (np.array([[2**64 - 1]], np.uint64), np.array([[2**64 - 2]], np.uint64), 1),
        (np.array([[1.0, np.nan]], np.float32), np.array([[1.0, np.nan]], np.float32), 0),
        (np.array([[1.0, np.inf]], np.float32), np.array([[1.0, -np.inf]], np.float32), 1),
        (np.array([[1.0, np.nan]], np.float32), np.array([[1.0, 0.0]], np.float32), 1),
        (np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float32), 1),
        (np.zeros((1, 0, 3), np.float32), np.zeros((1, 0, 3), np.float32), 0),
        (np.float32(1.0), np.float32(1.0), 0),
        (np.float32(1.0), np.float32(1.1), 1),
        (np.array([[1.0]], np.float16), np.array([[1.0]], np.float16), 0),
    ],
)
def test_every_dtype_and_shape(ours: Any, theirs: Any, failing: int) -> None:
    result = compare(predictions({"y": [ours]}), predictions({"y": [theirs]}))
    assert len(result.failing(LIMITS)) == failing


def test_sizes_that_follow_values_are_compared_where_they_agree() -> None:
    ours = [np.arange(3), np.arange(2), np.arange(4)]
    theirs = [np.arange(3), np.arange(3), np.arange(4)]
    result = compare(predictions({"y": ours}), predictions({"y": theirs}))
    assert result.failing(LIMITS) == {1}
    assert result.outputs["y"].unlike == (1, (2,), (3,))
    assert result.outputs["y"].varies


def test_a_tie_of_scores_is_no_other_label() -> None:
    near = np.array([[0.25, 0.375, np.nextafter(np.float32(0.375), np.float32(1))]], np.float32)
    swapped = near[:, [0, 2, 1]]
    clear = np.array([[0.25, 0.35, 0.4]], np.float32)
    result = compare(predictions({"probs": [near, clear]}), predictions({"probs": [swapped, clear]}))
    assert result.outputs["probs"].label_changes(LIMITS) == (1, 1)
    assert not result.failing(LIMITS)
    other = compare(predictions({"probs": [clear]}), predictions({"probs": [clear[:, [0, 2, 1]]]}), Limits(1.0))
    assert other.outputs["probs"].label_changes(Limits(1.0)) == (1, 0)
    assert other.failing(Limits(1.0)) == {0}


def test_an_index_that_hangs_on_rounding_is_a_tie() -> None:
    weights = make_weights()
    weights[-1] = np.repeat(weights[-1][:, :1], 10, axis=1)
    rows = requests(5)
    firsts = [np.argmax(run(weights, row), axis=1) for row in rows]
    draws = [{"i": [np.argmax(run(shake(weights, s), row), axis=1) for row in rows]} for s in range(40)]
    yardstick = Yardstick({"i": firsts}, draws, np.ones(5), "noise")
    indices = [np.array([next(int(d["i"][i][0]) for d in draws if d["i"][i][0] != firsts[i][0])]) for i in range(5)]
    result = compare(predictions({"i": firsts}, yardstick), predictions({"i": indices}))
    assert not result.failing(LIMITS)
    assert sum(request.ties for request in result.outputs["i"].requests) == 5
    beyond = compare(predictions({"i": firsts}, yardstick), predictions({"i": [first + 50 for first in firsts]}))
    assert len(beyond.failing(LIMITS)) == 5


def test_what_one_side_alone_gives_or_refuses_is_told() -> None:
    two = {"a": [np.zeros((1, 2))] * 2, "b": [np.zeros((1, 2))] * 2}
    result = compare(predictions(two), predictions({"b": two["b"], "c": two["b"]}))
    assert (result.missing, result.extra) == (("a",), ("c",))
    refusing = NamedPredictions({"a": two["a"]}, np.array([False, True]))
    other = compare(predictions({"a": two["a"]}), refusing)
    assert not other.candidate_alone
    assert other.reference_alone == other.failing(LIMITS) == {1}


def test_rounding_measures_nothing_where_the_network_itself_is_far_off() -> None:
    exact, ours, theirs = (np.array([[value]], np.float32) for value in (1.0, 1.5, 1.4))
    yardstick = Yardstick({"y": [exact]}, [{"y": [exact]}], np.ones(1))
    assert compare(predictions({"y": [ours]}, yardstick), predictions({"y": [theirs]})).failing(LIMITS) == {0}
    assert not compare(predictions({"y": [ours]}, yardstick), predictions({"y": [ours]})).failing(LIMITS)


def test_a_probability_is_no_nearer_than_an_ulp_of_a_half() -> None:
    exact = [np.array([[value]]) for value in (0.0011, 0.0009, 0.0012)]
    ours = [values.astype(np.float32) for values in exact]
    yardstick = Yardstick({"p": exact}, [{"p": exact}], np.ones(3))

    def failing(delta: float) -> int:
        theirs = [values + np.float32(delta) for values in ours]
        return len(compare(predictions({"p": ours}, yardstick), predictions({"p": theirs})).failing(LIMITS))

    assert (failing(3e-8), failing(5e-6)) == (0, 3)
    signed = [-values for values in exact], [-values for values in ours]
    yardstick = Yardstick({"p": signed[0]}, [{"p": signed[0]}], np.ones(3))
    theirs = [values + np.float32(3e-8) for values in signed[1]]
    assert compare(predictions({"p": signed[1]}, yardstick), predictions({"p": theirs})).failing(LIMITS)


def test_small_numbers_are_measured_too_where_their_loss_would_show() -> None:
    exact = [np.array([[1e-5, 2e-5, value]]) for value in (1.1e-5, 0.9e-5)]
    ours = [values.astype(np.float32) for values in exact]
    yardstick = Yardstick({"y": exact}, [{"y": exact}], np.ones(2))
    for factor, failing in ((0.0, {0, 1}), (1.0 + 1e-6, set())):
        theirs = [values * np.float32(factor) for values in ours]
        result = compare(predictions({"y": ours}, yardstick), predictions({"y": theirs}))
        assert result.failing(LIMITS) == failing
        assert result.outputs["y"].worst_pool() is not None
