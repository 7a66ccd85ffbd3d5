"""`validate` of networks: outputs for the same requests, compared by their names."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from infer_bench.data import Table
from infer_bench.data.table import is_ragged
from infer_bench.measure.validate.networks.answers import compare_block
from infer_bench.measure.validate.networks.causes import explain_candidates
from infer_bench.measure.validate.networks.group import NetworkGroup
from infer_bench.measure.validate.networks.report import report_on
from infer_bench.measure.validate.networks.validation import NetworkValidation, RequestTable
from infer_bench.measure.validate.partial_reports import PartialReports
from infer_bench.progress import Progress
from infer_bench.report.validate import ValidateReport
from infer_bench.typing import Array

BLOCK_BYTES = 1 << 22
"""So many bytes of inputs are answered before they are compared: outputs may be larger, and are kept six times."""
MOST_REQUESTS = 64


def compare_networks(
    validation: NetworkValidation, progress: Progress, save: Callable[[ValidateReport], None] | None
) -> ValidateReport:
    """The whole comparison; one that is interrupted or fails saves what is known."""

    def save_partial() -> None:
        if save is not None:
            save(report_on(validation, complete=False))

    try:
        own_progress = PartialReports(progress, save_partial) if save else progress
        for requests in validation.requests:
            _compare_group(validation, requests, own_progress)
        own_progress.update(1, "looking for causes")
        explain_candidates(validation)
    except BaseException:
        save_partial()
        raise
    return report_on(validation)


def _compare_group(validation: NetworkValidation, requests: RequestTable, progress: Progress) -> None:
    for candidate in validation.candidates:
        candidate.groups[requests.name] = NetworkGroup(requests.name, validation.limits)
    start_s, total, count = time.monotonic(), requests.table.rows, 0
    for block in cut_blocks(requests.table):
        compare_block(validation, requests.name, block, count)
        count += block.rows
        rate = count / max(1e-9, time.monotonic() - start_s)
        progress.update(count / total, f"{count:,} of {total:,} requests   {rate:,.0f} requests/s")
        if requests.path:
            validation.requests_per_s = rate


def cut_blocks(table: Table) -> Iterator[Table]:
    """The requests in order, so many at a time that they take about `BLOCK_BYTES`."""
    sizes = sum((_request_bytes(column) for column in table.columns.values()), np.zeros(table.rows))
    start = 0
    while start < table.rows:
        fitting = int(np.searchsorted(np.cumsum(sizes[start : start + MOST_REQUESTS]), BLOCK_BYTES, side="right"))
        stop = min(table.rows, start + max(1, fitting))
        yield table.slice(start, stop)
        start = stop


def _request_bytes(column: Array) -> Array:
    """The bytes of each request (requests,); text counts as its pointers."""
    if is_ragged(column):
        return np.array([array.nbytes for array in column], dtype=np.float64)
    return np.full(len(column), column.nbytes / max(1, len(column)))
