"""What is said of a run that did not come to its end: whether there is a report, and where."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infer_bench.report.common import Report

SAYS_PARTIAL = frozenset({"html", "json", "junit", "markdown", "table"})
"""Formats in which a report says that its run was not finished. In another one it would pass for a whole one."""


def tell_partial(*places: str | None) -> None:
    """Say on stderr where a partial report is; `-` is stdout, None no place."""
    on_stdout = ["on stdout"] if "-" in places else []
    files = _join_files(places)
    where = " and ".join([*on_stdout, *([f"in {files}"] if files else [])])
    print(f"note: the run was broken off: a partial report is {where or 'written nowhere'}", file=sys.stderr)


def tell_unfinished(report: "Report[Any]", file: str, format: str) -> None:
    """Say on stderr that the report in a file is partial, where what it is shown in does not."""
    if not report.complete and format not in SAYS_PARTIAL:
        print(f"warning: the run of {file} was not finished, and {format} does not say so", file=sys.stderr)


def tell_nothing_written(*files: str | None) -> None:
    """Say on stderr that the files are as they were, where there are any."""
    names = _join_files(files)
    if names:
        print(f"note: nothing was measured yet, so nothing was written to {names}", file=sys.stderr)


def _join_files(names: tuple[str | None, ...]) -> str:
    return " and ".join(dict.fromkeys(name for name in names if name and name != "-"))
