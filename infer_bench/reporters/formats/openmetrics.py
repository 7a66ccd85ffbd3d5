"""OpenMetrics text: gauges for a collector that keeps them over time, ended by `# EOF`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Latency, Phases, Report
from infer_bench.reporters.bench.groups import name_percentiles, read_percentile
from infer_bench.reporters.bench.names import name_measured, name_results
from infer_bench.reporters.gate.groups import CheckGroup, group_checks
from infer_bench.reporters.load.openmetrics import list_families
from infer_bench.reporters.text.metric_family import MetricFamily, convert_to_seconds


class OpenMetrics:
    """Times in seconds and sizes in bytes. A percentile is told by the label `quantile`, 0 to 1."""

    name = "openmetrics"
    commands = frozenset({"bench", "load"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole exposition."""
        if report.command == "load":
            families = [_describe_run(report), *list_families(report), *_list_exit_code(report)]
        else:
            families = _list_bench_families(report)
        return "\n".join(line for family in families if family.samples for line in family.lines()) + "\n# EOF\n"


def _list_bench_families(report: Report[BenchResult]) -> list[MetricFamily]:
    results, checks = _list_results(report), _list_checks(report)
    return [_describe_run(report), _list_failures(report), *results, *checks, *_list_exit_code(report)]


def _describe_run(report: Report[BenchResult]) -> MetricFamily:
    machine = report.environment
    about = {"version": report.tool_version, "created_at": report.created_at, "python": machine.python}
    about |= {"os": machine.os, "cpu_model": machine.cpu_model}
    return MetricFamily("infer_bench_run", "What made these numbers.", kind="info", samples=[(about, 1)])


def _make_labels(name: str, result: BenchResult) -> dict[str, str]:
    about = {"benchmark": name, "model": result.model.path, "candidate": result.candidate}
    return about | {"engine": result.engine, "batch": str(result.batch)}


def _list_failures(report: Report[BenchResult]) -> MetricFamily:
    family = MetricFamily("infer_bench_failed", "1 where a candidate could not be measured.")
    for name, result in zip(name_results(report), report.results, strict=True):
        family.samples.append((_make_labels(name, result), int(result.failed is not None)))
    return family


def _list_results(report: Report[BenchResult]) -> list[MetricFamily]:
    request = MetricFamily("infer_bench_request_seconds", "Time of a request.", "seconds")
    low = MetricFamily("infer_bench_request_low_seconds", "Lower bound at 95 %, spanning processes.", "seconds")
    high = MetricFamily("infer_bench_request_high_seconds", "Upper bound at 95 %, spanning processes.", "seconds")
    phase = MetricFamily("infer_bench_phase_seconds", "Time of a phase of the request.", "seconds")
    costs: dict[str, MetricFamily] = {key: MetricFamily(*about) for key, about in _COSTS.items()}
    quantiles = name_percentiles(report.settings)
    for name, result in name_measured(report):
        labels = _make_labels(name, result)
        for latency in [result.request] if result.request else []:
            request.samples += _list_times(latency, quantiles, labels)
            low.samples += _list_bounds(latency, quantiles, labels, 0)
            high.samples += _list_bounds(latency, quantiles, labels, 1)
        for part in Phases.__dataclass_fields__ if result.phases else ():
            phase.samples += _list_times(getattr(result.phases, part), quantiles, labels | {"phase": part})
        for key, family in costs.items():
            if (value := getattr(result, key)) is not None:
                family.samples.append((labels, convert_to_seconds(value) if family.unit == "seconds" else value))
    return [request, low, high, phase, *costs.values()]


_COSTS: dict[str, tuple[str, str] | tuple[str, str, str]] = {
    "rows_per_s": ("infer_bench_rows_per_second", "Rows answered in a second."),
    "cold_start_ns": ("infer_bench_cold_start_seconds", "From the start of a process to its first answer.", "seconds"),
    "rss_bytes": ("infer_bench_memory_bytes", "Resident memory of a worker.", "bytes"),
    "artifact_bytes": ("infer_bench_artifact_bytes", "Size of the model on disk.", "bytes"),
    "max_abs_delta": ("infer_bench_max_abs_delta", "Largest difference from the answers of the reference."),
    "label_changes": ("infer_bench_label_changes", "Rows whose label is not that of the reference."),
    "non_finite_mismatches": (
        "infer_bench_non_finite_mismatches",
        "Answers that are NaN or infinite on one side only.",
    ),
}


def _list_times(
    latency: Latency, quantiles: Iterable[str], labels: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, str], float]]:
    for quantile in quantiles:
        if (value := read_percentile(latency, quantile)) is not None:
            yield {**labels, "quantile": _name_quantile(quantile)}, convert_to_seconds(value)


def _list_bounds(
    latency: Latency, quantiles: Iterable[str], labels: Mapping[str, str], which: int
) -> Iterator[tuple[Mapping[str, str], float]]:
    for quantile in quantiles:
        if (bounds := latency.intervals.get(quantile)) is not None:
            yield {**labels, "quantile": _name_quantile(quantile)}, convert_to_seconds(bounds[which])


def _name_quantile(quantile: str) -> str:
    """`p99.9` as `0.999`."""
    return f"{float(quantile[1:]) / 100:.10g}"


def _list_checks(report: Report[BenchResult]) -> list[MetricFamily]:
    if report.gate is None:
        return []
    outcome = MetricFamily("infer_bench_check", "1 for what a check of the gate came to.")
    families = {
        "limit": MetricFamily("infer_bench_check_limit", "Share allowed on top, or the bound in ns or bytes."),
        "ratio": MetricFamily("infer_bench_check_ratio", "Value over the baseline's."),
        "low": MetricFamily("infer_bench_check_ratio_low", "Lower bound that the verdict was made by."),
        "high": MetricFamily("infer_bench_check_ratio_high", "Upper bound that the verdict was made by."),
    }
    for group in group_checks(report):
        for place, check in enumerate(group.checks):
            labels = _label_check(group, place)
            outcome.samples.append((labels | {"outcome": check.outcome}, 1))
            for key, family in families.items():
                value = getattr(check, key)
                if value is not None and (key == "limit" or check.kind == "regression"):
                    family.samples.append((labels, value))
    return [outcome, *families.values()]


def _label_check(group: CheckGroup, place: int) -> dict[str, str]:
    check = group.checks[place]
    repeated = sum((other.metric, other.kind) == (check.metric, check.kind) for other in group.checks[:place])
    kind = f"{check.kind} #{repeated + 1}" if repeated else check.kind
    labels = {"benchmark": group.name, "model": group.model, "candidate": group.candidate, "batch": str(group.batch)}
    return labels | {"metric": check.metric, "kind": kind}


def _list_exit_code(report: Report[BenchResult]) -> list[MetricFamily]:
    if report.verdict is None:
        return []
    status = {"status": report.verdict.status}
    about = "0 pass, 1 regressed, 3 inconclusive, 4 different, 5 not comparable, 6 failed."
    return [MetricFamily("infer_bench_exit_code", about, samples=[(status, report.verdict.exit_code)])]
