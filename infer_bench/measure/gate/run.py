"""`bench --against` and `--limit`: candidates judged, beside a baseline that runs at the same time."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from infer_bench.errors import UsageError
from infer_bench.gates import rules as gates
from infer_bench.gates.limits import PER_PROCESS, share_of
from infer_bench.measure.bench import results as assemble
from infer_bench.measure.bench import run as racing
from infer_bench.measure.bench.report import ReportBuilder
from infer_bench.measure.bench.run import Save
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.models import model_ref
from infer_bench.measure.convert.run import cached_onnx
from infer_bench.measure.gate.metrics import PairedMetrics, name_of
from infer_bench.measure.gate.pairs import matches
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.gate.shared_rows import SharedRows, given
from infer_bench.measure.schedule.budget import LEAST_ROUNDS
from infer_bench.measure.schedule.layouts import FreshProcesses, InjectedDelay, LayoutSource, Reloaded, fits_one_worker
from infer_bench.measure.schedule.scheduler import Duel, Pair
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.progress import Progress, Silent
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.report.gate import Check, Gate, GateMode, Side

SAVE_NS = 3_000_000_000


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    gate: GateSettings,
    settings: Settings,
    progress: Progress | None = None,
    save: Save | None = None,
    plants: Mapping[Key, InjectedDelay] | None = None,
) -> BenchReport:
    """Race every candidate with its baseline until each check is decided or the budget is spent, and judge.

    Where the project's limits concern none of the candidates and there is nothing else to judge, it is a plain race.

    `save` is called every few seconds with what is known so far. Raises `UsageError` for settings that make no sense
    and `CannotRun` for a model, an interpreter or rows that cannot be used.
    """
    progress, begun = progress or Silent(), time.perf_counter_ns()
    progress.update(0, "reading the models")

    def opened(name: str) -> ModelRef:
        return model_ref(name, allow_pickle=settings.allow_pickle)

    found = matches(
        [opened(name) for name in dict.fromkeys(models)],
        candidates,
        gate.against,
        gate.python,
        model_ref=opened,
        to_onnx=lambda model: cached_onnx(model, settings.allow_pickle, data, progress),
        threads=settings.threads,
    )
    gate, unused = gate.used([match.candidate for match in found])
    if not gate.asked:
        return racing.run(
            models, data=data, candidates=candidates, settings=settings, progress=progress, save=save, told=unused
        )
    settings = gate.with_budget(settings)
    progress.update(0, "reading the rows")
    rows = given(found, data, settings)
    if rows.apart and gate.allowed.max_delta is not None:
        raise UsageError("--max-delta needs the same rows for models of different inputs", "give rows with --data")
    rows.notices += unused
    return Gatekeeper(found, rows, gate, settings, progress, plants or {}, begun).run(save)


class Gatekeeper:
    """Runs a duel and keeps its report."""

    def __init__(
        self,
        found: Sequence[Pair],
        rows: SharedRows,
        gate: GateSettings,
        settings: Settings,
        progress: Progress,
        plants: Mapping[Key, InjectedDelay],
        begun: int,
    ) -> None:
        self._gate, self._settings = gate, settings
        self._mode = mode_of(found, gate)
        kind = Reloaded if self._mode == "sessions" else FreshProcesses
        seating: LayoutSource = kind(rows.columns, settings, plants)
        self._apart = frozenset(rows.apart)
        self._duel = Duel(found, seating, settings, samples_for(gate), progress, rows.unfit)
        self._desk = ReportBuilder(self._duel, rows.rows, settings, tuple(rows.notices))
        self._gathering = PairedMetrics(self._duel, gate.allowed)
        self._begun, self._saved = begun, 0

    def run(self, save: Save | None) -> BenchReport:
        """Measure until it is decided; a run that is broken off leaves what it has."""
        complete = False
        try:
            self._duel.run(self._undecided, lambda: self._keep(save))
            complete = True
        finally:
            report = self.report(complete=complete)
            if save:
                save(report)
        return report

    def _keep(self, save: Save | None) -> None:
        """Save what is known, at most every few seconds: a round may take no longer than writing all of them."""
        if save and time.perf_counter_ns() - self._saved > SAVE_NS:
            save(self.report(complete=False))
            self._saved = time.perf_counter_ns()

    def _checks(self) -> tuple[Check, ...]:
        return gates.checks(self._gathering.measured(), self._gate.allowed)

    def _undecided(self) -> Collection[Pair]:
        """The matches of which a check may still be decided; none once a regression has had time to show elsewhere."""
        found = self._checks()
        if gates.settled(found, self._duel.layouts):
            return []
        open_ = {(check.model, check.candidate) for check in found if gates.may_be_decided(check)}
        return [match for match in self._duel.matches if (match.candidate.model.path, match.candidate.label) in open_]

    def report(self, *, complete: bool) -> BenchReport:
        """What is known so far."""
        found = self._checks()
        failures = [
            f"{self._called(e)}: {self._duel.failed[e.key]}"
            for e in self._duel.candidates
            if e.key in self._duel.failed
        ]
        verdict = gates.verdict(found, failures, self._gate.allowed.inconclusive) if complete else None
        results = self._results() if self._gate.paired else self._desk.results()
        return self._desk.judged(results, self._told(found), verdict, complete=complete)

    def _called(self, candidate: Candidate) -> str:
        """With the model's name where several of them have the same candidate."""
        name = name_of(candidate)
        alone = sum(name_of(other) == name for other in self._duel.candidates) == 1
        return name if alone else f"{candidate.model.name} ({name})"

    def _results(self) -> tuple[BenchResult, ...]:
        """The baselines, then the candidates, each against its own."""
        duel = self._duel
        theirs = {match.candidate.key: match.baseline for match in duel.matches}
        found = []
        for (key, batch), measurement in sorted(duel.measurements.items(), key=lambda item: item[0][0] in theirs):
            against = theirs.get(key)
            other = duel.measurements[against.key, batch] if against else measurement
            if key in duel.failed or not all(any(run.rounds for run in side.runs) for side in (measurement, other)):
                reason = str(duel.failed[key]) if key in duel.failed else "not measured"
                found.append(assemble.bare(measurement, duel.specs, reason))
            else:
                result = assemble.result(measurement, other, duel.specs, self._settings)
                found.append(_incomparable(result) if key in self._apart else result)
        return tuple(found)

    def _told(self, found: tuple[Check, ...]) -> Gate:
        duel, errors = self._duel, self._gate.allowed.errors
        baselines = [match.baseline for match in duel.matches if match.baseline]
        sides = {match.candidate.key: match.candidate for match in duel.matches}
        return Gate(
            mode=self._mode,
            layouts=duel.layouts_kept,
            rounds=duel.rounds,
            alpha=errors.alpha,
            beta=errors.beta,
            measured_ns=duel.watch.spent_ns,
            wall_ns=time.perf_counter_ns() - self._begun,
            baseline=self._side(baselines[0]) if baselines else Side("", ""),
            sides=tuple(map(self._side, sides.values())),
            checks=found,
            settings=self._gate.described(),
        )

    def _side(self, candidate: Candidate) -> Side:
        about = self._duel.about.get(candidate.key, {})
        packages = about.get("packages", {})
        held = packages if isinstance(packages, Mapping) else {}
        return Side(
            candidate.label,
            candidate.model.path,
            str(about.get("python", "")),
            str(about.get("executable", "")),
            dict(held),
        )


