"""Bencher Metric Format: a JSON object of benchmarks, each an object of measures."""

from collections.abc import Mapping
from typing import Any

from infer_bench.report import json_text
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Latency, Report
from infer_bench.reporters.bench.groups import name_percentiles, read_percentile
from infer_bench.reporters.bench.names import name_measured, number_repeats

_LONGEST = 1024
"""Characters that Bencher takes for a benchmark's name."""

_MEASURES = {
    "throughput": "rows_per_s",
    "cold-start": "cold_start_ns",
    "memory": "rss_bytes",
    "file-size": "artifact_bytes",
    "max-abs-delta": "max_abs_delta",
}


class Bencher:
    """`latency` is the median in ns and `latency-p95` a tail, with their intervals; `throughput` is in rows/s."""

    name = "bencher"
    commands = frozenset({"bench"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole document."""
        results, quantiles = name_measured(report), name_percentiles(report.settings)
        names = number_repeats(name[-_LONGEST:] for name, _ in results)
        benchmarks = {name: _list_measures(result, quantiles) for name, (_, result) in zip(names, results, strict=True)}
        return json_text.encode(benchmarks).decode()


def _list_measures(result: BenchResult, quantiles: tuple[str, ...]) -> Mapping[str, Any]:
    measures: dict[str, Any] = {}
    for quantile in quantiles if result.request else ():
        if result.request and read_percentile(result.request, quantile) is not None:
            measures["latency" if quantile == "p50" else f"latency-{quantile}"] = _make_metric(result.request, quantile)
    for measure, field in _MEASURES.items():
        if (value := getattr(result, field)) is not None:
            measures[measure] = {"value": value}
    return measures


def _make_metric(latency: Latency, quantile: str) -> Mapping[str, Any]:
    bounds = latency.intervals.get(quantile)
    around = {} if bounds is None else {"lower_value": bounds[0], "upper_value": bounds[1]}
    return {"value": read_percentile(latency, quantile), **around}
