"""The shape of a sample: one hump or two, and how wide."""

import math
from typing import NamedTuple

import numpy as np

from infer_bench.typing import Floats, Samples

MINIMUM = 100
"""Fewer samples than this are never called bimodal."""
_LEAST_SHARE = 0.1
_LEAST_DISTANCE = 1.08
_VALLEY = 0.75
_GRID = 256


class TwoGroups(NamedTuple):
    """Where two humps have their modes, in the unit of the samples, and the share of the samples in the lower one."""

    lower: float
    upper: float
    lower_share: float


def is_bimodal(samples: Samples) -> bool:
    """Whether the samples gather in two humps: see `find_two_groups`."""
    return find_two_groups(samples) is not None


def find_two_groups(samples: Samples) -> TwoGroups | None:
    """The two humps in which the samples (1-D int64 ns) gather, as when two machine states took turns; None for one.

    A Gaussian kernel density of the log of the central 98 %, with Silverman's bandwidth (from the smaller of the
    standard deviation and IQR / 1.349; never under the clock's tick). Two of its modes must lie at least 1.08x
    apart, hold at least 10 % of the samples each, and the valley between them is below three quarters of the lower
    mode, by more than counting noise (3 sigma). A long tail is one hump.
    """
    if len(samples) < MINIMUM:
        return None
    logs = np.log(np.maximum(np.asarray(samples, dtype=np.float64), 1.0))
    low, high = np.quantile(logs, (0.01, 0.99))
    logs = logs[(logs >= low) & (logs <= high)]
    width = _bandwidth(logs)
    if high - low < 2 * width or width <= 0:
        return None
    grid = np.linspace(low - 3 * width, high + 3 * width, _GRID)
    return _find_valley(grid, _density(logs, grid, width), np.sort(logs))


def spread(samples: Samples) -> float:
    """Relative spread that outliers do not move: IQR / 1.349 / median (a normal sample's coefficient of variation)."""
    low, middle, high = (float(v) for v in np.quantile(samples, (0.25, 0.5, 0.75)))
    return (high - low) / 1.349 / middle if middle > 0 else 0.0


def _bandwidth(logs: Floats) -> float:
    """Silverman's rule, at least the tick of the clock (the smallest usual step between distinct values)."""
    quartiles = np.quantile(logs, (0.25, 0.75))
    scale = float(np.std(logs))
    if quartiles[1] > quartiles[0]:
        scale = min(scale, float(quartiles[1] - quartiles[0]) / 1.349)
    distinct = np.unique(logs)
    tick = float(np.median(np.diff(distinct))) if len(distinct) > 1 else 0.0
    return max(0.9 * scale / math.pow(len(logs), 0.2), tick, 1e-4)


def _density(logs: Floats, grid: Floats, width: float) -> Floats:
    """Kernel density on the grid, from a histogram of its cells: cost independent of the number of samples."""
    step = float(grid[1] - grid[0])
    counts, _ = np.histogram(logs, bins=np.append(grid - step / 2, grid[-1] + step / 2))
    kernel = np.exp(-0.5 * ((grid[:, None] - grid[None, :]) / max(width, step)) ** 2)
    density: Floats = kernel @ counts
    return density


def _find_valley(grid: Floats, density: Floats, logs: Floats) -> TwoGroups | None:
    """The real humps on both sides of the first valley of the density that parts the sample; `logs` is sorted."""
    inner = np.arange(1, len(grid) - 1)
    dips = inner[(density[inner] < density[inner - 1]) & (density[inner] <= density[inner + 1])]
    for dip in dips:
        low, high = int(np.argmax(density[:dip])), dip + int(np.argmax(density[dip:]))
        share = float(np.searchsorted(logs, grid[dip])) / len(logs)
        apart = grid[high] - grid[low] >= math.log(_LEAST_DISTANCE)
        if apart and _LEAST_SHARE <= share <= 1 - _LEAST_SHARE and _deep(density, low, dip, high):
            return TwoGroups(math.exp(grid[low]), math.exp(grid[high]), share)
    return None


def _deep(density: Floats, low: int, dip: int, high: int) -> bool:
    """Below half of the lower mode, and by more than counting noise: the density is in (kernel-weighted) counts."""
    lower, valley = min(density[low], density[high]), density[dip]
    return bool(valley < _VALLEY * lower and lower - valley > 3 * math.sqrt(lower + valley))
