"""Errors in multiples of what the reference rounds itself."""

from typing import Any

import numpy as np
import pytest

from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.stats.agreement.rounding import Float64Run, OwnRounding, RoundingTally, RoundingUnits
from infer_bench.typing import Floats

RANDOM = np.random.default_rng(0)
EXACT = RANDOM.uniform(0.1, 1.0, (400, 3))
SIZES = np.where(np.arange(400) < 300, 2.0, 2_000.0)
SCALE = np.where(np.arange(400) < 300, 1e-7, 1e-5)[:, None]
"""Larger requests are rounded more."""
BY_ROUNDING = Limits(by_rounding=True)


def off_by(multiple: float, seed: int = 1) -> Floats:
    return EXACT + multiple * SCALE * np.random.default_rng(seed).normal(size=EXACT.shape)


def units(reference: Floats, exact: Floats = EXACT, sizes: Floats = SIZES) -> RoundingUnits:
    run = Float64Run(exact, exact, sizes)
    own = OwnRounding()
    own.add(reference, run)
    return own.units(run)


def comparison(candidate: Floats, reference: Floats | None = None, limits: Limits = BY_ROUNDING, **more: Any) -> Any:
    ours = off_by(1.0) if reference is None else reference
    return compare(Predictions(ours, np.zeros(400, bool), units=units(ours), **more), _other(candidate, more), limits)


def _other(values: Floats, more: dict[str, Any]) -> Predictions:
    labels = more.get("labels")
    return Predictions.unrefused(values, None if labels is None else Labels(labels.names, labels.codes[::-1]))


@pytest.mark.parametrize("multiple", [0.0, 0.5, 2.0, 6.0])
def test_what_is_off_as_the_reference_is_the_same(multiple: float) -> None:
    result = comparison(off_by(multiple, 2))
    assert (result.failing, result.rounding.is_near) == (0, False)
    assert result.rounding.worst.ratio == pytest.approx(multiple, rel=0.1)


def test_in_between_it_rounds_more_and_above_it_is_another_model() -> None:
    near = comparison(off_by(14.0, 2))
    assert (near.failing, near.rounding.is_near) == (0, True)
    other = comparison(off_by(60.0, 2))
    assert other.failing > 150
    assert not other.rounding.is_near


def test_a_small_fault_on_ordinary_requests_is_not_hidden_by_large_ones() -> None:
    candidate = off_by(1.0, 2)
    candidate[:300] += 1e-5
    result = comparison(candidate)
    assert result.failing == 300
    assert result.max_abs < 1e-4


def test_one_wrong_number_does_not_hide_in_a_mean() -> None:
    candidate = off_by(1.0, 2)
    candidate[7, 1] += 3e-5
    result = comparison(candidate)
    assert [line[0] for line in comparison(candidate, limits=Limits(by_rounding=True)).worst.lines] == [7]
    assert (result.failing, result.rounding.worst.ratio > 8) == (1, True)


def test_tolerances_given_decide_alone() -> None:
    fault = off_by(1.0, 2) + 5e-5
    assert comparison(fault).failing == 300
    assert comparison(fault, limits=Limits(atol=1e-4)).failing == 0
    assert comparison(off_by(2.0, 2), limits=Limits(atol=1e-9)).failing == 400


def test_a_lucky_reference_is_measured_by_the_last_bit() -> None:
    """One exact request, or one whose error is a thousandth of an ulp, says nothing about rounding."""
    reference = EXACT.copy()
    candidate = (EXACT * (1 + 2.0**-23)).astype(np.float32).astype(float)
    assert comparison(candidate, reference).failing == 0


def test_what_half_an_ulp_of_the_request_changes_is_rounding() -> None:
    exact, candidate = EXACT[:2], EXACT[:2] + 4e-5
    own = OwnRounding()
    run = Float64Run(exact, exact + 1e-5, np.ones(2))
    own.add(exact, run)
    assert own.units(run).is_rounding(candidate).all()
    assert not units(exact, exact, np.ones(2)).is_rounding(candidate).any()


def test_boxes_do_not_hide_what_scores_are_off() -> None:
    scale = np.array([320.0, 1.0, 1.0])
    reference, exact = off_by(1.0) * scale, EXACT * scale
    rounding = units(reference, exact)
    candidate = off_by(1.0, 2) * scale
    assert rounding.is_rounding(candidate).all()
    candidate[:300, 1] += 1e-5
    assert not rounding.is_rounding(candidate)[:300, 1].any()
    assert rounding.is_rounding(candidate)[:, 0].all()


def test_where_the_reference_itself_is_far_off_the_tolerance_decides() -> None:
    reference = EXACT + 0.01 * RANDOM.normal(size=EXACT.shape)
    assert not units(reference).is_measure.any()
    assert comparison(reference + 5e-5, reference).failing == 0
    assert comparison(reference + 5e-3, reference).failing == 400


def test_what_is_not_finite_is_never_rounding() -> None:
    candidate = off_by(1.0, 2)
    candidate[3, 0] = np.nan
    assert comparison(candidate).failing == 1


def test_a_label_that_hangs_on_the_last_bit_is_a_tie() -> None:
    reference = off_by(1.0)
    reference[:, 0] = reference[:, 1] = 2.0
    labels = Labels(("a", "b"), np.arange(400) % 2)
    tied = compare(
        Predictions(reference, np.zeros(400, bool), labels, units=units(reference, reference)),
        Predictions.unrefused(reference.copy(), Labels(("a", "b"), 1 - labels.codes)),
        BY_ROUNDING,
    )
    assert (tied.failing, tied.label_changes) == (0, 0)
    assert comparison(off_by(1.0, 2), labels=labels).label_changes > 350


def test_tallies_add_up_in_any_order() -> None:
    rounding, reference, candidate = units(off_by(1.0)), off_by(1.0), off_by(2.0, 2)
    parts = [np.arange(0, 100), np.arange(100, 333), np.arange(333, 400)]
    tallies = [RoundingTally.of(reference[rows], candidate[rows], rounding.take(rows)) for rows in parts]
    whole = RoundingTally.of(reference, candidate, rounding)
    assert tallies[2] + tallies[0] + tallies[1] == whole
    assert (tallies[0] + RoundingTally()).sizes == tallies[0].sizes


def test_requests_without_numbers_or_predictions() -> None:
    empty = np.zeros((0, 2))
    rounding = units(empty, empty, np.zeros(0))
    assert rounding.is_rounding(empty).shape == (0, 2)
    assert RoundingTally.of(empty, empty, rounding).worst is None
    zeros = np.zeros((5, 2))
    assert units(zeros, zeros, np.zeros(5)).is_rounding(zeros).all()
    assert not units(zeros, zeros, np.zeros(5)).is_rounding(zeros + 1e-30).any()
