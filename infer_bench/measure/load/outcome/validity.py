"""Whether a load says something of the server, or of the generator only. Pure."""

from collections.abc import Iterable

import numpy as np

from infer_bench.report.common import Notice
from infer_bench.report.load import Times
from infer_bench.stats.percentiles import percentile
from infer_bench.typing import Samples

LAG_SHARE = 0.1
"""Of the p50 that the generator's own delay may take at its p99."""
FULL = 0.9
"""Of its time that the generator may work: beyond, answers wait to be read."""


def judge_validity(
    latency: Times, delay: Samples, waits: int, connections: int, outstanding: int, busy_share: float | None
) -> Iterable[Notice]:
    """Why the numbers are not the server's alone.

    `delay` (ns) is from due until the generator took a request up, `waits` counts those that found every connection
    busy, `outstanding` is the most that were due and not yet answered at a time.
    """
    if waits:
        yield Notice(
            "connections",
            f"{waits:,} of {latency.samples:,} requests were due while all {connections:,} connections were busy",
            f"--connections {_round_up(outstanding):,}".replace(",", "") + ", or a lower --rate",
        )
    lag = percentile(delay, 0.99) if len(delay) else 0
    if latency.p50_ns is not None and lag > LAG_SHARE * latency.p50_ns:
        share = lag / latency.p50_ns
        yield Notice(
            "lag",
            f"requests were sent late: the p99 of the delay is {share:.0%} of the p50, {LAG_SHARE:.0%} are allowed",
            "give the generator a core of its own, or a lower --rate",
        )
    if busy_share is not None and busy_share > FULL:
        yield Notice(
            "cpu",
            f"the generator worked {busy_share:.0%} of its time, so that answers waited to be read",
            "a lower --rate, or several generators",
        )


def _round_up(number: int) -> int:
    """The next power of two."""
    return 1 << max(0, number - 1).bit_length()


def count_outstanding(due: Samples, settled: Samples) -> int:
    """The most requests that were due and not settled at a time; both are times in ns (requests,)."""
    times = np.concatenate([due, settled])
    steps = np.concatenate([np.ones(len(due), dtype=np.int64), -np.ones(len(settled), dtype=np.int64)])
    order = np.lexsort((steps, times))
    return int(np.cumsum(steps[order]).max(initial=0))
