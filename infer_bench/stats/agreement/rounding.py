"""Rounding as the measure of a difference: a candidate's error in multiples of the reference's own.

Both errors are taken against the reference run in float64. What the reference itself rounds is pooled over requests of
a like size, since an error grows with the numbers that are added up. Pure, and mergeable where it says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from infer_bench.stats.agreement.exact_sum import ExactSum
from infer_bench.stats.agreement.ulps import single
from infer_bench.typing import Bools, Floats, Ints

SAME, DIFFERENT = 8.0, 32.0
"""Errors up to `SAME` times the reference's own are rounding, those above `DIFFERENT` are not."""
MOST_ROUNDING = 2.0**-10
"""Where the reference itself is off by more than this share of its largest prediction, rounding measures nothing."""
FEWEST_ROWS = 64
"""Of so few rows the mean error may be a lucky one: only their largest error counts."""
MOST_SIZE = 40
"""Sizes are counted in powers of ten up to float32's range."""


def find_decades(sizes: Floats) -> Ints:
    """The power of ten of each size (requests,): 0 below 10, 1 below 100, and `MOST_SIZE` for what is infinite."""
    with np.errstate(all="ignore"):
        powers = np.floor(np.log10(sizes))
    powers = np.clip(np.nan_to_num(powers, nan=0.0, neginf=0.0, posinf=MOST_SIZE), 0, MOST_SIZE)
    return np.asarray(powers, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Float64Run:
    """The reference in float64: `values` (rows, outputs); `nudged` with each number of the request half an ulp off.

    The ulp is float32's. `sizes` (rows,) are the largest magnitudes in each request.
    """

    values: Floats
    nudged: Floats
    sizes: Floats

    @property
    def decades(self) -> Ints:
        """The power of ten of each request's size (rows,)."""
        return find_decades(self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class RoundingUnits:
    """What the reference rounds, for each prediction of a block (rows, outputs); NaN where that measures nothing.

    `exact` are the predictions in float64, `typical` and `largest` the reference's own error: the root of its mean
    square, and its maximum, over requests of that size. `decades` (rows,) are the sizes. With `is_exact` the reference
    computes in float64 itself: what float32 rounds is then why a candidate is off, and excuses nothing.
    """

    exact: Floats
    typical: Floats
    largest: Floats
    decades: Ints
    is_exact: bool = False

    def take(self, rows: Ints | Bools) -> "RoundingUnits":
        """Those of some rows."""
        arrays = (self.exact[rows], self.typical[rows], self.largest[rows], self.decades[rows])
        return RoundingUnits(*arrays, self.is_exact)

    def of_width(self, width: int) -> "RoundingUnits | None":
        """Those for predictions of `width` outputs: of a pair of probabilities the second; None for any other."""
        if self.exact.shape[1] == width:
            return self
        if (self.exact.shape[1], width) != (2, 1):
            return None
        return RoundingUnits(self.exact[:, 1:], self.typical[:, 1:], self.largest[:, 1:], self.decades, self.is_exact)

    def errors(self, predictions: Floats) -> Floats:
        """|prediction - exact| (rows, outputs)."""
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(predictions - self.exact))

    def multiples(self, predictions: Floats) -> Floats:
        """The errors as multiples of the reference's typical one; NaN where that measures nothing."""
        errors = self.errors(predictions)
        with np.errstate(all="ignore"):
            return np.asarray(np.where(errors == 0, 0.0 * self.typical, errors / self.typical))

    def is_rounding(self, predictions: Floats) -> Bools:
        """Where predictions (rows, outputs) are off by no more than rounding; False where that measures nothing."""
        multiples = self.multiples(predictions)
        with np.errstate(all="ignore"):
            near = self.errors(predictions) <= DIFFERENT * self.largest
        for decade in np.unique(self.decades):
            rows = self.decades == decade
            some = multiples[rows][np.isfinite(multiples[rows])]
            if rows.sum() >= FEWEST_ROWS and some.size and np.sqrt(np.mean(some**2)) > DIFFERENT:
                near[rows] &= multiples[rows] <= DIFFERENT
        return np.asarray(near)

    @property
    def is_measure(self) -> Bools:
        """Where there is a unit to measure with (rows, outputs)."""
        return np.asarray(np.isfinite(self.exact) & np.isfinite(self.typical))


@dataclass(eq=False)
class OwnRounding:
    """What a reference rounds, pooled over all requests so far: sums by the requests' size and by output.

    `is_exact`: the reference computes in float64 itself.
    """

    is_exact: bool = False
    _counts: Floats = field(default_factory=lambda: np.zeros((MOST_SIZE + 1, 0)))
    _own: Floats = field(default_factory=lambda: np.zeros((MOST_SIZE + 1, 0)))
    _nudged: Floats = field(default_factory=lambda: np.zeros((MOST_SIZE + 1, 0)))
    _largest_error: Floats = field(default_factory=lambda: np.zeros((MOST_SIZE + 1, 0)))
    _largest: Floats = field(default_factory=lambda: np.zeros((MOST_SIZE + 1, 0)))

    def units_of(self, predictions: Floats, run: Float64Run) -> RoundingUnits | None:
        """The units for these requests, which are added first; None where the two are not of one shape."""
        if predictions.shape != run.values.shape:
            return None
        self.add(predictions, run)
        return self.units(run)

    def add(self, predictions: Floats, run: Float64Run) -> None:
        """Count what the reference's own `predictions` (rows, outputs) are off."""
        width = run.values.shape[1]
        if self._counts.shape[1] != width:
            for name in ("_counts", "_own", "_nudged", "_largest_error", "_largest"):
                setattr(self, name, np.zeros((MOST_SIZE + 1, width)))
        with np.errstate(all="ignore"):
            own, moved = np.abs(predictions - run.values), np.abs(run.nudged - run.values)
        finite = np.isfinite(own) & np.isfinite(moved)
        for decade in np.unique(run.decades):
            rows = run.decades == decade
            mask = finite[rows]
            error, nudge = np.where(mask, own[rows], 0.0), np.where(mask, moved[rows], 0.0)
            size = np.where(mask, np.abs(run.values[rows]), 0.0)
            self._counts[decade] += mask.sum(axis=0)
            self._own[decade] += (error**2).sum(axis=0)
            self._nudged[decade] += (nudge**2).sum(axis=0)
            for total, values in ((self._largest_error, np.maximum(error, nudge)), (self._largest, size)):
                total[decade] = np.maximum(total[decade], values.max(axis=0, initial=0.0))

    def units(self, run: Float64Run) -> RoundingUnits:
        """The units for a block of requests, of all that was added."""
        typical, largest = self._by_size()
        return RoundingUnits(run.values, typical[run.decades], largest[run.decades], run.decades, self.is_exact)

    def _by_size(self) -> tuple[Floats, Floats]:
        """The typical and the largest error by size and output; a larger request is never off by less."""
        typical, largest = np.zeros_like(self._own), np.zeros_like(self._own)
        for decade in np.flatnonzero(self._counts.any(axis=1)):
            scales = _scales(self._largest[decade])
            counts = np.maximum(1.0, _pool(self._counts[decade], scales, np.add))
            squares = [_pool(totals[decade], scales, np.add) / counts for totals in (self._own, self._nudged)]
            sizes = _pool(self._largest[decade], scales, np.maximum)
            ulp = np.where(sizes > 0, np.spacing(single(sizes)), 0.0)
            typical[decade] = np.maximum(np.sqrt(np.maximum(*squares)), ulp)
            largest[decade] = np.maximum(_pool(self._largest_error[decade], scales, np.maximum), ulp)
            largest[decade][typical[decade] > MOST_ROUNDING * sizes] = np.inf
        unreliable = np.isinf(largest)
        return _rising(typical, unreliable), _rising(largest, unreliable)


def _scales(largest: Floats) -> Ints:
    """The power of ten of each output (outputs,)."""
    return np.floor(np.log10(np.maximum(largest, np.finfo(np.float64).tiny))).astype(np.int64)


def _pool(values: Floats, scales: Ints, reduce: np.ufunc) -> Floats:
    """Each output's values (outputs,) together with those of outputs at most a power of ten away."""
    pooled = np.empty_like(values)
    for scale in np.unique(scales):
        pooled[scales == scale] = reduce.reduce(values[np.abs(scales - scale) <= 1])
    return pooled


def _rising(errors: Floats, unreliable: Bools) -> Floats:
    rising = np.maximum.accumulate(np.where(unreliable, 0.0, errors))
    return np.asarray(np.where(unreliable, np.nan, rising))


@dataclass(frozen=True, slots=True)
class SizeTally:
    """Predictions for requests of one size: sums of squares of both errors, and of multiples of the typical one."""

    count: int = 0
    multiples: ExactSum = field(default_factory=ExactSum)
    reference: ExactSum = field(default_factory=ExactSum)
    candidate: ExactSum = field(default_factory=ExactSum)

    @classmethod
    def of(cls, multiples: Floats, reference: Floats, candidate: Floats) -> "SizeTally":
        """Of errors (predictions,), all finite."""
        return cls(len(multiples), *(ExactSum.of(values**2) for values in (multiples, reference, candidate)))

    def __add__(self, other: "SizeTally") -> "SizeTally":
        sums = ((getattr(self, name) + getattr(other, name)) for name in ("multiples", "reference", "candidate"))
        return SizeTally(self.count + other.count, *sums)

    @property
    def ratio(self) -> float:
        """The root of the mean square of the multiples."""
        return float(np.sqrt(self.multiples.mean(self.count)))

    @property
    def reference_rmse(self) -> float:
        """The root of the reference's mean squared error."""
        return float(np.sqrt(self.reference.mean(self.count)))

    @property
    def candidate_rmse(self) -> float:
        """The root of the candidate's mean squared error."""
        return float(np.sqrt(self.candidate.mean(self.count)))


@dataclass(frozen=True, slots=True)
class RoundingTally:
    """Both sides' errors against float64, by the size of the request (its power of ten).

    `is_exact`: the reference computes in float64 itself.
    """

    sizes: Mapping[int, SizeTally] = field(default_factory=dict)
    is_exact: bool = False

    @classmethod
    def of(cls, reference: Floats, candidate: Floats, units: RoundingUnits) -> "RoundingTally":
        """Of predictions (rows, outputs), where they can be measured."""
        own, errors, multiples = units.errors(reference), units.errors(candidate), units.multiples(candidate)
        measurable = np.isfinite(own) & np.isfinite(errors) & np.isfinite(multiples)
        sizes = {}
        for decade in np.unique(units.decades).tolist():
            mask = measurable & (units.decades == decade)[:, None]
            sizes[decade] = SizeTally.of(multiples[mask], own[mask], errors[mask])
        return cls({decade: tally for decade, tally in sizes.items() if tally.count}, units.is_exact)

    def __add__(self, other: "RoundingTally") -> "RoundingTally":
        keys = sorted({*self.sizes, *other.sizes})
        sizes = {key: self.sizes.get(key, SizeTally()) + other.sizes.get(key, SizeTally()) for key in keys}
        return RoundingTally(sizes, self.is_exact or other.is_exact)

    @property
    def is_near(self) -> bool:
        """Whether the candidate rounds more than a reference in float32, and yet not so much as to differ."""
        return not self.is_exact and self.worst is not None and SAME < self.worst.ratio <= DIFFERENT

    @property
    def worst(self) -> SizeTally | None:
        """The size at which the candidate is off most, of those with enough predictions; None without any."""
        enough = [tally for tally in self.sizes.values() if tally.count >= FEWEST_ROWS]
        tallies = enough or ([sum(self.sizes.values(), SizeTally())] if self.sizes else [])
        return max(tallies, key=lambda tally: tally.ratio, default=None)