def mode_of(found: Sequence[Pair], gate: GateSettings) -> GateMode:
    """Sessions where one worker can hold both sides and nothing is asked that only a process of one's own shows."""
    if not gate.paired:
        return "absolute"
    metrics = {*gate.allowed.shares, *(bound.metric for bound in gate.allowed.bounds)}
    everyone = [candidate for match in found for candidate in match.candidates]
    timed = any(share_of(bound.metric) is not None for bound in gate.allowed.bounds)
    return "sessions" if fits_one_worker(everyone) and not metrics & PER_PROCESS and not timed else "processes"


def samples_for(gate: GateSettings) -> int:
    """What a block must hold for the percentiles that are judged: against a baseline in each block, against an absolute
    limit in the blocks of a layout together.
    """
    shares = (share_of(metric) for metric in gate.allowed.shares)
    paired = max((gates.needed_samples(share) for share in shares if share is not None), default=1)
    bounds = (share_of(bound.metric) for bound in gate.allowed.bounds)
    alone = max((gates.needed_samples(share) for share in bounds if share is not None), default=1)
    return max(paired, -(-alone // LEAST_ROUNDS))


def _incomparable(result: BenchResult) -> BenchResult:
    note = "its baseline answered other rows"
    return replace(
        result, max_abs_delta=None, label_changes=None, non_finite_mismatches=0, delta_rows=0, delta_note=note
    )
