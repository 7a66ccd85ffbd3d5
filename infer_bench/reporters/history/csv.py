"""Runs as rows of raw numbers: one a candidate and run."""

from infer_bench.reporters.history.history import History
from infer_bench.reporters.text.csv import write_table

FIELDS = ("name", "file", "created_at", "sha256", "p50_ns", "p95_ns", "p99_ns", "rows_per_s", "ratio", "comparable")


def render_csv(history: History) -> str:
    """The whole text. `ratio` is the p50 over that of the first run."""
    return write_table(
        FIELDS,
        (
            {
                "name": name,
                "file": entry.run.file,
                "created_at": entry.run.report.created_at,
                "sha256": entry.result.model.sha256,
                "rows_per_s": entry.result.rows_per_s,
                "ratio": entry.ratio,
                "comparable": entry.run.comparable,
                **{key: getattr(entry.result.request, key, None) for key in ("p50_ns", "p95_ns", "p99_ns")},
            }
            for name, entries in history.entries().items()
            for entry in entries
        ),
    )
