"""Results put side by side: those of one comparison at one batch size, and which of them is the reference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Latency, ModelInfo, Phases
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name

DEFAULT_PERCENTILES = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """Results of one comparison at one batch size, in the order they were given.

    `names` are what its models are called, by their paths; `reference` is the result that the others are compared with;
    `is_uniform`: several models with one and the same candidate, which the models' names tell apart.
    """

    models: tuple[ModelInfo, ...]
    names: Mapping[str, str]
    batch: int
    results: tuple[BenchResult, ...]
    reference: BenchResult | None
    is_uniform: bool = False

    @property
    def model(self) -> ModelInfo:
        """The first model."""
        return self.models[0]

    def split_name(self, result: BenchResult) -> tuple[str, tuple[str, ...]]:
        """What stands for a result: the candidate's engine and its options, with the model before them if several."""
        engine, options = split_candidate(result)
        if len(self.models) == 1:
            return engine, options
        return self.names[result.model.path], (() if self.is_uniform else (engine, *options))

    def name_row(self, result: BenchResult) -> str:
        """`onnxruntime threads=1 feed=ndarray`, with the model before it if several."""
        name, options = self.split_name(result)
        return " ".join((name, *options))


Comparison = tuple[BatchGroup, ...]
"""The groups of one comparison, one at least, by batch size."""


def group_results(results: Iterable[BenchResult], settings: Mapping[str, Any]) -> tuple[Comparison, ...]:
    """One comparison of the models that were measured as one, else one a model in the order of their appearance."""
    together = settings.get("compared_models")
    compared = frozenset(together) if isinstance(together, list) else frozenset()
    comparisons: dict[str, list[BenchResult]] = {}
    for result in results:
        comparisons.setdefault("" if result.model.path in compared else result.model.path, []).append(result)
    names = name_models([result.model.path for part in comparisons.values() for result in part])
    return tuple(_compare(part, names, settings.get("reference")) for part in comparisons.values())


def name_models(paths: Iterable[str]) -> dict[str, str]:
    """What each model is called: its file's name, or its whole path where another model has the same name."""
    unique = list(dict.fromkeys(paths))
    names = [file_name(path) for path in unique]
    return {path: name if name and names.count(name) == 1 else path for path, name in zip(unique, names, strict=True)}


def _compare(results: list[BenchResult], names: Mapping[str, str], reference: object) -> Comparison:
    by_path: dict[str, ModelInfo] = {}
    for result in results:  # whoever could not open the model knows less of it
        if result.model.path not in by_path or by_path[result.model.path].features is None:
            by_path[result.model.path] = result.model
    models, is_uniform = tuple(by_path.values()), len(by_path) > 1 and len({r.candidate for r in results}) == 1
    batches: dict[int, list[BenchResult]] = {}
    for result in results:
        batches.setdefault(result.batch, []).append(result)
    return tuple(
        BatchGroup(models, names, batch, tuple(part), _find_reference(part, reference), is_uniform)
        for batch, part in sorted(batches.items())
    )


def _find_reference(results: Sequence[BenchResult], chosen: object) -> BenchResult | None:
    """What the others say they were compared with, else the candidate chosen, else what calls itself so."""
    for result in results:
        if result.speedup:
            key = result.speedup.against, result.speedup.against_model or result.model.path
            return next((other for other in results if (other.candidate, other.model.path) == key), None)
    named = (result for result in results if result.candidate == chosen)
    return next(named, next((result for result in results if result.delta_note == "reference"), None))


def split_candidate(result: BenchResult) -> tuple[str, tuple[str, ...]]:
    """`onnxruntime:threads=1,feed=ndarray` as its engine and its options; any other candidate as it is.

    The feed stands among the options where the candidate has one, also when it was not written.
    """
    engine, _, text = result.candidate.partition(":")
    if engine != result.engine or (text and "=" not in text):
        return result.candidate, ()
    options = tuple(text.split(",")) if text else ()
    feed = result.options.get("feed")
    if feed is None or any(option.startswith("feed=") for option in options):
        return engine, options
    return engine, (f"feed={feed}", *options)


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


def list_phases(result: BenchResult) -> tuple[Latency, ...]:
    """The times of a result's phases, where they were measured."""
    phases = result.phases
    return (phases.preprocess, phases.predict, phases.postprocess) if phases is not None else ()


def share_phases(phases: Phases) -> dict[str, float]:
    """Which part of a typical request each phase takes, 0 to 1."""
    times = {name: max(0, take_typical(getattr(phases, name))) for name in ("preprocess", "predict", "postprocess")}
    total = sum(times.values())
    return {name: time / total if total else 0.0 for name, time in times.items()}
