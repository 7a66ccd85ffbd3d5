"""When two predictions count as the same, number by number."""

from dataclasses import dataclass

import numpy as np

from infer_bench.typing import Bools, Floats


@dataclass(frozen=True, slots=True)
class Limits:
    """When two predictions count as the same: |Δ| <= atol + rtol · |reference|.

    `threshold`: a prediction above it means yes, so that predictions on either side of it flip. `worst`: how many of
    the worst rows are named. `count_refusals`: whether a row that only the reference refuses counts as different.
    `by_rounding`: where it is known what the reference rounds, multiples of that decide instead of atol and rtol.
    """

    atol: float = 1e-4
    rtol: float = 0.0
    threshold: float | None = None
    worst: int = 10
    count_refusals: bool = True
    by_rounding: bool = False


def is_within(reference: Floats, candidate: Floats, limits: Limits) -> Bools:
    """Where two arrays of one shape are as near as the limits ask; what is not finite must be the same."""
    with np.errstate(all="ignore"):
        near = np.abs(reference - candidate) <= limits.atol + limits.rtol * np.abs(reference)
    return np.asarray(np.where(is_finite_on_both(reference, candidate), near, is_same(reference, candidate)))


def flips(reference: Floats, candidate: Floats, limits: Limits) -> Bools:
    """Where the two lie on either side of the threshold; nowhere without one."""
    if limits.threshold is None:
        return np.zeros(reference.shape, dtype=np.bool_)
    return np.asarray((reference > limits.threshold) != (candidate > limits.threshold))


def is_same(reference: Floats, candidate: Floats) -> Bools:
    """Where the two are equal, NaN to NaN."""
    return np.asarray((reference == candidate) | (np.isnan(reference) & np.isnan(candidate)))


def is_finite_on_both(reference: Floats, candidate: Floats) -> Bools:
    """Where both are numbers, neither NaN nor infinite."""
    return np.asarray(np.isfinite(reference) & np.isfinite(candidate))


def is_mismatch(reference: Floats, candidate: Floats) -> Bools:
    """Where one is NaN or infinite, and the other is something else."""
    return np.asarray(~is_finite_on_both(reference, candidate) & ~is_same(reference, candidate))
