"""What a profile's row says where no noise of the machine hides it."""

from dataclasses import replace
from typing import Any

from infer_bench.model import PHASES
from infer_bench.report.profile import ProfileReport
from infer_bench.reporters.profile.sentences import write_closing


def closing_without_noise(report: ProfileReport) -> str:
    """The closing of the only result, had its phases summed up to the request: on a busy machine they do not."""
    (row,) = report.results
    typical: Any = row.typical
    whole = sum(getattr(typical, f"{name}_ns") for name in PHASES)
    return " ".join(write_closing(report, replace(row, typical=replace(typical, request_ns=whole), unaccounted_ns=0)))
