"""The most telling numbers of a command's report. Pure."""

from collections.abc import Mapping
from typing import Any

from infer_bench.report.common import Report

Figures = Mapping[str, float | int | None]


def find_figures(report: Report[Any]) -> Figures:
    """By the names that they have in the report; of several results, those of the worst, of a bench of the fastest."""
    find = {"bench": _of_bench, "convert": _of_groups, "validate": _of_groups}.get(report.command)
    return {} if find is None else find(report)


def _of_groups(report: Report[Any]) -> Figures:
    groups = [group for result in report.results for group in result.groups]
    labels = [group.label_changes for group in groups if group.label_changes is not None]
    return {
        "rows": sum(group.rows for group in groups),
        "max_abs_delta": max((group.max_abs_delta for group in groups), default=None),
        "label_changes": sum(labels) if labels else None,
    }


def _of_bench(report: Report[Any]) -> Figures:
    requests = [r.request for r in report.results if r.request is not None and r.request.p50_ns is not None]
    fastest = min(requests, key=lambda request: request.p50_ns, default=None)
    deltas = [result.max_abs_delta for result in report.results if result.max_abs_delta is not None]
    figures: dict[str, float | int | None] = {"max_abs_delta": max(deltas, default=None)}
    if fastest is not None:
        figures |= {"p50_ns": fastest.p50_ns, "p99_ns": fastest.p99_ns}
    return figures
