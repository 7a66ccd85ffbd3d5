"""A fleet as rows: one a model and job."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.fleet.columns import TITLES
from infer_bench.reporters.text.csv import write_table

_FIGURES = tuple(key for key in TITLES if key not in ("job", "verdict"))
_ABOUT = ("model", "job", "command", "report", "key", "machine", "reused", "elapsed_ns")
_HEAD = (*_ABOUT[:3], "status", "exit_code", "reasons", *_FIGURES, *_ABOUT[3:])


def render(report: Report[Any]) -> str:
    """The whole text, its lines ended by a line feed."""
    return write_table(_HEAD, map(_fill, report.results))


def _fill(result: Any) -> dict[str, Any]:
    verdict = result.verdict
    verdict_columns = {"status": verdict.status, "exit_code": verdict.exit_code, "reasons": "; ".join(verdict.reasons)}
    return {**{name: getattr(result, name) for name in _ABOUT}, **verdict_columns, **result.figures}
