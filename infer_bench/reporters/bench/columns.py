"""What stands in a bench table, whatever draws it: columns, rows and the lines around them, as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infer_bench.libraries import of_family
from infer_bench.report.bench import BenchResult, Capacity, Compilation, FormTraits
from infer_bench.report.common import Latency, ModelInfo, Quality, Report
from infer_bench.reporters.bench.groups import (
    BatchGroup,
    name_models,
    name_percentiles,
    read_percentile,
    share_phases,
)
from infer_bench.reporters.text import numbers

_AFTER = {
    "rows_per_s": "rows/s",
    "speedup": "speed-up",
    "delta": "max |Δ|",
    "cold_start": "cold start",
    "memory": "memory",
    "file": "file",
}
_FORMS = {"needs": "needs", "runs_code": "runs code", "languages": "read by"}
_CAPACITY = {"capacity": "req/s a core", "cost": "a million"}
_COMPILE = {"compile": "compile", "pays_after": "pays after"}
_CPU = {"cpu": "CPU", "cpu_share": "CPU %"}
PROBE_MARK = "†"
"""Stands behind a distance that does not hold on probes."""
_QUALITY = {"accuracy": "accuracy", "f1": "F1", "auc": "AUC"}


def rank_droppable(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that a narrow terminal does without, the first to go first.

    What stays is the first percentile, the speed-up, the distance of the answers, the accuracy and the phases' shares.
    """
    return (
        "cpu_share",
        "file",
        "languages",
        "cpu",
        "allocated",
        "memory",
        "compile",
        "cold_start",
        "rows_per_s",
        "auc",
        "f1",
        *reversed(name_percentiles(settings)[1:]),
    )


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A line of the table. `cells` by column key; `alarm` when the predictions are not the reference's."""

    cells: Mapping[str, str]
    phase: str = ""
    alarm: bool = False


def select_columns(report: Report[Any], phases: bool) -> dict[str, str]:
    """Column keys and titles, the candidate's own column left out; those of the CPU where its time was counted."""
    settings = report.settings
    quantiles = {name: name for name in name_percentiles(settings)}
    share = {"share": "share"} if phases and any(getattr(r, "phases", None) for r in report.results) else {}
    if settings.get("forms"):
        quantiles, cpu = dict(list(quantiles.items())[:1]), {}
        after = {key: title for key, title in _AFTER.items() if key != "rows_per_s"} | _FORMS
        return {**quantiles, **after}
    cpu = _CPU if any(getattr(result, "cpu_ns", None) is not None for result in report.results) else {}
    allocated = {"allocated": "allocates"} if settings.get("memory") else {}
    quality = _QUALITY if settings.get("labels") else {}
    compiling = _COMPILE if any(getattr(result, "compilation", None) for result in report.results) else {}
    capacity = {"capacity": _CAPACITY["capacity"]} if settings.get("slo") else {}
    capacity |= {"cost": _CAPACITY["cost"]} if settings.get("price") else {}
    return {**quantiles, **share, **_AFTER, **compiling, **cpu, **allocated, **capacity, **quality}


def fill_line(result: BenchResult, group: BatchGroup, settings: Mapping[str, Any]) -> ResultLine:
    """The line of a result that was measured."""
    reference = result is group.reference
    cells = {
        "rows_per_s": numbers.rate(result.rows_per_s),
        "speedup": _format_speedup(result, reference),
        "delta": _format_delta(result, reference),
        "cold_start": numbers.coarse(result.cold_start_ns),
        "memory": numbers.memory(result.rss_bytes),
        "cpu": numbers.duration(result.cpu_ns),
        "cpu_share": _format_cpu_share(result.cpu_share),
        "allocated": numbers.size(result.allocated_bytes),
        "file": numbers.size(result.artifact_bytes),
        **fill_form(result.form),
        "compile": numbers.coarse(result.compilation.load_ns if result.compilation else None),
        "pays_after": _format_pay_off(result.compilation),
        **fill_capacity(result.capacity),
        **fill_quality(result.quality),
    }
    return ResultLine(_fill_quantiles(result.request, settings) | cells, alarm=differs(result) or breaks_probes(result))


