"""A comparison as rows of numbers: one a candidate, group and output."""

from dataclasses import fields
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import OutputDelta, ValidateGroup, ValidateResult
from infer_bench.reporters.text.csv import write_table

_NUMBERS = tuple(field.name for field in fields(OutputDelta) if field.name not in ("output", "tensor"))
_WHOLE = ("rows", "label_changes", "argmax_changes", "rank_correlation", "refusals", "passing_atol", "passing_rtol")
_HEAD = ("reference", "candidate", "engine", "sha256", "failed", "group", "output")


def render(report: Report[Any]) -> str:
    """The whole text, its lines ended by a line feed."""
    return write_table([*_HEAD, *_WHOLE, *_NUMBERS], (row for result in report.results for row in _list_rows(result)))


def _list_rows(result: ValidateResult) -> list[dict[str, Any]]:
    about = {
        "reference": result.reference.converted_from or result.reference.model.path,
        "candidate": result.candidate.converted_from or result.candidate.model.path,
        "engine": result.candidate.engine,
        "sha256": result.candidate.model.sha256,
        "failed": result.failed,
    }
    if not result.groups:
        return [about]
    return [about | row for group in result.groups for row in _list_group(group)]


def _list_group(group: ValidateGroup) -> list[dict[str, Any]]:
    whole = {name: getattr(group, name) for name in (*_WHOLE, *_NUMBERS)}
    rows = [{"group": group.name, "output": "all", **whole}]
    if len(group.outputs) > 1:
        rows += [
            {"group": group.name, "output": output.output, **{name: getattr(output, name) for name in _NUMBERS}}
            for output in group.outputs
        ]
    return rows
