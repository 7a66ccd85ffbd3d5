"""github-action-benchmark's `customSmallerIsBetter`: a list of names, values and units that it draws over commits."""

from collections.abc import Iterator
from typing import Any

from infer_bench.report import json_text
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Latency, Report
from infer_bench.reporters.bench.groups import name_percentiles, read_percentile
from infer_bench.reporters.bench.names import name_measured
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate.groups import group_checks
from infer_bench.reporters.text import numbers

_COSTS = {"cold start": ("cold_start_ns", "ns"), "memory": ("rss_bytes", "bytes"), "file": ("artifact_bytes", "bytes")}


class GithubActionBenchmark:
    """One entry a percentile and cost of each result. A rate, of which more is better, has no place here."""

    name = "github-action-benchmark"
    commands = frozenset({"bench"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole document."""
        conclusions = _list_conclusions(report)
        entries = [
            {**entry, "extra": "\n".join([*_describe_result(result), *conclusions.get((name, str(entry["name"])), [])])}
            for name, result in name_measured(report)
            for entry in _list_entries(name, result, name_percentiles(report.settings))
        ]
        return json_text.encode(entries).decode()


def _list_entries(name: str, result: BenchResult, quantiles: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if result.request is not None:
        for quantile in quantiles:
            if (value := read_percentile(result.request, quantile)) is not None:
                yield {
                    "name": f"{name} {quantile}",
                    "unit": "ns",
                    "value": value,
                    **_make_range(result.request, quantile),
                }
    for title, (key, unit) in _COSTS.items():
        if (cost := getattr(result, key)) is not None:
            yield {"name": f"{name} {title}", "unit": unit, "value": cost}


def _make_range(latency: Latency, quantile: str) -> dict[str, str]:
    """The interval as the one distance that the action can read: the larger of the two."""
    value, bounds = read_percentile(latency, quantile), latency.intervals.get(quantile)
    if value is None or bounds is None:
        return {}
    return {"range": f"± {max(value - bounds[0], bounds[1] - value, 0)}"}


def _describe_result(result: BenchResult) -> list[str]:
    """What a point of the chart says when one points at it."""
    lines = [f"samples: {numbers.count(result.request.samples)}"] if result.request else []
    lines += [f"processes: {len(result.processes)}"] if result.processes else []
    if result.max_abs_delta is not None:
        lines.append(f"max |Δ|: {numbers.delta(result.max_abs_delta)}")
    return lines + ([f"label changes: {numbers.count(result.label_changes)}"] if result.label_changes else [])


def _list_conclusions(report: Report[BenchResult]) -> dict[tuple[str, str], list[str]]:
    """What the gate concluded, by the name of the result and of the entry."""
    if report.gate is None:
        return {}
    conclusions: dict[tuple[str, str], list[str]] = {}
    for group in group_checks(report):
        for check in group.checks:
            key = group.name, f"{group.name} {gate_columns.name_metric(check)}"
            conclusions.setdefault(key, []).append(gate_columns.describe_check(check))
    return conclusions
