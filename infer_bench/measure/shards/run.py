"""`merge`: reports on parts become the report on the whole."""

import os
from collections.abc import Sequence

from infer_bench.measure.shards.explain import explain_summary
from infer_bench.measure.shards.merge import Merge
from infer_bench.progress import Progress, Silent
from infer_bench.report.serialize import load_report
from infer_bench.report.validate import ValidateReport

__all__ = ["merge", "run"]


def merge(*parts: str | os.PathLike[str], progress: Progress | None = None) -> ValidateReport:
    """The report on all rows, from the reports on its parts (JSON files of `validate --shard`), in any order.

    It is what one run over all rows would have said. A part that is there twice counts once. Raises `CannotRun` where
    parts are missing, damaged, disagree, or are not of the same models, data, settings and versions.
    """
    return run([os.fspath(part) for part in parts], progress or Silent())


def run(files: Sequence[str], progress: Progress) -> ValidateReport:
    """As `merge`."""
    whole = Merge()
    for i, file in enumerate(files):
        progress.update(i / len(files), f"reading part {i + 1:,} of {len(files):,}")
        whole.add(load_report(file), file)
    whole.check_whole()
    return whole.report(explain_summary(whole.summary, whole.plan, whole.settings, progress))
