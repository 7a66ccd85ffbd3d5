"""Merges reports on parts."""

from collections.abc import Sequence

from infer_bench.cli.delivery import Delivery
from infer_bench.cli.runs.validate import deliver_comparison
from infer_bench.measure.shards.run import run


def run_merge(parts: Sequence[str], to: Delivery, *, worst: str | None) -> int:
    """Merge, write and render; returns the verdict's exit code."""
    return deliver_comparison(lambda progress, _: run(parts, progress), parts, to, worst)
