"""`bench --against` and `--limit`: candidates judged, beside a baseline that runs at the same time."""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from infer_bench.errors import UsageError
from infer_bench.gates import rules, undecided
from infer_bench.gates.limits import PER_PROCESS, share_of
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import count_usable_cpus
from infer_bench.measure.bench import run as bench
from infer_bench.measure.bench.report import ReportBuilder
from infer_bench.measure.bench.results import build_empty_result, build_result, drop_comparison
from infer_bench.measure.bench.run import Save
from infer_bench.measure.candidates.candidates import Candidate, Key, usual_candidate
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.candidates.request_file import open_data
from infer_bench.measure.candidates.required_provider import require_provider
from infer_bench.measure.convert.cache import cached_onnx
from infer_bench.measure.gate.metrics import PairedMetrics, name_of
from infer_bench.measure.gate.pairs import choose_pair_feeds, make_pairs, plan_pairs
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.gate.shared_rows import SharedRows, share_rows
from infer_bench.measure.reporting import PartialSaves, run_to_report
from infer_bench.measure.schedule.budget import LEAST_ROUNDS, Budget
from infer_bench.measure.schedule.forked_processes import ForkedProcesses, fit_one_template
from infer_bench.measure.schedule.fresh_processes import FreshProcesses
from infer_bench.measure.schedule.layouts import InjectedDelay, LayoutSource, fits_one_worker
from infer_bench.measure.schedule.measurements import Measurement, Measurements
from infer_bench.measure.schedule.plan import describe_gate
from infer_bench.measure.schedule.reloaded_sessions import ReloadedSessions
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.measure.schedule.sequential import Pair, Sequential, candidates_of
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress, Silent
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.report.common import Notice
from infer_bench.report.gate import Check, Gate, GateMode, Side
from infer_bench.stats.decisions.sign_test import FREAKS, robust_layouts
from infer_bench.typing import Columns
from infer_bench.workers.requests import WorkerEnvironment


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    gate: GateSettings,
    settings: Settings,
    progress: Progress | None = None,
    save: Save | None = None,
    delays: Mapping[Key, InjectedDelay] | None = None,
    begin_ns: int | None = None,
) -> BenchReport:
    """Measure every candidate beside its baseline until each check is decided or the budget is spent, and judge.

    Where the project's limits concern none of the candidates and there is nothing else to judge, it is a plain bench.
    `save` is called now and then with what is known; the budget counts from `begin_ns`. Raises `UsageError` for
    settings that make no sense and `CannotRun` for a model, an interpreter or rows that cannot be used.
    """
    progress, begin_ns = progress or Silent(), begin_ns or time.perf_counter_ns()
    progress.update(0, "reading the models")
    identify = partial(identify_model, allow_pickle=settings.allow_pickle)
    to_onnx = partial(cached_onnx, allow_pickle=settings.allow_pickle, rows=data, progress=progress)
    refs, against = [identify(name) for name in dict.fromkeys(models)], (gate.against, gate.python)
    if settings.require_provider:
        candidates = require_provider(candidates or [*map(usual_candidate, refs)], settings.require_provider)
    gate.drop_unused(plan_pairs(refs, candidates, gate.against, settings.threads))
    file = open_data(data)  # what needs no worker is seen before a conversion starts the first
    pairs = make_pairs(refs, candidates, *against, identify=identify, to_onnx=to_onnx, threads=settings.threads)
    gate, notices = gate.drop_unused([pair.candidate for pair in pairs])
    if not gate.has_criteria:
        common: dict[str, Any] = {"progress": progress, "save": save, "notices": notices, "begin_ns": begin_ns}
        return bench.run(models, data=data, candidates=candidates, settings=settings, **common)
    gate.with_budget(settings)
    progress.update(0, "reading the rows")
    with EarlyOpenings(settings, keeps=True) as openings:
        rows = _check_shared(share_rows(pairs, file, settings, openings), gate)
        del file  # some formats are held in memory
        pairs, feeds = choose_pair_feeds(pairs, rows.columns, settings)
        rows.notices += [*notices, *feeds]
        return GateRun(pairs, rows, gate, settings, progress, delays or {}, begin_ns, openings).run(save)


def _check_shared(rows: SharedRows, gate: GateSettings) -> SharedRows:
    if rows.apart and gate.limits.max_delta is not None:
        raise UsageError("--max-delta needs the same rows for models of different inputs", "give rows with --data")
    return rows


