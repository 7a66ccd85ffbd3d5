"""One output of one request: what is to be kept of it until all requests are pooled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.stats.agreement.limits import Limits, is_finite_on_both, is_mismatch, is_same, is_within
from infer_bench.stats.agreement.tensors.class_scores import margins_of_changes
from infer_bench.stats.agreement.tensors.exact_values import find_ties, is_float, unequal
from infer_bench.stats.agreement.tensors.named_predictions import Method
from infer_bench.stats.agreement.tensors.slice_errors import SliceErrors
from infer_bench.typing import Array, Bools, Floats

WHOLE, CHANNEL, LAST = "whole", "channel", "last"
"""How an output may be cut: not at all, along its second axis, along its last."""
MOST_SLICES = 4096
"""More slices would fill more memory than they are worth; a vector may hold boxes and scores in turn."""


@dataclass(frozen=True, slots=True, eq=False)
class OutputUnits:
    """What one output of one request would be without rounding (`exact`) and with a little more (`shaken`).

    `by_candidate`: they are the candidate's, and not the reference's.
    """

    exact: Array
    shaken: Sequence[Array]
    method: Method
    by_candidate: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RequestErrors:
    """One output of the request `number`.

    `slices` are its errors by way of cutting it, empty where there is nothing to measure with. `is_beyond`: by the
    tolerances it differs. `is_mismatch`: however near, it differs, in shape, exact values or in what is not finite.
    `margins` are those of the places at which the largest score is another one. `furthest` is where two numbers are
    farthest apart, None of text and where all are equal.
    """

    number: int
    decade: int = 0
    slices: Mapping[str, SliceErrors] = field(default_factory=dict)
    is_beyond: bool = False
    is_mismatch: bool = False
    unequal: int = 0
    ties: int = 0
    margins: Floats = field(default_factory=lambda: np.zeros(0))
    furthest: "Furthest | None" = None


@dataclass(frozen=True, slots=True)
class Furthest:
    """Two numbers at the same `place` of an output; `delta` is infinite where one alone is finite."""

    delta: float
    place: tuple[int, ...]
    reference: float
    candidate: float


def find_furthest(reference: Floats, candidate: Floats) -> Furthest | None:
    """Where two arrays of one shape are farthest apart; None where they are equal everywhere."""
    if not reference.size:
        return None
    with np.errstate(all="ignore"):
        gaps = np.where(is_same(reference, candidate), 0.0, np.abs(reference - candidate))
    gaps = np.where(np.isnan(gaps), np.inf, gaps)
    place = np.unravel_index(int(gaps.argmax()), gaps.shape)
    delta = float(gaps[place])
    indices = tuple(int(index) for index in place)
    return Furthest(delta, indices, float(reference[place]), float(candidate[place])) if delta else None


def compare_request(
    number: int,
    decade: int,
    reference: Array,
    candidate: Array,
    units: OutputUnits | None,
    limits: Limits,
    *,
    scores: bool,
) -> RequestErrors:
    """One output of both; `scores`: its last axis are classes."""
    if reference.shape != candidate.shape:
        return RequestErrors(number, decade, is_beyond=True, is_mismatch=True)
    if not (is_float(reference) or is_float(candidate)) or "O" in (reference.dtype.kind, candidate.dtype.kind):
        return _compare_exactly(number, decade, reference, candidate, units)
    ours, theirs = np.asarray(reference, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    mismatch, within = bool(is_mismatch(ours, theirs).any()), is_within(ours, theirs, limits)
    measurable, slices = _measure(ours, theirs, ~within, units)
    unmeasured_beyond = bool((~within & ~measurable & is_finite_on_both(ours, theirs)).any()) if slices else False
    return RequestErrors(
        number,
        decade,
        slices,
        is_beyond=bool((~within).any()),
        is_mismatch=mismatch or unmeasured_beyond,
        margins=margins_of_changes(ours, theirs) if scores else np.zeros(0),
        furthest=find_furthest(ours, theirs),
    )


def _compare_exactly(
    number: int, decade: int, reference: Array, candidate: Array, units: OutputUnits | None
) -> RequestErrors:
    differ = unequal(reference, candidate)
    if not differ.any():
        return RequestErrors(number, decade)
    variants: list[Array] = []
    if units is not None:
        variants = [candidate if units.by_candidate else reference, units.exact, *units.shaken]
    ties = find_ties(reference, candidate, variants)
    count, excused = int(differ.sum()), int(ties.sum())
    different = count > excused
    numeric = reference.dtype.kind in "biu" and candidate.dtype.kind in "biu"
    furthest = find_furthest(*(side.astype(np.float64) for side in (reference, candidate))) if numeric else None
    return RequestErrors(
        number,
        decade,
        is_beyond=different,
        is_mismatch=different,
        unequal=count,
        ties=excused,
        furthest=furthest,
    )


def _measure(
    reference: Floats, candidate: Floats, beyond: Bools, units: OutputUnits | None
) -> tuple[Bools, Mapping[str, SliceErrors]]:
    """Where both errors can be measured, and the errors by each way of cutting the output."""
    if units is None or units.exact.shape != reference.shape or not reference.size or not is_float(units.exact):
        return np.zeros(reference.shape, dtype=np.bool_), {}
    exact, measure, other = np.asarray(units.exact, dtype=np.float64), reference, candidate
    if units.by_candidate:
        measure, other = candidate, reference
    with np.errstate(all="ignore"):
        own, error, shaken = np.abs(measure - exact), np.abs(other - exact), _moved(exact, units)
    mask = np.asarray(np.isfinite(own) & np.isfinite(error) & np.isfinite(shaken))
    values = (exact, own, shaken, error, beyond, mask)
    axes = _axes(reference.shape)
    return mask, {name: SliceErrors.of(*(_cut(part, axis) for part in values)) for name, axis in axes.items()}


def _moved(exact: Floats, units: OutputUnits) -> Floats:
    """The root mean square of what shaking does to each element; twice the variance where both sides may be so off."""
    draws = [np.asarray(values, dtype=np.float64) for values in units.shaken if values.shape == exact.shape]
    if not draws:
        return np.zeros(exact.shape)
    squares = sum(((draw - exact) ** 2 for draw in draws), np.zeros(exact.shape)) / len(draws)
    return np.asarray(np.sqrt(squares * (2.0 if units.method == "noise" else 1.0)))


def _axes(shape: tuple[int, ...]) -> dict[str, int | None]:
    axes: dict[str, int | None] = {WHOLE: None}
    if len(shape) >= 3 and 2 <= shape[1] <= MOST_SLICES:
        axes[CHANNEL] = 1
    if len(shape) >= 2 and 2 <= shape[-1] <= MOST_SLICES:
        axes[LAST] = len(shape) - 1
    return axes


def _cut(values: Array, axis: int | None) -> Array:
    """The elements of each slice along an axis (slices, elements); of the whole (1, elements)."""
    if axis is None:
        return values.reshape(1, -1)
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
