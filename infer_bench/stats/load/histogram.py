"""A histogram of constant relative width, as HdrHistogram keeps it."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from infer_bench.report.load import Histogram
from infer_bench.typing import Samples

_BITS = 7
"""A bucket spans 2^-7 of its power of two."""


def build_histogram(durations: Samples) -> Histogram:
    """Non-negative ns by bucket: a value keeps its eight leading binary digits."""
    values = np.asarray(durations, dtype=np.int64)
    _, exponents = np.frexp(values.astype(np.float64))
    shifts = np.maximum(exponents.astype(np.int64) - (_BITS + 1), 0)
    lows, counts = np.unique((values >> shifts) << shifts, return_counts=True)
    return Histogram(tuple(lows.tolist()), tuple(counts.tolist()))


def add_histograms(histograms: Iterable[Histogram]) -> Histogram:
    """That of all their durations together: buckets are the same everywhere, so that counts add up exactly."""
    counts: Counter[int] = Counter()
    for histogram in histograms:
        counts.update(dict(zip(histogram.low_ns, histogram.counts, strict=True)))
    lows = sorted(counts)
    return Histogram(tuple(lows), tuple(counts[low] for low in lows))
