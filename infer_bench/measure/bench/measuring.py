"""From the models of a benchmark to its report, for which much is imported: see `run`."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from infer_bench.errors import InferBenchError
from infer_bench.measure.bench.report import ReportBuilder
from infer_bench.measure.candidates.candidates import (
    Candidate,
    Key,
    ToOnnx,
    check_reference,
    choose_candidates,
    group_by_model,
    refuse_form,
)
from infer_bench.measure.candidates.common_rows import load_common_rows
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.candidates.feed_choice import choose_feeds
from infer_bench.measure.candidates.fixed_batch import fit_batches
from infer_bench.measure.candidates.request_file import RequestFile, open_data
from infer_bench.measure.candidates.rows import Rows, check_labels, find_inputs, open_labels, select_columns
from infer_bench.measure.convert.cache import cached_onnx
from infer_bench.measure.probe_test.run import RESERVE, ProbeTester
from infer_bench.measure.reporting import PartialSaves, run_to_report
from infer_bench.measure.schedule.budget import LEAST_BUDGET_S, Budget
from infer_bench.measure.schedule.fixed_rounds import FixedRounds
from infer_bench.measure.schedule.fresh_processes import FreshProcesses
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.plan import describe_bench
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.measure.schedule.starts import StartPlan
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef, TensorInput
from infer_bench.progress import Progress
from infer_bench.report.bench import BenchReport
from infer_bench.report.common import Notice
from infer_bench.typing import Array, Columns

Save = Callable[[BenchReport], None]

EARLY = 0.2
"""A default candidate is converted while less of a budget is spent, if that ends starts as well."""
USUAL_START_NS = 2_000_000_000
"""A start takes no longer than what went before, of which it was a part, and seldom longer than this."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be measured: the candidates of models by their texts, of which nobody asked for the `optional` ones.

    The report carries `notices`; a budget counts from `begin_ns`. For the others see `run`.
    """

    models: Sequence[ModelRef]
    data: str | None
    texts: Sequence[str]
    optional: Collection[str]
    settings: Settings
    progress: Progress
    save: Save | None
    ready: Save | None
    notices: Sequence[Notice]
    begin_ns: int
    keeps_rounds: bool


def measure(comparison: Comparison, openings: EarlyOpenings) -> BenchReport:
    """Measure the candidates, of which `openings` may have opened some models. Raises as `run` does."""
    settings, progress, begin_ns = comparison.settings, comparison.progress, comparison.begin_ns
    file = open_data(comparison.data)
    truth = open_labels(settings.labels, file)
    is_asked = not set(comparison.texts) <= set(comparison.optional)
    to_onnx = _make_converter(comparison.data, settings, progress, begin_ns, is_asked=is_asked)
    entries, left_out = _choose(comparison, to_onnx)
    progress.update(0, "reading the rows")
    rows, unfit, settings, start_ns = _load_rows(entries, file, settings, truth, openings)
    del file  # some formats are held in memory
    columns = {e.key: select_columns(e, rows[e.model.path]) for e in entries if e.key not in unfit}
    entries, feeds = choose_feeds(entries, columns, settings)
    measurements = _prepare_measurements(entries, settings, unfit)
    preparation, begin_ns = _begin_budget(settings, begin_ns)
    notes = (*comparison.notices, *left_out, *feeds, *preparation)
    budget = _make_budget(measurements, settings, begin_ns)
    builder, tester = _prepare_report(measurements, rows, settings, notes, truth, budget, comparison.ready)
    fed = columns, find_inputs(rows), openings
    scheduler = _schedule(measurements, fed, settings, progress, tester, budget, begin_ns, start_ns)
    return _run_to_report(scheduler, builder, comparison)


def _run_to_report(scheduler: Scheduler, builder: ReportBuilder, comparison: Comparison) -> BenchReport:
    save = comparison.save
    saves = PartialSaves(partial(builder.build_report, complete=False), save if comparison.keeps_rounds else None)
    return run_to_report(lambda: scheduler.run(saves), lambda complete: builder.build_report(complete=complete), save)


def _prepare_report(
    measurements: Measurements,
    rows: Mapping[str, Rows],
    settings: Settings,
    notices: Sequence[Notice],
    truth: Array | None,
    budget: Budget,
    ready: Save | None,
) -> tuple[ReportBuilder, ProbeTester]:
    """What builds the report, of which `ready` has seen one without results, and what puts the probes.

    Raises what `ready` raises.
    """
    tester = ProbeTester(rows, settings, budget=budget)
    builder = ReportBuilder(measurements, rows, settings, notices, truth, tester.tests, budget)
    if ready:
        ready(builder.build_report(complete=False))
    return builder, tester


def _prepare_measurements(
    candidates: Sequence[Candidate], settings: Settings, unfit: Mapping[Key, InferBenchError]
) -> Measurements:
    """Those of a bench; forms are models that nobody has named."""
    models_explicit = not settings.forms
    return Measurements(candidates, settings.batches, unfit, batches_fail_alone=True, models_explicit=models_explicit)


def _estimate_start_ns(reading_ns: int, models: int) -> int:
    """What a start takes, by several models, each of which was opened for the rows; 0 for one: the file may be most."""
    return reading_ns // models if models > 1 else 0


def _begin_budget(settings: Settings, begin_ns: int) -> tuple[list[Notice], int]:
    """When the budget of a run from `begin_ns` on begins: for forms now, and a note says what it took until here."""
    if not settings.forms or settings.budget_s is None:
        return [], begin_ns
    now_ns = time.perf_counter_ns()
    took = f"making the forms and opening each once took {(now_ns - begin_ns) / 1e9:.0f} s"
    return [Notice("forms-made", f"{took}, beside the budget of {settings.budget_s:g} s", level="note")], now_ns


def _load_rows(
    candidates: Sequence[Candidate],
    file: RequestFile | None,
    settings: Settings,
    truth: Array | None,
    openings: EarlyOpenings,
) -> tuple[Mapping[str, Rows], Mapping[Key, InferBenchError], Settings, int]:
    """The rows by model, who cannot be opened, the settings with a batch that fixed models take, and a start in ns."""
    begin_ns = time.perf_counter_ns()
    rows, unfit = load_common_rows(group_by_model(candidates), file, settings, openings)
    check_labels(truth, rows)
    batches = fit_batches(settings.batches, [part.spec for part in rows.values()])
    start_ns = _estimate_start_ns(time.perf_counter_ns() - begin_ns, len(rows))
    return rows, unfit, replace(settings, batches=batches), start_ns


def _choose(comparison: Comparison, to_onnx: ToOnnx) -> tuple[list[Candidate], list[Notice]]:
    """The candidates and those left out; the forms of a model are opened as they are, each by who reads it.

    Raises `UsageError` where the reference is none of them.
    """
    models, texts, settings = comparison.models, comparison.texts, comparison.settings
    threads = settings.threads, settings.thread_sweep
    if settings.forms:
        candidates, left_out = choose_candidates(models, texts, refuse_form, *threads, texts)[0], list[Notice]()
    else:
        candidates, left_out = choose_candidates(models, texts, to_onnx, *threads, comparison.optional)
    check_reference(settings.reference, [candidate.label for candidate in candidates])
    return candidates, left_out


def _make_converter(
    data: str | None, settings: Settings, progress: Progress, begin_ns: int, *, is_asked: bool
) -> ToOnnx:
    """What converts default candidates, and those that were asked for whatever it takes."""
    has_time = partial(_has_time_to_convert, settings, begin_ns, is_asked=is_asked)
    allow_pickle = settings.allow_pickle
    return partial(cached_onnx, allow_pickle=allow_pickle, rows=data, progress=progress, has_time=has_time)


def _has_time_to_convert(settings: Settings, begin_ns: int, *, is_asked: bool) -> bool:
    """Whether a conversion, which takes some times as long as what went before, leaves a budget time to measure.

    It is made in any case where the user asked for it, and in the least budgets, which hold no start either.
    """
    budget_s = settings.budget_s
    if is_asked or budget_s is None or budget_s < LEAST_BUDGET_S:
        return True
    return (time.perf_counter_ns() - begin_ns) / 1e9 < EARLY * budget_s


def _make_budget(measurements: Measurements, settings: Settings, begin_ns: int) -> Budget:
    """One that was given bounds the run, with a part of it kept for the probes; the usual one the measuring alone."""
    reserve = RESERVE if settings.probes and settings.budget_s is not None and len(measurements.remaining) > 1 else 0.0
    limit_ns = round(settings.limit_s * (1 - reserve) * 1e9)
    return Budget(limit_ns, begin_ns=None if settings.budget_s is None else begin_ns)


def _schedule(
    measurements: Measurements,
    fed: tuple[Mapping[Key, Columns], tuple[TensorInput, ...], EarlyOpenings],
    settings: Settings,
    progress: Progress,
    tester: ProbeTester,
    budget: Budget,
    begin_ns: int,
    start_ns: int,
) -> Scheduler:
    """Fixed rounds in fresh processes, and at their end the probes.

    `fed` are the rows of each candidate, a network's inputs, and who has opened a model already.
    """
    used_ns = time.perf_counter_ns() - begin_ns
    plan = describe_bench(len(measurements.remaining), settings, used_ns, min(used_ns, USUAL_START_NS))
    progress.announce(plan, always=settings.budget_s is not None)
    rule = FixedRounds(measurements, budget, settings)
    starts = StartPlan(measurements.remaining, settings, budget, start_ns=start_ns)
    source = FreshProcesses(fed[0], settings, inputs=fed[1], plan=starts, openings=fed[2])
    return Scheduler(
        measurements, source, rule, budget, settings, progress, inspect=tester.run if settings.probes else None
    )