class GateRun:
    """Measures pairs until they are decided, and reports on it at any time. `delays` are injected into candidates.

    Where opening the models has taken all of the budget, each is measured once, in the process of `openings` that has
    opened it, and nothing else is started. Those that are not measured end before anything is.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        rows: SharedRows,
        gate: GateSettings,
        settings: Settings,
        progress: Progress,
        delays: Mapping[Key, InjectedDelay],
        begin_ns: int,
        openings: EarlyOpenings | None = None,
    ) -> None:
        self._mode = choose_mode(pairs, gate, settings)
        settings = gate.with_budget(settings, self._mode)
        self._pairs, self._gate, self._settings = tuple(pairs), gate, settings
        self._apart = frozenset(rows.apart)
        self._measurements = Measurements(candidates_of(pairs), settings.batches, rows.unfit)
        self._budget = Budget(max(1, round(settings.limit_s * 1e9)), begin_ns=begin_ns)
        if self._budget.is_over and self._mode in ("sessions", "forks"):
            self._mode = "processes"
        self._openings = openings if self._budget.is_over and not judges_processes(gate) else None
        if openings is not None and self._openings is None:
            openings.close()
        self._metrics = PairedMetrics(pairs, self._measurements, gate.limits)
        self._errors = rules.share_errors(self._metrics.collect(), gate.limits)
        self._scheduler = self._schedule(rows.columns, delays, progress)
        self._report = ReportBuilder(self._measurements, rows.rows, settings, tuple(rows.notices), budget=self._budget)
        self._begin_ns, self._progress = begin_ns, progress

    def _schedule(
        self, columns: Mapping[Key, Columns], delays: Mapping[Key, InjectedDelay], progress: Progress
    ) -> Scheduler:
        source = self._source = self._open_source(columns, delays)
        self._rule = Sequential(
            self._pairs,
            self._undecided,
            self._measurements,
            self._budget,
            self._settings,
            samples=count_samples(self._gate),
            restarts=source.restarts,
            layouts=[robust_layouts(self._errors.alpha, freaks) for freaks in FREAKS],
        )
        return Scheduler(self._measurements, source, self._rule, self._budget, self._settings, progress, PACKAGES)

    def _open_source(self, columns: Mapping[Key, Columns], delays: Mapping[Key, InjectedDelay]) -> LayoutSource:
        if self._mode == "sessions":
            return ReloadedSessions(columns, self._settings, delays)
        if self._mode == "forks":
            return ForkedProcesses(columns, self._settings, delays)
        overlap = not self._gate.judges_starts
        return FreshProcesses(columns, self._settings, delays, overlap=overlap, openings=self._openings)

    def run(self, save: Save | None) -> BenchReport:
        """Say what is going to happen and measure until it is decided; one that is broken off leaves what it has."""
        passed_ns = time.perf_counter_ns() - self._begin_ns
        start_ns = passed_ns // len(self._measurements.candidates)
        settings, limits = self._settings, self._gate.limits
        at_once = 1 if self._gate.judges_starts else count_usable_cpus(settings.affinity)
        plan = describe_gate(self._mode, len(self._pairs), settings, limits, self._errors, start_ns, at_once, passed_ns)
        self._progress.announce(plan, always=True)
        saves = PartialSaves(partial(self.build_report, complete=False), save)
        return run_to_report(
            lambda: self._scheduler.run(saves), lambda complete: self.build_report(complete=complete), save
        )

    def end(self) -> None:
        """End its workers, from another thread than the one that runs it, whose run then fails."""
        self._scheduler.end()

    @property
    def _obstacle(self) -> str:
        """Why processes were started afresh that were to be forked."""
        return self._source.obstacle if isinstance(self._source, ForkedProcesses) else ""

    def _checks(self) -> tuple[Check, ...]:
        return rules.make_checks(self._metrics.collect(), self._gate.limits)

    def _undecided(self) -> Collection[Pair]:
        """The pairs of which a check may be decided in what is left of the budget.

        None once a regression has had time to show elsewhere.
        """
        checks = self._checks()
        if undecided.is_settled(checks, self._measurements.layout_count):
            return []
        layouts = self._rule.count_layouts(self._pairs)
        open_ = {(check.model, check.candidate) for check in checks if undecided.may_be_decided(check, layouts)}
        return [pair for pair in self._pairs if (pair.candidate.model.path, pair.candidate.label) in open_]

    def build_report(self, *, complete: bool) -> BenchReport:
        """What is known so far."""
        checks, failures = tuple(map(self._name_budget, self._checks())), self._measurements.failures
        reasons = [f"{self._name(e)}: {failures[e.key]}" for e in self._measurements.candidates if e.key in failures]
        verdict = rules.decide_verdict(checks, reasons, self._gate.limits.inconclusive) if complete else None
        results = self._build_results() if self._gate.is_paired else self._report.build_results()
        notices = [Notice("not-forked", f"each layout started processes: {self._obstacle}")] if self._obstacle else []
        return self._report.build_gate_report(results, self._build_gate(checks), verdict, notices, complete=complete)

    def _name_budget(self, check: Check) -> Check:
        """The budget that would decide what is inconclusive, once a few layouts have shown that."""
        if not undecided.may_be_decided(check) or not self._measurements.layout_count:
            return check
        least_layouts = check.layouts_needed
        return undecided.name_budget(
            check, None if least_layouts is None else self._rule.estimate_budget_s(least_layouts)
        )

    def _name(self, candidate: Candidate) -> str:
        """With the model's name where several of them have the same candidate."""
        name = name_of(candidate)
        alone = sum(name_of(other) == name for other in self._measurements.candidates) == 1
        return name if alone else f"{candidate.model.name} ({name})"

    def _build_results(self) -> tuple[BenchResult, ...]:
        """The baselines, then the candidates, each against its own."""
        baselines = {pair.candidate.key: pair.baseline for pair in self._pairs}
        order = sorted(self._measurements, key=lambda measurement: measurement.candidate.key in baselines)
        return tuple(self._build_result(one, baselines.get(one.candidate.key)) for one in order)

    def _build_result(self, measurement: Measurement, baseline: Candidate | None) -> BenchResult:
        table, key = self._measurements, measurement.candidate.key
        reference = table[baseline.key, measurement.batch] if baseline else measurement
        if key in table.failures or not (measurement.sampled and reference.sampled):
            reason = str(table.failures.get(key, "not measured"))
            return build_empty_result(measurement, table.specs, reason)
        result = build_result(measurement, reference, table.specs, self._settings)
        return drop_comparison(result, "its baseline answered other rows") if key in self._apart else result

    def _build_gate(self, checks: tuple[Check, ...]) -> Gate:
        errors, measurements = self._gate.limits.errors, self._measurements
        baselines = [pair.baseline for pair in self._pairs if pair.baseline]
        candidates = {pair.candidate.key: pair.candidate for pair in self._pairs}
        return Gate(
            mode="processes" if self._obstacle else self._mode,
            layouts=measurements.whole_layout_count,
            rounds=measurements.round_count,
            alpha=errors.alpha,
            beta=errors.beta,
            measured_ns=self._budget.spent_ns,
            wall_ns=time.perf_counter_ns() - self._begin_ns,
            baseline=self._describe(baselines[0]) if baselines else Side("", ""),
            sides=tuple(map(self._describe, candidates.values())),
            checks=checks,
            settings=self._gate.describe(),
        )

    def _describe(self, candidate: Candidate) -> Side:
        interpreter = self._measurements.interpreters.get(candidate.key, WorkerEnvironment("", "", {}))
        python, executable, packages = interpreter.python, interpreter.executable, dict(interpreter.packages)
        return Side(candidate.label, candidate.model.path, python, executable, packages)


