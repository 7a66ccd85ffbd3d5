"""The format that a file is to have: the one that was asked for, or the one that its name says."""

import sys
from collections.abc import Mapping
from pathlib import Path

from infer_bench.errors import UsageError

ENDINGS: Mapping[str, str] = {
    ".csv": "csv",
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".markdown": "markdown",
    ".md": "markdown",
    ".txt": "table",
    ".xml": "junit",
}
"""What `--output` means where `--format` says nothing. Another name holds the table."""
_CHARTS = (".png", ".svg")
_OTHERS: Mapping[str, frozenset[str]] = {
    "json": frozenset({"bencher", "github-action-benchmark", "pyperf", "speedscope"}),
    "html": frozenset({"pyinstrument"}),
}
"""Formats whose files are JSON or HTML, too."""


def read_ending(output: str | None, endings: Mapping[str, str] = ENDINGS) -> str:
    """The format that the name of a file says; nothing where it says none, and for stdout.

    Raises `UsageError` for a chart, which takes a report.
    """
    suffix = Path(output or "").suffix.lower()
    if suffix in _CHARTS:
        raise UsageError(
            f"{output} is a chart by its ending", f"infer-bench show report.json --chart {output} draws it"
        )
    return endings.get(suffix, "")


def tell_disagreement(output: str | None, format: str, endings: Mapping[str, str] = ENDINGS) -> None:
    """Say on stderr that a file holds another format than its name says."""
    by_ending = endings.get(Path(output or "").suffix.lower(), "table")
    agrees = by_ending in (format, "table") or format in _OTHERS.get(by_ending, ())
    if format and not agrees:
        print(f"note: {output} holds {format}, as --format says, and not {by_ending}", file=sys.stderr)
