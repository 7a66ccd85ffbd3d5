"""Which rows calibrate and which judge: never the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.data.labels import read_labels
from infer_bench.errors import DataError
from infer_bench.measure.quantize.arrays import Requests, read_requests, refuse_non_finite
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.typing import Array
from infer_bench.workers.tasks.quantize import NetworkTensor

STACK = 64
"""So many requests are run at a time where the batch is free."""
MOST_CALIBRATING = 256
_OUTSIDE = 0.001
"""A share of judged values outside of the calibrated range that is worth a word."""
_MARGIN = 0.05
"""Outside is what lies beyond the range by more than this share of it: any two samples of one kind differ a little."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`calibrating` and `judging` requests, and the true labels of the judging ones (rows,), None without.

    On `selecting` is chosen which layers stay float32, so that the judging rows judge once; None where nothing is.
    Where they `are_drawn`, `inputs` say how each input was drawn, and `notices` what is to be known of that.
    """

    calibrating: Requests
    judging: Requests
    labels: Array | None
    selecting: Requests | None = None
    selecting_labels: Array | None = None
    are_drawn: bool = False
    inputs: tuple[DrawnInput, ...] = ()
    notices: tuple[Notice, ...] = ()


def read_rows(
    data: str,
    judge: str | None,
    labels: str | None,
    inputs: Sequence[NetworkTensor],
    seed: int,
    *,
    select: bool = False,
) -> Rows:
    """Split the file's rows at random: at most a quarter and 256 of them calibrate; `judge` has rows of its own.

    `labels` are those of the rows that judge: of `judge` where it is given, else of `data`. With `select` a quarter of
    those that would judge is set aside. Raises `DataError`.
    """
    requests = _read(data, inputs)
    generator = np.random.default_rng(seed)
    if judge is None:
        pool, pool_file = requests, data
        order = generator.permutation(requests.count)
        count = count_calibrating(requests.count)
        calibrating, rest = requests.take(np.sort(order[:count])), order[count:]
    else:
        pool, pool_file = _read(judge, inputs), judge
        calibrating = requests.take(np.arange(min(requests.count, MOST_CALIBRATING)))
        rest = generator.permutation(pool.count)
    truth = None if labels is None else read_labels(labels, pool.count)
    selected = len(rest) // 4 if select else 0
    if len(rest) <= selected or (select and not selected):
        raise DataError(f"{Path(pool_file).name} has too few rows: some calibrate, and others judge", "give more rows")
    judging = _take(pool, truth, np.sort(rest[selected:]), pool_file)
    selecting = _take(pool, truth, np.sort(rest[:selected]), pool_file) if select else (None, None)
    return Rows(_whole(calibrating, data), *judging, *selecting)


def count_calibrating(rows: int) -> int:
    """How many of so many rows calibrate: a quarter, at most `MOST_CALIBRATING`."""
    return min(max(1, rows // 4), MOST_CALIBRATING)


def _take(requests: Requests, truth: Array | None, places: Array, file: str) -> tuple[Requests, Array | None]:
    part = _whole(requests.take(places), file)
    return part, None if truth is None else truth[places][: part.count]


def _read(path: str, inputs: Sequence[NetworkTensor]) -> Requests:
    requests = read_requests(path, inputs, STACK)
    refuse_non_finite(requests, Path(path).name)
    return requests


def _whole(requests: Requests, file: str) -> Requests:
    """Without those that fill no batch of the size that the model fixes."""
    if requests.free or not requests.stack:
        return requests
    count = requests.count - requests.count % requests.stack
    if count == 0:
        raise DataError(
            f"the model takes {requests.stack} rows at a time: {Path(file).name} has too few", "give more rows"
        )
    return requests.take(np.arange(count))


def warn_of_range(rows: Rows) -> list[Notice]:
    """What the judged rows have outside of the calibrated range: int8 cuts it off there."""
    notices = []
    for name, array in rows.judging.arrays.items():
        calibrating = rows.calibrating.arrays[name]
        if array.dtype.kind != "f":
            continue
        low, high = float(calibrating.min()), float(calibrating.max())
        margin = _MARGIN * (high - low)
        share = float(np.mean((array < low - margin) | (array > high + margin)))
        if share > _OUTSIDE:
            message = (
                f"{share * 100:.1f} % of the judged values of {name!r} lie outside of the calibrated range "
                f"{low:.3g} to {high:.3g}"
            )
            notices.append(Notice("calibration-range", message, "calibrate on rows of the scale that will be served"))
    return notices