def _format_cpu_share(share: float | None) -> str:
    """`99 %`, or `380 %` of a candidate that keeps four CPUs busy."""
    return numbers.MISSING if share is None else f"{share * 100:.0f} %"


def fill_form(form: FormTraits | None) -> dict[str, str]:
    """Packages and their size, whether loading runs code, and which languages can read it."""
    if form is None:
        return dict.fromkeys(_FORMS, numbers.MISSING)
    needs = numbers.MISSING
    if form.packages:
        needs = f"{numbers.memory(form.packages_bytes)} in {numbers.plural(len(form.packages), 'package')}"
    return {"needs": needs, "runs_code": "yes" if form.runs_code else "no", "languages": ", ".join(form.languages)}


def fill_capacity(capacity: Capacity | None) -> dict[str, str]:
    """Requests a second that a core holds the limit at, and the price of a million."""
    if capacity is None:
        return dict.fromkeys(_CAPACITY, numbers.NOT_AVAILABLE)
    if capacity.rate_per_core is None:
        return dict.fromkeys(_CAPACITY, "limit broken")
    rate = numbers.rate(capacity.rate_per_core)
    bounds = "" if capacity.low is None else f" ({numbers.rate(capacity.low)}–{numbers.rate(capacity.high)})"
    return {"capacity": rate + bounds, "cost": format_cost(capacity)}


def format_cost(capacity: Capacity) -> str:
    """`0.0011`, `$0.0011` or `0.0011 EUR`."""
    cost, currency = numbers.rate(capacity.cost_per_million), capacity.currency
    return f"{cost} {currency}" if currency.isalpha() else f"{currency}{cost}"


def _format_pay_off(compilation: Compilation | None) -> str:
    """`850,000 req`; of one that no other candidate is slower than, `never`."""
    if compilation is None or not compilation.against:
        return numbers.MISSING
    return "never" if compilation.requests is None else f"{numbers.about_count(compilation.requests)} req"


def fill_quality(quality: Quality | None) -> dict[str, str]:
    """Accuracy, F1 and AUC, four digits behind the point; nothing without true classes."""
    if quality is None:
        return dict.fromkeys(_QUALITY, numbers.MISSING)
    return {name: numbers.share(getattr(quality, name)) for name in _QUALITY}


def fill_phase_lines(result: BenchResult, settings: Mapping[str, Any]) -> list[ResultLine]:
    """A line for each phase of the request, with its share of the time."""
    if result.phases is None or settings.get("forms"):
        return []
    return [
        ResultLine(
            _fill_quantiles(getattr(result.phases, name), settings) | {"share": numbers.percent(share)},
            phase=name,
        )
        for name, share in share_phases(result.phases).items()
    ]


def differs(result: BenchResult) -> bool:
    """Whether a row got another label, or a NaN or infinity on one side only."""
    return bool(result.label_changes or result.non_finite_mismatches)


def breaks_probes(result: BenchResult) -> bool:
    """Whether it answers otherwise than the reference on rows made to find that."""
    return result.probes is not None and result.probes.failing > 0


def _fill_quantiles(latency: Latency | None, settings: Mapping[str, Any]) -> dict[str, str]:
    if latency is None:
        return {}
    return {name: _format_quantile(latency, name) for name in name_percentiles(settings)}


def _format_quantile(latency: Latency, name: str) -> str:
    value = read_percentile(latency, name)
    if value is None:
        return numbers.NOT_AVAILABLE
    return numbers.duration(value) + ("*" if latency.unit == "batch-mean" else "")


def _format_speedup(result: BenchResult, reference: bool) -> str:
    if reference:
        return numbers.ratio(1)
    speedup = result.speedup
    return numbers.speedup(speedup.ratio, speedup.low, speedup.high) if speedup else numbers.MISSING