def choose_mode(pairs: Sequence[Pair], gate: GateSettings, settings: Settings) -> GateMode:
    """Sessions where one worker can hold all and nothing is asked that only a process of one's own shows.

    Else forks where one template can be forked for all, and nothing is asked of what it has done before.
    """
    if not gate.is_paired:
        return "absolute"
    candidates = [candidate for pair in pairs for candidate in pair.candidates]
    if judges_processes(gate) or any(share_of(bound.metric) is not None for bound in gate.limits.bounds):
        return "processes"
    if fits_one_worker(candidates):
        return "sessions"
    return "forks" if not gate.judges_starts and fit_one_template(candidates, settings) else "processes"


def judges_processes(gate: GateSettings) -> bool:
    """Whether something is judged that only a process of one's own shows, such as its memory."""
    return bool({*gate.limits.shares, *(bound.metric for bound in gate.limits.bounds)} & PER_PROCESS)


def count_samples(gate: GateSettings) -> int:
    """What a block must hold for the percentiles that are judged: against a baseline in each block, against an absolute
    limit in the blocks of a layout together.
    """
    shares = (share_of(metric) for metric in gate.limits.shares)
    beside = max((rules.count_needed_samples(share) for share in shares if share is not None), default=1)
    bounds = (share_of(bound.metric) for bound in gate.limits.bounds)
    alone = max((rules.count_needed_samples(share) for share in bounds if share is not None), default=1)
    return max(beside, -(-alone // LEAST_ROUNDS))
