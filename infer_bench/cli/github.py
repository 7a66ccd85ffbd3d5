"""Tells GitHub Actions what was found: a summary of the step and annotations on the run."""

import contextlib
import os
import sys
from typing import Any

from infer_bench.report.common import Report


def tell_github(report: Report[Any]) -> None:
    """Append to the file that `GITHUB_STEP_SUMMARY` names, and annotate where `GITHUB_ACTIONS` is `true`.

    Elsewhere nothing happens. A summary that cannot be written is said on stderr and changes nothing else.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        try:
            _append(report, path)
        except (OSError, ValueError) as error:
            _write_stderr(f"note: no step summary was written: {getattr(error, 'strerror', None) or error}\n")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from infer_bench.reporters.github import annotate

        _write_stderr(annotate(report))


def _append(report: Report[Any], path: str) -> None:
    """After what earlier commands of the same step have written, and within what is left of its size."""
    from infer_bench.reporters.github import SUMMARY_BYTES, summarize

    with open(path, "ab") as file:
        file.write(summarize(report, SUMMARY_BYTES - file.tell()).encode())


def _write_stderr(text: str) -> None:
    """On stderr: stdout carries the result, and GitHub reads both."""
    with contextlib.suppress(OSError, ValueError):  # nobody listens
        sys.stderr.write(text)
        sys.stderr.flush()
