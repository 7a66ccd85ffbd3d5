"""Comparing answers in shards: zero against itself, blind to order, and exact under merging."""

import math
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infer_bench.stats.agreement.compare import Comparison, Limits, compare, differing, merge
from infer_bench.stats.agreement.sketch import RELATIVE_WIDTH

NAN, INF = float("nan"), float("inf")
LIMITS = Limits(atol=1e-6, rtol=1e-3, threshold=0.5, worst=3)


@st.composite
def pairs(draw: st.DrawFn, least: int = 0) -> tuple[Any, Any, tuple[Any, Any]]:
    """Answers of two sides, close ones and any others, with labels."""
    shape = (draw(st.integers(least, 12)), draw(st.integers(1, 3)))
    ours = draw(arrays(np.float64, shape, elements=st.floats()))
    other = draw(arrays(np.float64, shape, elements=st.floats() | st.sampled_from([0.5, 0.0, NAN, INF])))
    with np.errstate(all="ignore"):
        near = ours * (1 + 1e-7)
    theirs = np.where(draw(arrays(np.bool_, shape)), near, other)
    labels = draw(st.tuples(*[arrays(np.int64, shape[0], elements=st.integers(0, 2))] * 2))
    return ours, theirs, labels


@given(pairs())
def test_answers_against_themselves_are_zero(pair: Any) -> None:
    ours, _, (labels, _) = pair
    found = compare(ours, ours, LIMITS, labels=(labels, labels))
    assert (found.failing, found.flips, found.label_changes, found.non_finite_mismatches) == (0, 0, 0, 0)
    assert (found.max_abs, found.passing_atol, found.passing_rtol) == (0, 0, 0)
    assert (found.pooled.mean_abs, found.pooled.rmse, found.pooled.quantile(0.999)) == (0, 0, 0)
    assert (found.pooled.max_ulps32, found.pooled.max_ulps64, found.worst.lines) == (0, 0, ())


@given(pairs(least=1), st.randoms(use_true_random=False), st.integers(1, 5))
def test_shards_in_any_order_merge_into_the_whole(pair: Any, random: Any, cuts: int) -> None:
    ours, theirs, labels = pair
    order = list(range(len(ours)))
    random.shuffle(order)
    parts = [np.array(order[i::cuts], dtype=np.int64) for i in range(cuts)]
    known = [(labels[0][part], labels[1][part]) if len(part) else None for part in parts]
    shards = [
        compare(ours[part], theirs[part], LIMITS, rows=part, labels=held)
        for part, held in zip(parts, known, strict=True)
    ]
    whole = compare(ours, theirs, LIMITS, labels=labels)
    assert reduce(merge, shards) == whole
    assert merge(Comparison(), whole) == whole


@given(pairs())
@example((np.array([[2252227659269264.0]]), np.array([[0.0]]), None))
@example((np.array([[1000.0]]), np.array([[1001.0000000000001]]), None))
@example((np.array([[1e308]]), np.array([[-1e308]]), None))
def test_the_smallest_tolerance_passes_and_the_next_lower_one_does_not(pair: Any) -> None:
    ours, theirs, _ = pair
    for rtol in (0.0, 1e-3):
        atol = compare(ours, theirs, Limits(rtol=rtol)).passing_atol
        if atol is None:
            assert differing(ours, theirs, Limits(atol=1e300, rtol=1.0)).any()
        else:
            assert not differing(ours, theirs, Limits(atol=atol, rtol=rtol)).any()
            if atol > 0:
                assert differing(ours, theirs, Limits(atol=math.nextafter(atol, -INF), rtol=rtol)).any()


@given(pairs())
def test_the_smallest_relative_tolerance_passes_and_the_next_lower_one_does_not(pair: Any) -> None:
    ours, theirs, _ = pair
    share = compare(ours, theirs, Limits(atol=1e-9)).passing_rtol
    if share is None:
        assert differing(ours, theirs, Limits(atol=1e-9, rtol=1e300)).any()
    else:
        assert not differing(ours, theirs, Limits(atol=1e-9, rtol=share)).any()
        if share > 0:
            assert differing(ours, theirs, Limits(atol=1e-9, rtol=math.nextafter(share, -INF))).any()


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1e300)))
def test_means_are_correctly_rounded(gaps: Any) -> None:
    found = compare(np.zeros(len(gaps)), gaps).pooled
    assert found.mean_abs == float(sum(map(Fraction, gaps.tolist())) / len(gaps))


