"""How far one output lies apart over all rows: exact, order-free and mergeable."""

from dataclasses import dataclass, field

import numpy as np

from infer_bench.stats.agreement.exact_sum import ExactSum
from infer_bench.stats.agreement.limits import Limits, flips, is_finite_on_both, is_mismatch, is_within
from infer_bench.stats.agreement.sketch import Sketch
from infer_bench.stats.agreement.smallest_tolerance import least_passing
from infer_bench.stats.agreement.ulps import single, ulps
from infer_bench.typing import Floats

_SUMS = ("rows", "finite", "non_finite_mismatches", "failing", "flips", "total", "squares", "spread")
_MAXIMA = ("max_abs", "max_relative", "max_scaled", "max_ulps32", "max_ulps64", "passing_atol", "passing_rtol")


@dataclass(frozen=True, slots=True)
class Tally:
    """One output over all rows. Infinite and missing predictions take no part in the maxima, means and quantiles.

    `finite` rows have a number on both sides. `max_relative` is of |Δ| / |reference|, `max_scaled` of
    |Δ| / max(1, |reference|). `max_ulps32` and `max_ulps64` count the float32 and float64 values between the two
    predictions. `passing_atol` is the least tolerance that every finite row meets with the given rtol.
    """

    rows: int = 0
    finite: int = 0
    max_abs: float = 0.0
    max_relative: float = 0.0
    max_scaled: float = 0.0
    max_ulps32: int = 0
    max_ulps64: int = 0
    passing_atol: float = 0.0
    passing_rtol: float = 0.0
    non_finite_mismatches: int = 0
    failing: int = 0
    flips: int = 0
    total: ExactSum = field(default_factory=ExactSum)
    squares: ExactSum = field(default_factory=ExactSum)
    spread: Sketch = field(default_factory=Sketch)

    @classmethod
    def of(cls, reference: Floats, candidate: Floats, limits: Limits) -> "Tally":
        """The tally of one output of some rows (rows,)."""
        both = is_finite_on_both(reference, candidate)
        ours, theirs = reference[both], candidate[both]
        with np.errstate(all="ignore"):
            gap, size = np.abs(ours - theirs), np.abs(ours)
            relative = np.where(gap == 0, 0.0, gap / size)
            to_one = gap / np.maximum(1.0, size)
            squares = gap * gap
        return cls(
            rows=len(reference),
            finite=len(ours),
            max_abs=_largest(gap),
            max_relative=_largest(relative),
            max_scaled=_largest(to_one),
            max_ulps32=ulps(single(ours), single(theirs)),
            max_ulps64=ulps(ours, theirs),
            passing_atol=_passing_atol(gap, limits.rtol * size),
            passing_rtol=_passing_rtol(gap, size, limits.atol),
            non_finite_mismatches=int(is_mismatch(reference, candidate).sum()),
            failing=int((~is_within(reference, candidate, limits)).sum()),
            flips=int(flips(reference, candidate, limits).sum()),
            total=ExactSum.of(gap),
            squares=ExactSum.of(squares),
            spread=Sketch.of(gap),
        )

    def __add__(self, other: "Tally") -> "Tally":
        values = {name: getattr(self, name) + getattr(other, name) for name in _SUMS}
        return Tally(**values, **{name: max(getattr(self, name), getattr(other, name)) for name in _MAXIMA})

    @property
    def is_blank(self) -> bool:
        """Whether both sides gave predictions and no number among them: they agree, and nothing was compared."""
        return self.rows > 0 and self.finite == 0 and not self.non_finite_mismatches

    @property
    def mean_abs(self) -> float:
        """The mean of |Δ|, correctly rounded."""
        return self.total.mean(self.finite)

    @property
    def rmse(self) -> float:
        """The root of the mean of Δ²."""
        return float(np.sqrt(self.squares.mean(self.finite)))

    def quantile(self, share: float) -> float:
        """A quantile of |Δ|, too high by less than a 128th, never above the maximum."""
        return min(self.spread.quantile(share), self.max_abs)


def _passing_atol(gap: Floats, slack: Floats) -> float:
    """The least atol with gap <= atol + slack in float arithmetic."""
    if not slack.any():
        return _largest(gap)
    with np.errstate(all="ignore"):
        guess = _largest(gap - slack)
    return least_passing(lambda atol, gap, slack: gap <= atol + slack, gap, slack, guess)


def _passing_rtol(gap: Floats, size: Floats, atol: float) -> float:
    """The least rtol with gap <= atol + rtol · size in float arithmetic."""
    over = gap > atol
    if not over.any():
        return 0.0
    gap, size = gap[over], size[over]
    with np.errstate(all="ignore"):
        guess = _largest((gap - atol) / size)
    return least_passing(lambda rtol, gap, size: gap <= atol + rtol * size, gap, size, guess)


def _largest(values: Floats) -> float:
    return float(values.max()) if len(values) else 0.0
