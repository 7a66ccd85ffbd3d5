"""A bench as rows of raw integers: one a candidate and batch size. The unit stands in the column's name."""

from collections.abc import Mapping
from typing import Any

from infer_bench.model import PHASES
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Latency, Report
from infer_bench.reporters.bench.groups import name_percentiles, read_percentile
from infer_bench.reporters.text.csv import write_table

_COMPILATION = {"compile_ns": "load_ns", "pays_after_requests": "requests"}
_PROBES = {"probe_rows": "rows", "probe_failing": "failing", "probe_max_abs_delta": "max_abs_delta"}


def render(report: Report[Any]) -> str:
    """The whole text. An unknown value is an empty field; the phases are always there."""
    quantiles = name_percentiles(report.settings)
    return write_table(_list_fields(quantiles), (_fill_row(result, quantiles) for result in report.results))


def _list_fields(quantiles: tuple[str, ...]) -> list[str]:
    times = [f"{phase}_{key}" for phase in PHASES for key in _fill_latency(None, quantiles)]
    about = ["model", "family", "format", "sha256", "candidate", "engine", "batch", "failed"]
    derived = ["rows_per_s", "speedup_against", "speedup", "speedup_low", "speedup_high", "max_abs_delta"]
    derived += ["speedup_against_model"]
    counts = ["label_changes", "non_finite_mismatches", "delta_rows", *_PROBES, *_COMPILATION]
    costs = ["cold_start_ns", "rss_bytes", "peak_rss_bytes", "artifact_bytes", "warmup_ns", "gc_collections"]
    costs += ["cpu_ns", "cpu_share", "allocated_bytes"]
    return about + list(_fill_request(None, quantiles)) + derived + counts + costs + times


def _fill_row(result: BenchResult, quantiles: tuple[str, ...]) -> dict[str, Any]:
    model, speedup = result.model, result.speedup
    row: dict[str, Any] = {name: getattr(model, name) for name in ("family", "format", "sha256")}
    row |= {name: getattr(result, name) for name in _list_fields(quantiles) if hasattr(result, name)}
    row |= {"model": model.path} | _fill_request(result.request, quantiles)
    if speedup:
        row |= {"speedup_against": speedup.against, "speedup": speedup.ratio}
        row |= {"speedup_low": speedup.low, "speedup_high": speedup.high}
        row |= {"speedup_against_model": speedup.against_model or model.path}
    else:
        row["speedup"] = None
    row |= {field: getattr(result.probes, name, None) for field, name in _PROBES.items()}
    row |= {field: getattr(result.compilation, name, None) for field, name in _COMPILATION.items()}
    for phase in PHASES:
        times = _fill_latency(getattr(result.phases, phase, None), quantiles)
        row |= {f"{phase}_{key}": value for key, value in times.items()}
    return row


def _fill_request(latency: Latency | None, quantiles: tuple[str, ...]) -> dict[str, Any]:
    """The request's times with the interval of each percentile."""
    bounds: Mapping[str, tuple[int, int]] = latency.intervals if latency else {}
    row = _fill_latency(latency, quantiles)
    for name in quantiles:
        low, high = bounds.get(name, (None, None))
        row |= {f"{name}_low_ns": low, f"{name}_high_ns": high}
    return row | {"samples": latency.samples if latency else None}


def _fill_latency(latency: Latency | None, quantiles: tuple[str, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {f"{name}_ns": read_percentile(latency, name) if latency else None for name in quantiles}
    return row | {f"{name}_ns": getattr(latency, f"{name}_ns", None) for name in ("mean", "min", "max")}
