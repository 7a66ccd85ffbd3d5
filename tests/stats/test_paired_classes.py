"""What changed classes prove: McNemar's exact test as SciPy has it, and an interval that holds what it promises."""

import numpy as np
import pytest
from scipy.stats import binomtest

from infer_bench.stats.paired_classes import drop_interval, mcnemar


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (6, 14), (14, 6), (1, 0), (0, 9), (5, 5)])
def test_mcnemar_is_the_binomial_test(worse: int, better: int) -> None:
    expected = binomtest(worse, worse + better).pvalue if worse + better else 1.0
    assert mcnemar(worse, better) == pytest.approx(min(1.0, expected))


def test_nothing_that_changed_leaves_a_rate_open() -> None:
    low, high = drop_interval(0, 0, 897, 0.05)
    assert low == -high
    assert high == pytest.approx(1 - (0.05 / 4) ** (1 / 897))


def test_the_interval_misses_as_rarely_as_promised() -> None:
    generator = np.random.default_rng(0)
    for worse, better in ((0.002, 0.001), (0.03, 0.01), (0.2, 0.2)):
        counts = generator.multinomial(400, [worse, better, 1 - worse - better], size=300)
        distinct = {(w, b): drop_interval(w, b, 400, 0.05) for w, b, _ in set(map(tuple, counts.tolist()))}
        intervals = [distinct[w, b] for w, b, _ in counts.tolist()]
        missed = sum(not low <= worse - better <= high for low, high in intervals)
        assert missed <= 0.05 * len(intervals)
