"""How many representable numbers lie between two predictions."""

from typing import Any

import numpy as np
import numpy.typing as npt

EPSILONS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""How far the next number is from 1, by float dtype."""


def ulps(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> int:
    """The most representable values between two finite predictions of one dtype: their distance as ordered integers."""
    if not len(ours):
        return 0
    kind = np.int32 if ours.dtype == np.float32 else np.int64
    low, high = (_ordered(np.minimum(ours, theirs), kind), _ordered(np.maximum(ours, theirs), kind))
    # Wraps around for two's complement, and unsigned is what the distance is.
    return int((high - low).view(np.uint64).max())


def coarser(one: str, other: str) -> str:
    """Of two float dtypes by name the one with the larger ulp; the first where the second is no float."""
    return max((one, other), key=lambda name: EPSILONS.get(name, 0.0))


def ulp_of(value: float, precision: str) -> float:
    """How far the next number of a float dtype is from a finite one; 0 from 0."""
    return float(np.ldexp(EPSILONS[precision], int(np.frexp(value)[1]) - 1)) if value else 0.0


def single(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Rounded to float32; what is beyond its range becomes infinite."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _ordered(values: npt.NDArray[Any], kind: type) -> npt.NDArray[np.int64]:
    """Integers that rise by one from each float to the next; both zeros are 0."""
    bits = np.ascontiguousarray(values).view(kind).astype(np.int64)
    least = np.int64(np.iinfo(kind).min)
    return np.where(bits < 0, least - bits, bits)
