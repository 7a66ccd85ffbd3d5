"""Weights of one network that another holds in fewer bits, or with other numbers. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from infer_bench.formats.onnx_weights import Weight
from infer_bench.measure.validate.causes import counterfactual as names
from infer_bench.measure.validate.causes.cause_on_rows import cause_on
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.report.validate import Cause
from infer_bench.typing import Array, Floats

INTEGERS = frozenset({"int8", "uint8", "int16", "uint16"})
EXACT = INTEGERS | {"int32", "int64", "uint32", "uint64", "bool"}
"""Of these any other number is another."""
FLOATS = frozenset({"float32", "float64"})
HALVES = frozenset({"float16", "bfloat16"})
NEAR = {"int": 0.15, "float": 0.01}
"""How far weights may be from those they stand for, as a share of their root mean square."""
LEAST_SIZE = 16
SHOWN = 3


UNLIKE = {"float16": 2.0**-9, "bfloat16": 2.0**-6}
LEAST_UNLIKE = 1e-6
"""From this share of its largest number on, a tensor of floats holds other numbers; of fewer bits from `UNLIKE` on."""


MOST_PLACES = 64
"""So many rows are known by their places."""


@dataclass(frozen=True, slots=True)
class OtherWeight:
    """A tensor that two networks have by the same name and shape: `delta` is the largest difference of its numbers.

    `is_whole`: they are whole numbers or truth values. Of its `rows` (the first axis) `other_rows` hold other numbers,
    among them those of these `places`. All are `rounded_to` a type of fewer bits where that is named.
    """

    name: str
    delta: float
    rows: int
    other_rows: int
    places: tuple[int, ...] = ()
    rounded_to: str = ""
    is_whole: bool = False


def other_weights(reference: Sequence[Weight], other: Sequence[Weight]) -> list[OtherWeight]:
    """The tensors with other numbers, floats before whole ones, those farthest apart first."""
    by_name = {weight.name: weight for weight in other}
    pairs = [(weight, by_name[weight.name]) for weight in reference if weight.name in by_name]
    unlike = [weight for ours, theirs in pairs if (weight := _compare_numbers(ours, theirs)) is not None]
    return sorted(unlike, key=lambda one: (one.is_whole, -one.delta))


def _compare_numbers(ours: Weight, theirs: Weight) -> OtherWeight | None:
    """None for other shapes and kinds of numbers, and for numbers that are the same."""
    if ours.values.shape != theirs.values.shape or np.array_equal(ours.values, theirs.values):
        return None
    is_whole, dtypes = ours.dtype in EXACT, {ours.dtype, theirs.dtype}
    if len(dtypes) > 1 and not dtypes <= FLOATS:
        return None
    numbers = np.atleast_1d(ours.values.astype(np.float64))
    deltas = np.abs(numbers - theirs.values)
    delta, size = float(deltas.max(initial=0.0)), float(np.abs(numbers).max(initial=0.0))
    if not is_whole and not delta > UNLIKE.get(ours.dtype, LEAST_UNLIKE) * size:
        return None
    unlike = np.atleast_1d(ours.values != theirs.values) if is_whole else deltas > 0
    places = np.flatnonzero(unlike.reshape(len(numbers), -1).any(axis=1))
    rounding = "" if is_whole else _find_rounding(ours, theirs)
    return OtherWeight(
        ours.name, delta, len(numbers), len(places), tuple(places[:MOST_PLACES].tolist()), rounding, is_whole
    )


def _find_rounding(ours: Weight, theirs: Weight) -> str:
    """The type of fewer bits to which one side's numbers are the other's rounded; empty where there is none."""
    if ours.dtype in HALVES:
        return ""
    one, other = (side.values.astype(np.float32) for side in (ours, theirs))
    with np.errstate(all="ignore"):
        for name, round_ in (("float16", _to_float16), ("bfloat16", _to_bfloat16)):
            if np.array_equal(round_(one), other) or np.array_equal(round_(other), one):
                return name
    return ""


def _to_float16(values: Array) -> Array:
    return np.asarray(values.astype(np.float16).astype(np.float32))


def _to_bfloat16(values: Array) -> Array:
    """To the upper 16 bits, ties to even."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    return np.asarray(((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32))


def describe_weights(rows: DifferingRows, unlike: Sequence[OtherWeight], name: str) -> Cause:
    """The cause of all rows that differ: which tensors hold other numbers."""
    detail = f"{name} stores other numbers under the same names: {list_weights(unlike)}"
    return cause_on(rows, names.WEIGHTS, detail, rows.differ, rows.differ)


def list_weights(unlike: Sequence[OtherWeight]) -> str:
    """The first few by name, with how far their numbers are apart."""
    worst = ", ".join(f"{weight.name} by up to {weight.delta:.1e}" for weight in unlike[:SHOWN])
    return worst + (f" and {len(unlike) - SHOWN} more" if len(unlike) > SHOWN else "")


