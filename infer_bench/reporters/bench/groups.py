"""Results put side by side: those of one model at one batch size, and which of them is the reference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Latency, ModelInfo, Phases
from infer_bench.reporters.text import numbers

DEFAULT_PERCENTILES = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """Results of one model at one batch size, in the order they were given. `reference` is a candidate or None."""

    model: ModelInfo
    batch: int
    results: tuple[BenchResult, ...]
    reference: str | None

    def find(self, candidate: str | None) -> BenchResult | None:
        """The result of a candidate."""
        return next((result for result in self.results if result.candidate == candidate), None)


def group_results(results: Iterable[BenchResult], settings: Mapping[str, Any]) -> tuple[tuple[BatchGroup, ...], ...]:
    """By model, in the order of their first appearance, then by batch size, ascending."""
    models: dict[str, dict[int, list[BenchResult]]] = {}
    for result in results:
        models.setdefault(result.model.path, {}).setdefault(result.batch, []).append(result)
    return tuple(
        tuple(_make_group(batch, batches[batch], settings) for batch in sorted(batches)) for batches in models.values()
    )


def _make_group(batch: int, results: list[BenchResult], settings: Mapping[str, Any]) -> BatchGroup:
    against = (result.speedup.against for result in results if result.speedup)
    reference = next(against, settings.get("reference"))
    model = next((result.model for result in results if result.model.features is not None), results[0].model)
    return BatchGroup(model, batch, tuple(results), reference if isinstance(reference, str) else None)


def split_candidate(result: BenchResult) -> tuple[str, tuple[str, ...]]:
    """`onnxruntime:threads=1,feed=ndarray` as its engine and its options; any other candidate as it is."""
    engine, _, options = result.candidate.partition(":")
    if engine != result.engine or "=" not in options:
        return result.candidate, ()
    return engine, tuple(options.split(","))


def name_candidate(result: BenchResult) -> str:
    """A candidate on one line: `onnxruntime threads=1 feed=ndarray`."""
    engine, options = split_candidate(result)
    return " ".join((engine, *options))


def name_percentiles(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the percentiles that were asked for: `p50`, `p95`, `p99` when nothing else was."""
    setting = settings.get("percentiles")
    values = setting if isinstance(setting, (list, tuple)) else ()
    shares = [share for share in values if isinstance(share, (int, float)) and not isinstance(share, bool)]
    return tuple(dict.fromkeys(numbers.percentile(share) for share in shares or DEFAULT_PERCENTILES))


def read_percentile(latency: Latency, name: str) -> int | None:
    """The value of `p50`, `p99.9`, …, in ns; None when there is none."""
    if name in ("p50", "p95", "p99"):
        value: int | None = getattr(latency, f"{name}_ns")
        return value
    return latency.more.get(name)


def take_typical(latency: Latency) -> int:
    """The median where the sample carries one, the mean otherwise, in ns."""
    return latency.mean_ns if latency.p50_ns is None else latency.p50_ns


def share_phases(phases: Phases) -> dict[str, float]:
    """Which part of a typical request each phase takes, 0 to 1."""
    times = {name: max(0, take_typical(getattr(phases, name))) for name in ("preprocess", "predict", "postprocess")}
    total = sum(times.values())
    return {name: time / total if total else 0.0 for name, time in times.items()}