@settings(max_examples=25)
@given(st.integers(1, 3000), st.integers(0, 99), st.sampled_from([0.5, 0.9, 0.999]))
def test_a_quantile_is_at_most_a_128th_too_high(count: int, seed: int, share: float) -> None:
    gaps = np.random.default_rng(seed).lognormal(-20, 6, count)
    exact = np.sort(gaps)[max(1, math.ceil(share * count)) - 1]
    found = compare(np.zeros(count), gaps).pooled.quantile(share)
    assert exact <= found <= exact * (1 + RELATIVE_WIDTH)


@pytest.mark.parametrize(
    ("ours", "theirs", "mismatches", "failing", "finite"),
    [
        ([NAN, INF, -INF], [NAN, INF, -INF], 0, 0, 0),
        ([NAN, INF, INF, 1.0], [1.0, -INF, NAN, INF], 4, 4, 0),
        ([1.0, NAN], [1.0, 2.0], 1, 1, 1),
    ],
)
def test_what_is_not_finite_is_counted_and_never_averaged(
    ours: list[float], theirs: list[float], mismatches: int, failing: int, finite: int
) -> None:
    found = compare(ours, theirs)
    assert (found.non_finite_mismatches, found.failing, found.pooled.finite) == (mismatches, failing, finite)
    assert found.max_abs == 0
    assert found.passing_atol == (None if mismatches else 0)


def test_figures_of_a_case_done_by_hand() -> None:
    found = compare([0.4, 0.6, 1.0, 2.0], [0.4, 0.4, 1.0, np.nextafter(2.0, 3)], Limits(0.1, threshold=0.5))
    tally = found.outputs[0]
    assert (found.failing, found.flips, tally.flips) == (1, 1, 1)
    assert tally.max_abs == pytest.approx(0.2)
    assert tally.max_relative == pytest.approx(1 / 3)
    assert tally.rmse == pytest.approx(0.1)
    assert tally.mean_abs == pytest.approx(0.05)
    assert found.worst.lines[0][:2] == (1, 0)
    assert compare([2.0], [np.nextafter(2.0, 3)]).pooled.max_ulps64 == 1
    assert compare([np.float32(2)], [np.nextafter(np.float32(2), np.float32(0))]).pooled.max_ulps32 == 1
    assert compare([-5e-324], [5e-324]).pooled.max_ulps64 == 2
    assert compare([-1.7e308], [1.7e308]).pooled.max_ulps64 > 2**63


def test_labels_are_compared_as_labels() -> None:
    one = np.array([1, "a", "1", True, None], dtype=object)
    other = np.array([1.0, "b", 1, 1, None], dtype=object)
    found = compare(np.zeros(5), np.zeros(5), labels=(one, other))
    assert (found.label_changes, found.failing) == (2, 2)


def test_the_largest_output_is_followed() -> None:
    found = compare([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1]], [[0.4, 0.5, 0.1], [0.2, 0.7, 0.1]], Limits(atol=1))
    assert found.argmax_changes == 1


def test_rank_correlation_of_ties_and_reversals() -> None:
    scores = np.array([1.0, 2.0, 2.0, 3.0])
    assert compare(scores, scores * 10).sample.rank_correlation() == 1
    assert compare(scores, -scores).sample.rank_correlation() == pytest.approx(-1)
    assert compare(scores, np.ones(4)).sample.rank_correlation() is None


def test_a_sample_does_not_depend_on_how_rows_were_split() -> None:
    ours = np.random.default_rng(0).random(10_000)
    halves = [compare(ours[s], ours[s] ** 2, rows=np.arange(10_000)[s]) for s in (slice(7_000, None), slice(7_000))]
    assert merge(*halves).sample == compare(ours, ours**2).sample


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        compare(np.zeros((2, 1)), np.zeros((2, 2)))
