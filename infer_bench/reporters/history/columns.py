"""The cells of a run's line."""

from infer_bench.reporters.history.history import Entry
from infer_bench.reporters.text import numbers

TITLES = {
    "made": "made",
    "p50": "p50",
    "ratio": "to the first",
    "p95": "p95",
    "rows_per_s": "rows/s",
    "delta": "max |Δ|",
    "comparable": "comparable",
}


def fill_cells(entry: Entry) -> dict[str, str]:
    """Key → text."""
    result, request = entry.result, entry.result.request
    return {
        "made": entry.run.report.created_at[:16].replace("T", " "),
        "p50": numbers.duration(request.p50_ns if request else None),
        "ratio": numbers.MISSING if entry.ratio is None else numbers.ratio(entry.ratio),
        "p95": numbers.duration(request.p95_ns if request else None),
        "rows_per_s": numbers.rate(result.rows_per_s),
        "delta": numbers.delta(result.max_abs_delta),
        "comparable": "yes" if entry.run.comparable else "no",
    }
