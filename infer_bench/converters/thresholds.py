"""Split thresholds in the number format of the converted file, such that every row of that format decides identically.

A row x of the target format and a threshold t of a wider one: `x <= t` holds iff x <= (largest target number <= t), and
`x < t` holds iff x < (smallest target number >= t). Rounding to the nearest would send a row on the threshold the wrong way.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.converters.ensemble import LEQ, LT, MEMBER, Ensemble, Floats, Nodes


def fold(ensemble: Ensemble, dtype: Any) -> npt.NDArray[Any]:
    """The threshold of each node (nodes,) in `dtype`, the zero band folded in; 0 for leaves and category sets."""
    nodes = ensemble.nodes
    folded = nodes.threshold.astype(dtype)
    with np.errstate(over="ignore"):
        at_most, below = round_down(nodes.threshold, dtype), round_up(nodes.threshold, dtype)
    folded = np.where(nodes.mode == LEQ, at_most, np.where(nodes.mode == LT, below, dtype(0)))
    return _without_band(nodes, folded, ensemble.zero_band, dtype)


def round_down(values: Floats, dtype: Any) -> npt.NDArray[Any]:
    """The largest number of `dtype` that is at most each value."""
    near = values.astype(dtype)
    return np.where(near.astype(np.float64) > values, np.nextafter(near, dtype(-np.inf)), near)


def round_up(values: Floats, dtype: Any) -> npt.NDArray[Any]:
    """The smallest number of `dtype` that is at least each value."""
    near = values.astype(dtype)
    return np.where(near.astype(np.float64) < values, np.nextafter(near, dtype(np.inf)), near)


def _without_band(nodes: Nodes, folded: npt.NDArray[Any], band: float, dtype: Any) -> npt.NDArray[Any]:
    """Thresholds inside the band of numbers that are read as zero move to its edges: all of them go one way."""
    if band == 0:
        return folded
    threshold, edge = nodes.threshold, dtype(band)
    low = np.where(nodes.mode == LT, -edge, np.nextafter(-edge, dtype(-np.inf)))
    high = np.where(nodes.mode == LT, np.nextafter(edge, dtype(np.inf)), edge)
    zero_goes_left = np.where(nodes.mode == LT, threshold > 0, threshold >= 0)
    inside = (np.abs(threshold) <= band) & (nodes.mode != MEMBER)
    return np.where(inside, np.where(zero_goes_left, high, low), folded)
