"""A load as metrics."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult, Times
from infer_bench.reporters.load.columns import PERCENTILES
from infer_bench.reporters.text.metric_family import MetricFamily, convert_to_seconds


def list_families(report: Report[Any]) -> list[MetricFamily]:
    """Latency, lag, the server's phases, rates, errors by kind and validity of every result."""
    latency = MetricFamily("infer_bench_load_latency_seconds", "From due to a right answer.", "seconds")
    lag = MetricFamily("infer_bench_load_lag_seconds", "From due to sent.", "seconds")
    phase = MetricFamily("infer_bench_load_phase_seconds", "What the server says of a phase.", "seconds")
    due = MetricFamily("infer_bench_load_due_per_second", "Requests due in a second.")
    right = MetricFamily("infer_bench_load_answered_per_second", "Right answers in a second.")
    errors = MetricFamily("infer_bench_load_errors", "Requests without a right answer, by kind.")
    valid = MetricFamily("infer_bench_load_valid", "1 where the numbers are the server's alone.")
    for result in report.results:
        labels = _make_labels(result)
        _add_times(latency, result.latency, labels)
        if result.lag is not None:
            _add_times(lag, result.lag, labels)
        for name, times in result.phases.items():
            _add_times(phase, times, labels | {"phase": name})
        if result.rate_asked is not None:
            due.samples.append((labels, result.rate_asked))
        right.samples.append((labels, result.rate_achieved))
        errors.samples += [(labels | {"kind": kind}, count) for kind, count in result.errors.items()]
        valid.samples.append((labels, int(result.valid)))
    return [latency, lag, phase, due, right, errors, valid]


def _make_labels(result: LoadResult) -> dict[str, str]:
    rate = {} if result.rate_asked is None else {"rate": f"{result.rate_asked:.10g}"}
    concurrency = {} if result.concurrency is None else {"concurrency": str(result.concurrency)}
    return {"target": result.target, "protocol": result.protocol, "loop": result.loop, **rate, **concurrency}


def _add_times(family: MetricFamily, times: Times, labels: dict[str, str]) -> None:
    for name, field in PERCENTILES.items():
        if (value := getattr(times, field)) is not None:
            quantile = f"{float(name[1:]) / 100:.10g}"
            family.samples.append((labels | {"quantile": quantile}, convert_to_seconds(value)))
