"""Whether a candidate answers rows that it was asked before out of its memory: then the table times that memory."""

from collections.abc import Iterable, Iterator

import numpy as np

from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.report.common import Notice
from infer_bench.stats.percentiles import interval
from infer_bench.typing import Floats
from infer_bench.workers.timing.requests import ChangedRowTimes

REMEMBERED_ROWS = "remembered-rows"
LEAST_RATIO = 1.5
LEAST_PAIRS = 6
"""With fewer there is no 95 % interval of a median."""
_HINT = "switch its cache off to time its work, or give --data with more rows than requests are timed"


def note_repeated_rows(measurements: Iterable[Measurement], *, several: bool) -> Iterator[Notice]:
    """A warning for each candidate that remembers. With `several` models each names its own."""
    for measurement in measurements:
        times, candidate = measurement.changed_rows, measurement.candidate
        if times is not None and remembers_rows(times) and _are_remembered(measurement, times):
            ratio = float(np.median(_divide(times)))
            text = f"it remembers answers: a row asked before, as those timed were, is answered {ratio:.2g}× faster"
            path = candidate.model.path if several else ""
            yield Notice(REMEMBERED_ROWS, text, _HINT, candidate.label, path)


def _are_remembered(measurement: Measurement, times: ChangedRowTimes) -> bool:
    """Whether the requests that were timed took less than such as nobody asked: a small cache may hold none of them."""
    blocks = [block for rounds in measurement.samples("request") for block in rounds]
    if not blocks:
        return False
    return bool(np.median(times.changed) > LEAST_RATIO * np.median(np.concatenate(blocks)) / measurement.calls)


def remembers_rows(times: ChangedRowTimes) -> bool:
    """Whether rows that nobody asked take longer: the 95 % interval of the ratios' median is above `LEAST_RATIO`."""
    ranks = interval(len(times.repeated), 0.5) if len(times.repeated) >= LEAST_PAIRS else None
    return ranks is not None and bool(np.sort(_divide(times))[ranks[0] - 1] > LEAST_RATIO)


def _divide(times: ChangedRowTimes) -> Floats:
    ratios: Floats = times.changed / np.maximum(1, times.repeated)
    return ratios
