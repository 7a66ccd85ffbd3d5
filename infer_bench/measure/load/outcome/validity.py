"""Whether a load says something of the server, or of the generator only. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from infer_bench.measure.load.settings import MOST_CONNECTIONS
from infer_bench.report.common import Notice
from infer_bench.report.load import Times
from infer_bench.stats.load.digits import write_beside
from infer_bench.stats.percentiles import minimum_samples, percentile
from infer_bench.typing import Bools, Samples

LAG_SHARE = 0.1
"""Of the p50 that the generator's own delay may take at its p99."""
LATE_NS = 1_000_000
"""Beyond, something has kept the generator from its work."""
FULL = 0.9
"""Of its time that the generator may work: beyond, answers wait to be read."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Requests that found every connection busy: how many, and of how many the generator had been late itself.

    After a pause of the generator's all that was due meanwhile is sent at once.
    """

    count: int = 0
    late: int = 0

    @classmethod
    def count_from(cls, has_waited: Bools, delay: Samples) -> "Waits":
        """Of all requests (requests,), `delay` in ns from due until the generator took one up."""
        return cls(int(has_waited.sum()), int((has_waited & (delay > LATE_NS)).sum()))


def judge_validity(
    latency: Times, delay: Samples, waits: Waits, connections: int, outstanding: int, busy_share: float | None
) -> Iterable[Notice]:
    """Why the numbers are not the server's alone.

    `delay` (ns) is from due until the generator took a request up, `outstanding` is the most that were due and not yet
    answered at a time.
    """
    if waits.count:
        busy = f"while all {connections:,} connections were busy"
        yield Notice(
            "connections",
            f"{waits.count:,} of {latency.samples:,} requests were due {busy}{_describe_pause(waits, delay)}",
            _advise_connections(waits, outstanding),
        )
    lag = percentile(delay, 0.99) if len(delay) else 0
    if latency.p50_ns is not None and lag > LAG_SHARE * latency.p50_ns:
        share, allowed = write_beside(100 * lag / latency.p50_ns, 100 * LAG_SHARE), f"{100 * LAG_SHARE:.0f} %"
        yield Notice(
            "lag",
            f"requests were sent late: the p99 of the delay is {share} % of the p50, {allowed} are allowed",
            "give the generator a core of its own, or a lower --rate",
        )
    if latency.p50_ns is None and latency.samples >= minimum_samples(0.5):
        yield Notice(
            "errors",
            "more than half of the requests got no right answer: there is no p50 to judge the generator by",
            "see the errors and the service's own log, or a lower --rate",
        )
    if busy_share is not None and busy_share > FULL:
        share = write_beside(100 * busy_share, 100 * FULL, 2)
        yield Notice(
            "cpu",
            f"the generator worked {share} % of its time, so that answers waited to be read",
            "a lower --rate, or several generators",
        )


def _describe_pause(waits: Waits, delay: Samples) -> str:
    if 2 * waits.late <= waits.count or not len(delay):
        return ""
    return f", most of them after the generator was held up itself, for {delay.max() / 1e6:,.3g} ms at the most"


def _advise_connections(waits: Waits, outstanding: int) -> str:
    if 2 * waits.late > waits.count:
        return "give the generator a core of its own, or a lower --rate"
    if outstanding > MOST_CONNECTIONS:
        return "a lower --rate: the service does not keep up"
    return f"--connections {min(MOST_CONNECTIONS, _round_up(outstanding))}, or a lower --rate"


def _round_up(number: int) -> int:
    """The next power of two."""
    return 1 << max(0, number - 1).bit_length()


def count_outstanding(due: Samples, settled: Samples) -> int:
    """The most requests that were due and not settled at a time; both are times in ns (requests,)."""
    times = np.concatenate([due, settled])
    steps = np.concatenate([np.ones(len(due), dtype=np.int64), -np.ones(len(settled), dtype=np.int64)])
    order = np.lexsort((steps, times))
    return int(np.cumsum(steps[order]).max(initial=0))