@dataclass(frozen=True, slots=True)
class RoundedWeight:
    """A weight of the reference that the other network holds in `dtype`, off by `error` (of its root mean square)."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    error: float


def rounded_weights(reference: Sequence[Weight], other: Sequence[Weight]) -> list[RoundedWeight]:
    """Which of the reference's weights the other network holds in fewer bits, those off most first.

    Names are tried first, then any of the same shape; one of two axes may lie the other way round. Integers stand for a
    scale and an offset that are fitted, of the whole or of each channel.
    """
    floats = [weight for weight in reference if weight.dtype in FLOATS and _is_matrix(weight)]
    rounded = []
    for weight in other:
        if weight.dtype in INTEGERS | HALVES and _is_matrix(weight):
            nearest = min((_compare(own, weight) for own in floats), key=lambda pair: pair.error, default=None)
            if nearest is not None and nearest.error <= NEAR["int" if weight.dtype in INTEGERS else "float"]:
                rounded.append(nearest)
    return sorted(rounded, key=lambda one: -one.error)


def _is_matrix(weight: Weight) -> bool:
    return weight.values.ndim >= 2 and weight.values.size >= LEAST_SIZE


def _compare(own: Weight, other: Weight) -> RoundedWeight:
    """The error of the better of both orientations; infinite for other shapes."""
    ours, theirs = own.values.astype(np.float64), other.values.astype(np.float64)
    forms = [theirs, theirs.T] if theirs.ndim == 2 else [theirs]
    fit = _fitted_error if other.dtype in INTEGERS else _error
    error = min((fit(ours, form) for form in forms if form.shape == ours.shape), default=float("inf"))
    return RoundedWeight(own.name, own.values.shape, other.dtype, error)


def _error(ours: Floats, theirs: Floats) -> float:
    size = float(np.sqrt(np.mean(ours**2)))
    return float(np.sqrt(np.mean((ours - theirs) ** 2))) / size if size else float("inf")


FIX = (
    "infer-bench quantize --exclude auto finds what has to stay in float32; or give the tolerance that you can bear "
    "with --atol"
)


def _fitted_error(ours: Floats, theirs: Floats) -> float:
    """With the scale and the offset that fit best, of the whole tensor or along an axis."""
    axes: list[tuple[int, ...]] = [tuple(range(ours.ndim))]
    axes += [tuple(i for i in range(ours.ndim) if i != channel) for channel in (0, 1)]
    enough = (axis for axis in axes if math.prod(ours.shape[i] for i in axis) >= LEAST_SIZE)  # else any line fits
    return min(_error(ours, _fit(ours, theirs, axis)) for axis in enough)


def _fit(ours: Floats, theirs: Floats, axis: tuple[int, ...]) -> Floats:
    """Least squares of ours on theirs over some axes."""
    mean, other_mean = ours.mean(axis=axis, keepdims=True), theirs.mean(axis=axis, keepdims=True)
    spread = ((theirs - other_mean) ** 2).sum(axis=axis, keepdims=True)
    slope = ((ours - mean) * (theirs - other_mean)).sum(axis=axis, keepdims=True) / np.where(spread > 0, spread, 1.0)
    return np.asarray(mean + slope * (theirs - other_mean))


def describe_precision(
    rows: DifferingRows, rounded: Sequence[RoundedWeight], operators: Mapping[str, int], name: str
) -> Cause:
    """The cause of all rows that differ: which weights are held in what, and which are off most."""
    dtypes = Counter(weight.dtype for weight in rounded)
    worst = ", ".join(f"{weight.name} {_shape(weight)} by {weight.error:.2%}" for weight in rounded[:SHOWN])
    detail = f"{name} holds weights of the other in fewer bits ({_count(dtypes)}), off most: {worst}"
    if operators.get("DynamicQuantizeLinear"):
        detail += "; it scales what flows between them by the request, so that an answer depends on its other rows"
    cause = cause_on(rows, _name(dtypes), detail, rows.differ, rows.differ)
    return replace(cause, fix=FIX)


def describe_narrow_weights(rows: DifferingRows, weights: Sequence[Weight], name: str) -> Cause | None:
    """As `describe_precision`, where the other side's weights cannot be read; None where all are floats."""
    dtypes = Counter(weight.dtype for weight in weights if weight.dtype in INTEGERS | HALVES and _is_matrix(weight))
    if not dtypes:
        return None
    detail = f"{name} holds weights in fewer bits ({_count(dtypes)}); those of the other side cannot be read"
    cause = cause_on(rows, _name(dtypes), detail, rows.differ, rows.differ)
    return replace(cause, fix="compare it with the ONNX file that it was made of, to see by how much")


def _name(dtypes: Iterable[str]) -> str:
    return names.QUANTISATION if any(dtype in INTEGERS for dtype in dtypes) else names.FLOAT16


def _count(dtypes: Counter[str]) -> str:
    return " and ".join(f"{count} as {dtype}" for dtype, count in dtypes.most_common())


def _shape(weight: RoundedWeight) -> str:
    return "×".join(map(str, weight.shape))
