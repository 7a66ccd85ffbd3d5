"""Two sets of answers compared: arrays in, a result out that can be merged with that of other rows.

`compare` of a whole equals `merge` of `compare` of its parts, bit for bit and in any order: sums are exact, quantiles
come from a sketch, and samples are chosen by the rows' numbers alone.
"""

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.stats.agreement.exact_sum import ExactSum
from infer_bench.stats.agreement.pair_sample import Sample
from infer_bench.stats.agreement.sketch import Sketch
from infer_bench.stats.agreement.smallest_tolerance import least_passing
from infer_bench.stats.agreement.ulps import single, ulps
from infer_bench.stats.agreement.worst_rows import Worst, worst_of
from infer_bench.typing import Bools, Floats

__all__ = ["Comparison", "Limits", "Tally", "Worst", "compare", "differing", "merge"]

Labels = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """When two answers count as the same: |Δ| <= atol + rtol · |reference|.

    `threshold`: an answer above it means yes, so that answers on either side of it flip. `worst`: how many of the worst
    rows are kept.
    """

    atol: float = 1e-4
    rtol: float = 0.0
    threshold: float | None = None
    worst: int = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """One output over all rows. Infinite and missing answers take no part in the maxima, means and quantiles.

    `finite` rows have a number on both sides. `max_ulps32` and `max_ulps64` count the float32 and float64 values
    between the two answers. `passing_atol` is the least tolerance that every finite row meets with the given rtol.
    """

    rows: int = 0
    finite: int = 0
    max_abs: float = 0.0
    max_relative: float = 0.0
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows compared: one tally an output, and what concerns a row as a whole.

    `failing` rows differ by more than the limits in some output, are finite on one side only, or change their label or
    side of the threshold. `argmax_changes` counts rows whose largest output is another one.
    """

    rows: int = 0
    outputs: tuple[Tally, ...] = ()
    failing: int = 0
    flips: int = 0
    label_changes: int | None = None
    argmax_changes: int | None = None
    non_finite_mismatches: int = 0
    worst: Worst = field(default_factory=Worst)
    sample: Sample = field(default_factory=Sample)

    @property
    def max_abs(self) -> float:
        """The largest |Δ| of any output."""
        return max((tally.max_abs for tally in self.outputs), default=0.0)

    @property
    def passing_atol(self) -> float | None:
        """The smallest atol that would pass; None when none would, as answers are not finite on one side only."""
        if self.non_finite_mismatches:
            return None
        return max((tally.passing_atol for tally in self.outputs), default=0.0)

    @property
    def passing_rtol(self) -> float | None:
        """The smallest rtol that would pass beside the given atol; None when none would."""
        found = max((tally.passing_rtol for tally in self.outputs), default=0.0)
        return None if self.non_finite_mismatches or np.isinf(found) else found

    @property
    def pooled(self) -> Tally:
        """All outputs as one."""
        return reduce(_merge_tallies, self.outputs, Tally())


def compare(
    reference: npt.ArrayLike,
    candidate: npt.ArrayLike,
    limits: Limits | None = None,
    *,
    rows: npt.ArrayLike | None = None,
    labels: tuple[Labels, Labels] | None = None,
) -> Comparison:
    """Compare answers (rows, outputs); 1-D arrays are one output.

    `rows` are the rows' numbers (0, 1, … by default), by which the worst are named; `labels` the predicted classes of
    both sides (rows,). Raises `ValueError` when the shapes differ.
    """
    limits = limits or Limits()
    ours, theirs = _columns(reference), _columns(candidate)
    if ours.shape != theirs.shape:
        raise ValueError(f"answers of shape {ours.shape} cannot be compared with {theirs.shape}")
    numbers = np.arange(len(ours), dtype=np.int64) if rows is None else np.asarray(rows, dtype=np.int64)
    sides = None if limits.threshold is None else (ours > limits.threshold) != (theirs > limits.threshold)
    changed = _changes(labels)
    bad = differing(ours, theirs, limits, labels)
    return Comparison(
        rows=len(ours),
        outputs=tuple(_tally(ours[:, i], theirs[:, i], limits) for i in range(ours.shape[1])),
        failing=int(bad.sum()),
        flips=0 if sides is None else int(sides.any(axis=1).sum()),
        label_changes=None if changed is None else int(changed.sum()),
        argmax_changes=int(_argmax_changes(ours, theirs).sum()) if ours.shape[1] > 1 else None,
        non_finite_mismatches=int(_mismatched(ours, theirs).any(axis=1).sum()),
        worst=worst_of(ours, theirs, numbers, bad, limits.worst),
        sample=Sample.of(numbers, ours[:, 0], theirs[:, 0]) if ours.shape[1] else Sample(),
    )


def differing(
    reference: Floats, candidate: Floats, limits: Limits, labels: tuple[Labels, Labels] | None = None
) -> Bools:
    """Which rows (rows,) count as different; answers are (rows, outputs)."""
    bad = np.asarray(~_passes(reference, candidate, limits).all(axis=1))
    if limits.threshold is not None:
        bad |= ((reference > limits.threshold) != (candidate > limits.threshold)).any(axis=1)
    changed = _changes(labels)
    return bad if changed is None else bad | changed


def merge(one: Comparison, other: Comparison) -> Comparison:
    """The comparison of both sets of rows; one without rows, whose labels nobody knows, changes nothing.

    Raises `ValueError` when their outputs differ in number.
    """
    if not one.rows or not other.rows:
        return max(one, other, key=lambda side: (side.rows, len(side.outputs), side.label_changes is not None))
    tallies = zip(one.outputs, other.outputs, strict=True)
    return Comparison(
        rows=one.rows + other.rows,
        outputs=tuple(_merge_tallies(a, b) for a, b in tallies),
        failing=one.failing + other.failing,
        flips=one.flips + other.flips,
        label_changes=_added(one.label_changes, other.label_changes),
        argmax_changes=_added(one.argmax_changes, other.argmax_changes),
        non_finite_mismatches=one.non_finite_mismatches + other.non_finite_mismatches,
        worst=one.worst + other.worst,
        sample=one.sample + other.sample,
    )


def _tally(reference: Floats, candidate: Floats, limits: Limits) -> Tally:
    both = np.isfinite(reference) & np.isfinite(candidate)
    ours, theirs = reference[both], candidate[both]
    with np.errstate(all="ignore"):
        gap = np.abs(ours - theirs)
        size = np.abs(ours)
        relative = np.where(gap == 0, 0.0, gap / size)
        squares = gap * gap
    flips = 0
    if limits.threshold is not None:
        flips = int(((reference > limits.threshold) != (candidate > limits.threshold)).sum())
    return Tally(
        rows=len(reference),
        finite=len(ours),
        max_abs=_most(gap),
        max_relative=_most(relative),
        max_ulps32=ulps(single(ours), single(theirs)),
        max_ulps64=ulps(ours, theirs),
        passing_atol=_passing(gap, limits.rtol * size),
        passing_rtol=_passing_share(gap, size, limits.atol),
        non_finite_mismatches=int(_mismatched(reference, candidate).sum()),
        failing=int((~_passes(reference, candidate, limits)).sum()),
        flips=flips,
        total=ExactSum.of(gap),
        squares=ExactSum.of(squares),
        spread=Sketch.of(gap),
    )


def _merge_tallies(a: Tally, b: Tally) -> Tally:
    added = ("rows", "finite", "non_finite_mismatches", "failing", "flips", "total", "squares", "spread")
    largest = ("max_abs", "max_relative", "max_ulps32", "max_ulps64", "passing_atol", "passing_rtol")
    values = {name: getattr(a, name) + getattr(b, name) for name in added}
    return Tally(**values, **{name: max(getattr(a, name), getattr(b, name)) for name in largest})


def _passes(reference: Floats, candidate: Floats, limits: Limits) -> Bools:
    with np.errstate(all="ignore"):
        near = np.abs(reference - candidate) <= limits.atol + limits.rtol * np.abs(reference)
    finite = np.isfinite(reference) & np.isfinite(candidate)
    return np.asarray(np.where(finite, near, _alike(reference, candidate)))


def _alike(reference: Floats, candidate: Floats) -> Bools:
    return np.asarray((reference == candidate) | (np.isnan(reference) & np.isnan(candidate)))


def _mismatched(reference: Floats, candidate: Floats) -> Bools:
    """Not finite on one side, and not the same on both."""
    finite = np.isfinite(reference) & np.isfinite(candidate)
    return np.asarray(~finite & ~_alike(reference, candidate))


def _passing(gap: Floats, slack: Floats) -> float:
    """The least atol with gap <= atol + slack in float arithmetic."""
    if not slack.any():
        return _most(gap)
    with np.errstate(all="ignore"):
        guess = _most(gap - slack)
    return least_passing(lambda atol, gap, slack: gap <= atol + slack, gap, slack, guess)


def _passing_share(gap: Floats, size: Floats, atol: float) -> float:
    """The least rtol with gap <= atol + rtol · size in float arithmetic."""
    over = gap > atol
    if not over.any():
        return 0.0
    gap, size = gap[over], size[over]
    with np.errstate(all="ignore"):
        guess = _most((gap - atol) / size)
    return least_passing(lambda rtol, gap, size: gap <= atol + rtol * size, gap, size, guess)


def _argmax_changes(reference: Floats, candidate: Floats) -> Bools:
    if not len(reference):
        return np.zeros(0, dtype=np.bool_)
    return np.asarray(_argmax(reference) != _argmax(candidate))


def _argmax(predictions: Floats) -> npt.NDArray[np.intp]:
    return np.asarray(np.where(np.isnan(predictions), -np.inf, predictions).argmax(axis=1))


def _changes(labels: tuple[Labels, Labels] | None) -> Bools | None:
    """Labels are compared as labels: 1, 1.0 and True are one class, the text "1" is another."""
    if labels is None:
        return None
    ours, theirs = labels
    if ours.dtype != object and theirs.dtype != object:
        return np.asarray(ours != theirs, dtype=np.bool_).reshape(len(ours))
    pairs = zip(ours.tolist(), theirs.tolist(), strict=True)
    return np.fromiter((a != b for a, b in pairs), dtype=np.bool_, count=len(ours))


def _columns(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array.reshape(-1, 1) if array.ndim < 2 else array


def _most(values: Floats) -> float:
    return float(values.max()) if len(values) else 0.0


def _added(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
