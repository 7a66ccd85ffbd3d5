"""Comparing predictions in shards: zero against itself, blind to order, and exact under adding."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infer_bench.stats.agreement.comparison import Comparison, compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.stats.agreement.row_outcomes import RowOutcomes
from infer_bench.stats.agreement.sketch import RELATIVE_WIDTH

NAN, INF = float("nan"), float("inf")
LIMITS = Limits(atol=1e-6, rtol=1e-3, threshold=0.5, worst=3)


def predictions(values: Any, labels: Any = None, refusals: Any = ()) -> Predictions:
    """Predictions (rows, outputs), or of one output (rows,); `refusals` are places."""
    array = np.asarray(values, dtype=np.float64)
    array = array.reshape(-1, 1) if array.ndim < 2 else array
    mask = np.isin(np.arange(len(array)), np.array(refusals, dtype=np.int64))
    return Predictions(array, mask, None if labels is None else Labels.of(labels))


def compare_values(ours: Any, theirs: Any, limits: Limits | None = None, **options: Any) -> Comparison:
    return compare(predictions(ours), predictions(theirs), limits, **options)


def differing(ours: Any, theirs: Any, limits: Limits) -> Any:
    return RowOutcomes.of(predictions(ours), predictions(theirs), limits).differ


@st.composite
def pairs(draw: st.DrawFn, least: int = 0, with_refusals: bool = False) -> tuple[Predictions, Predictions]:
    """Predictions of two models, close ones and any others, with labels."""
    shape = (draw(st.integers(least, 12)), draw(st.integers(1, 3)))
    ours = draw(arrays(np.float64, shape, elements=st.floats()))
    other = draw(arrays(np.float64, shape, elements=st.floats() | st.sampled_from([0.5, 0.0, NAN, INF])))
    with np.errstate(all="ignore"):
        near = ours * (1 + 1e-7)
    theirs = np.where(draw(arrays(np.bool_, shape)), near, other)
    blocks = []
    for values in (ours, theirs):
        refusals = draw(arrays(np.bool_, shape[0])) if with_refusals else np.zeros(shape[0], dtype=np.bool_)
        labels = Labels.of(draw(arrays(np.int64, shape[0], elements=st.integers(0, 2))).tolist())
        blocks.append(Predictions(np.where(refusals[:, None], NAN, values), refusals, labels))
    return blocks[0], blocks[1]


@given(pairs(with_refusals=True))
def test_predictions_against_themselves_are_zero(pair: Any) -> None:
    result = compare(pair[0], pair[0], LIMITS)
    assert (result.failing, result.flips, result.label_changes, result.non_finite_mismatches) == (
        0,
        0,
        0,
        0,
    )
    assert (result.max_abs, result.max_scaled, result.passing_atol, result.passing_rtol) == (0, 0, 0, 0)
    assert (result.pooled.mean_abs, result.pooled.rmse, result.pooled.quantile(0.999)) == (0, 0, 0)
    assert (result.pooled.max_ulps32, result.pooled.max_ulps64, result.worst.lines) == (0, 0, ())
    assert (result.reference_alone, result.candidate_alone, result.widths) == (0, 0, None)


@given(pairs(least=1, with_refusals=True), st.randoms(use_true_random=False), st.integers(1, 5))
def test_shards_in_any_order_add_up_to_the_whole(pair: Any, random: Any, cuts: int) -> None:
    ours, theirs = pair
    order = list(range(len(ours.values)))
    random.shuffle(order)
    parts = [np.array(order[i::cuts], dtype=np.int64) for i in range(cuts)]
    shards = [compare(ours.take(part), theirs.take(part), LIMITS, rows=part) for part in parts]
    whole = compare(ours, theirs, LIMITS)
    assert sum(shards, Comparison()) == whole
    assert Comparison() + whole == whole


@given(pairs(with_refusals=True))
def test_the_two_may_change_places(pair: Any) -> None:
    ours, theirs = pair
    one, other = compare(ours, theirs, Limits(1e-6)), compare(theirs, ours, Limits(1e-6))
    assert (one.reference_alone, one.candidate_alone) == (other.candidate_alone, other.reference_alone)
    for name in ("rows", "common", "failing", "label_changes", "non_finite_mismatches", "max_abs", "passing_atol"):
        assert getattr(one, name) == getattr(other, name), name


@given(pairs())
@example((predictions(2252227659269264.0), predictions(0.0)))
@example((predictions(1000.0), predictions(1001.0000000000001)))
@example((predictions(1e308), predictions(-1e308)))
def test_the_smallest_tolerance_passes_and_the_next_lower_one_does_not(pair: Any) -> None:
    ours, theirs = (block.values for block in pair)
    for rtol in (0.0, 1e-3):
        atol = compare_values(ours, theirs, Limits(rtol=rtol)).passing_atol
        if atol is None:
            assert differing(ours, theirs, Limits(atol=1e300, rtol=1.0)).any()
        else:
            assert not differing(ours, theirs, Limits(atol=atol, rtol=rtol)).any()
            if atol > 0:
                assert differing(ours, theirs, Limits(atol=math.nextafter(atol, -INF), rtol=rtol)).any()


@given(pairs())
def test_the_smallest_relative_tolerance_passes_and_the_next_lower_one_does_not(pair: Any) -> None:
    ours, theirs = (block.values for block in pair)
    share = compare_values(ours, theirs, Limits(atol=1e-9)).passing_rtol
    if share is None:
        assert differing(ours, theirs, Limits(atol=1e-9, rtol=1e300)).any()
    else:
        assert not differing(ours, theirs, Limits(atol=1e-9, rtol=share)).any()
        if share > 0:
            assert differing(ours, theirs, Limits(atol=1e-9, rtol=math.nextafter(share, -INF))).any()


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1e300)))
def test_means_are_correctly_rounded(gaps: Any) -> None:
    result = compare_values(np.zeros(len(gaps)), gaps).pooled
    assert result.mean_abs == float(sum(map(Fraction, gaps.tolist())) / len(gaps))


@settings(max_examples=25)
@given(st.integers(1, 3000), st.integers(0, 99), st.sampled_from([0.5, 0.9, 0.999]))
def test_a_quantile_is_at_most_a_128th_too_high(count: int, seed: int, share: float) -> None:
    gaps = np.random.default_rng(seed).lognormal(-20, 6, count)
    exact = np.sort(gaps)[max(1, math.ceil(share * count)) - 1]
    result = compare_values(np.zeros(count), gaps).pooled.quantile(share)
    assert exact <= result <= exact * (1 + RELATIVE_WIDTH)


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
    result = compare_values(ours, theirs)
    assert (result.non_finite_mismatches, result.failing, result.pooled.finite) == (
        mismatches,
        failing,
        finite,
    )
    assert result.max_abs == 0
    assert result.passing_atol == (None if mismatches else 0)


def test_figures_of_a_case_done_by_hand() -> None:
    result = compare_values([0.4, 0.6, 1.0, 2.0], [0.4, 0.4, 1.0, np.nextafter(2.0, 3)], Limits(0.1, threshold=0.5))
    tally = result.outputs[0]
    assert (result.failing, result.flips, tally.flips) == (1, 1, 1)
    assert tally.max_abs == pytest.approx(0.2)
    assert tally.max_relative == pytest.approx(1 / 3)
    assert tally.rmse == pytest.approx(0.1)
    assert tally.mean_abs == pytest.approx(0.05)
    assert result.worst.lines[0][:2] == (1, 0)
    assert compare_values([2.0], [np.nextafter(2.0, 3)]).pooled.max_ulps64 == 1
    assert compare_values([np.float32(2)], [np.nextafter(np.float32(2), np.float32(0))]).pooled.max_ulps32 == 1
    assert compare_values([-5e-324], [5e-324]).pooled.max_ulps64 == 2
    assert compare_values([-1.7e308], [1.7e308]).pooled.max_ulps64 > 2**63


def test_labels_are_compared_as_labels() -> None:
    one = [1, "a", "1", True, None, NAN, [1]]
    other = [1.0, "b", 1, 1, None, NAN, [1]]
    result = compare(predictions(np.zeros(7), one), predictions(np.zeros(7), other))
    assert (result.label_changes, result.failing) == (2, 2)


def test_what_is_called_a_row_without_a_number_is_no_label_unless_it_is_a_function_s_text() -> None:
    ours, theirs = predictions([NAN, 0.0, NAN], ["a"] * 3), predictions([NAN, NAN, 0.0], ["b"] * 3)
    assert compare(ours, theirs).label_changes == 0
    texts = [replace(block, labels=replace(block.labels, text=True)) for block in (ours, theirs) if block.labels]
    assert compare(texts[0], texts[1]).label_changes == 3
    assert compare(ours, texts[1]).label_changes is None


@pytest.mark.parametrize("count_refusals", [True, False])
def test_a_row_that_one_of_the_two_refuses_is_counted_apart(count_refusals: bool) -> None:
    ours, theirs = (
        predictions([NAN, 1.0, NAN, NAN, 2.0], None, (0, 2, 3)),
        predictions([0.5, NAN, NAN, NAN, 2.0], None, (1, 2)),
    )
    result = compare(ours, theirs, Limits(count_refusals=count_refusals))
    assert (result.rows, result.common, result.reference_alone, result.candidate_alone) == (5, 1, 1, 1)
    assert result.refusals == result.failing == 1 + count_refusals
    assert (result.passing_atol, result.non_finite_mismatches) == (None, 0)
    lines = [(row, size) for row, _, size, _, _ in result.worst.lines]
    assert lines == [(0, INF), (1, INF)][not count_refusals :]


def test_predictions_of_another_width_are_none() -> None:
    result = compare(predictions([[0.1, 0.7], [NAN, NAN]], None, (1,)), predictions([1.0, 2.0]))
    assert (result.widths, result.common, result.reference_alone, result.candidate_alone) == (
        (2, 1),
        0,
        1,
        1,
    )
    assert compare(predictions([[NAN, NAN]], None, (0,)), predictions([1.0])).widths is None


def test_the_largest_output_is_followed() -> None:
    result = compare_values([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1]], [[0.4, 0.5, 0.1], [0.2, 0.7, 0.1]], Limits(atol=1))
    assert result.argmax_changes == 1


def test_rank_correlation_of_ties_and_reversals() -> None:
    scores = np.array([1.0, 2.0, 2.0, 3.0])
    assert compare_values(scores, scores * 10).sample.rank_correlation() == 1
    assert compare_values(scores, -scores).sample.rank_correlation() == pytest.approx(-1)
    assert compare_values(scores, np.ones(4)).sample.rank_correlation() is None


def test_a_sample_does_not_depend_on_how_rows_were_split() -> None:
    ours = np.random.default_rng(0).random(10_000)
    halves = [
        compare_values(ours[s], ours[s] ** 2, rows=np.arange(10_000)[s]) for s in (slice(7_000, None), slice(7_000))
    ]
    assert (halves[0] + halves[1]).sample == compare_values(ours, ours**2).sample


def test_rows_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 rows"):
        compare_values(np.zeros(2), np.zeros(3))