def _format_delta(result: BenchResult, reference: bool) -> str:
    if reference:
        return "ref"
    mark = f" {PROBE_MARK}" if breaks_probes(result) else ""
    return ("! " if differs(result) else "") + numbers.delta(result.max_abs_delta) + mark


def describe(model: ModelInfo) -> str:
    """`LightGBM binary, 300 trees, 419 features, 1.12 MB`, `ONNX network, 2 inputs, 6.3 MB`."""
    library = of_family(model.family)
    family = library.title if library is not None else model.family
    task = "network" if model.inputs is not None else model.task
    parts = [f"{family} {task}" if task else family]
    if model.trees is not None:
        parts.append(numbers.plural(model.trees, "tree"))
    if model.inputs is not None:
        parts.append(numbers.plural(model.inputs, "input"))
    elif model.features is not None:
        parts.append(numbers.plural(model.features, "feature"))
    if model.bytes:
        parts.append(numbers.size(model.bytes))
    return ", ".join(parts)


def describe_conditions(report: Report[Any], results: tuple[BenchResult, ...]) -> str:
    """`1 thread · 1,024 rows cycled · 60 rounds · 3 cold starts`: what the numbers hold for."""
    settings = report.settings
    what = "request" if any(result.model.inputs is not None for result in results) else "row"
    parts = [_describe_threads(settings), _describe_rows(settings, what), _describe_rounds(settings, results)]
    parts.append(_describe_starts(results))
    scenario = settings.get("scenario")
    if isinstance(scenario, str) and scenario != "single_stream":
        parts.insert(0, scenario)
    return " · ".join(part for part in parts if part)


def _describe_threads(settings: Mapping[str, Any]) -> str:
    threads, sweep = settings.get("threads"), settings.get("thread_sweep")
    if isinstance(sweep, list) and sweep:
        return f"{', '.join(map(str, sweep[:-1]))} and {sweep[-1]} threads"
    return numbers.plural(threads, "thread") if isinstance(threads, int) else ""


def _describe_rows(settings: Mapping[str, Any], what: str) -> str:
    """`what` takes turns: rows, or a network's requests."""
    rows = settings.get("rows_cycled")
    if settings.get("rows_mode") == "same":
        return f"the same {what} again and again"
    return f"{numbers.plural(rows, what)} cycled" if isinstance(rows, int) else ""


def _describe_rounds(settings: Mapping[str, Any], results: tuple[BenchResult, ...]) -> str:
    run_rounds = max((sum(len(process.rounds) for process in result.processes) for result in results), default=0)
    rounds = run_rounds or settings.get("rounds")
    return numbers.plural(rounds, "round") if isinstance(rounds, int) else ""


def _describe_starts(results: tuple[BenchResult, ...]) -> str:
    """How many starts a cold start is the median of: of each candidate as many, or `1 to 3 cold starts`."""
    counts = {sum(process.cold_start_ns > 0 for process in result.processes) for result in results} - {0}
    if not counts:
        return ""
    least, most = min(counts), max(counts)
    return f"{least} to {most} cold starts" if least < most else numbers.plural(most, "cold start")


def has_numbers(result: BenchResult) -> bool:
    """Whether there are numbers to show."""
    return result.failed is None and result.request is not None


def explain_failure(result: BenchResult) -> str:
    """Why there is no measurement."""
    return f"failed: {result.failed}" if result.failed is not None else "not measured"


def collect_notices(report: Report[Any]) -> list[tuple[str, str]]:
    """What is to be noted and its hint, each once, with the candidates that it concerns."""
    results = [result for result in report.results if isinstance(result, BenchResult)]
    models = name_models(result.model.path for result in results)
    concerns: dict[tuple[str, str], dict[str, None]] = {}
    for notice in report.notices:
        candidates = concerns.setdefault((notice.message, notice.hint), {})
        if notice.candidate:
            model = models.get(notice.model, "") if len(models) > 1 else ""
            candidates[f"{model} {notice.candidate}".lstrip()] = None
    return [
        (f"{message} ({', '.join(candidates)})" if candidates else message, hint)
        for (message, hint), candidates in concerns.items()
    ]
