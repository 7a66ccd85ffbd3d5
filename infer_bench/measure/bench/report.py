"""Writes the report on measurements at any time: between two rounds as well as at the end."""

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from infer_bench.errors import CannotRun
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe, find_double_installs
from infer_bench.measure.bench.batching import note_batches
from infer_bench.measure.bench.compared_rows import note_compared_rows
from infer_bench.measure.bench.compilation import note_compilations
from infer_bench.measure.bench.in_use import InUse
from infer_bench.measure.bench.left_out import note_left_out
from infer_bench.measure.bench.notices import find_notices
from infer_bench.measure.bench.overrun import note_overrun
from infer_bench.measure.bench.quality import note_useless_labels
from infer_bench.measure.bench.repeated_rows import note_repeated_rows
from infer_bench.measure.bench.results import build_results
from infer_bench.measure.candidates.candidates import Key
from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.measure.candidates.rows import Rows, hash_rows
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.starts import StartTooLate
from infer_bench.measure.settings import DEFAULT_BUDGET_S, DEFAULT_ROUNDS, Settings
from infer_bench.report.bench import BenchReport, BenchResult, ProbeTest
from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.gate import Gate
from infer_bench.typing import Array
from infer_bench.version import __version__

CANNOT_RUN = CannotRun.exit_code


class ReportBuilder:
    """Knows everything that stands in a report beside the samples."""

    def __init__(
        self,
        measurements: Measurements,
        rows: Mapping[str, Rows],
        settings: Settings,
        notices: Sequence[Notice],
        truth: Array | None = None,
        probe_tests: Mapping[Key, ProbeTest] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._measurements, self._budget = measurements, budget
        self._probe_tests: Mapping[Key, ProbeTest] = {} if probe_tests is None else probe_tests
        self._models = tuple(dict.fromkeys(candidate.model.path for candidate in measurements.candidates))
        self._rows = rows
        self._rows_sha256 = hash_rows(rows.values())
        self._settings = settings
        self._truth = truth
        self._notices = tuple(notices) + tuple(notice for part in rows.values() for notice in part.notices)
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._environment = describe(PACKAGES)
        self._double_installs = find_double_installs()

    def build_gate_report(
        self,
        results: tuple[BenchResult, ...],
        gate: Gate,
        verdict: Verdict | None,
        notices: Sequence[Notice] = (),
        *,
        complete: bool,
    ) -> BenchReport:
        """The report of a gate, whose results may each be against a baseline of their own."""
        report = self._build(results, verdict, complete, gate)
        return replace(report, notices=(*report.notices, *notices))

    def build_report(self, *, complete: bool) -> BenchReport:
        """What is known so far. Candidates that nobody asked for and that cannot open the model become notices."""
        results = self.build_results()
        report = self._build(results, _verdict(results) if complete else None, complete)
        return replace(report, notices=(*report.notices, *note_untimed_starts(results, self._settings.budget_s)))

    def build_results(self) -> tuple[BenchResult, ...]:
        """One a candidate and batch size, each against the first model's first candidate, or the reference chosen."""
        left_out = {candidate.key for candidate in self._measurements.left_out}
        rows = [row for row in self._measurements if row.candidate.key not in left_out]
        failures = {(m.candidate.key, m.batch): self._measurements.failure(m.candidate.key, m.batch) for m in rows}
        reasons = {place: str(error) for place, error in failures.items() if error is not None}
        results = build_results(rows, self._measurements.specs, reasons, self._settings, self._rows, self._truth)
        pairs = zip(rows, results, strict=True)
        return note_compilations(
            [
                result if result.failed else replace(result, probes=self._probe_tests.get(row.candidate.key))
                for row, result in pairs
            ]
        )

    def _build(
        self, results: tuple[BenchResult, ...], verdict: Verdict | None, complete: bool, gate: Gate | None = None
    ) -> BenchReport:
        return Report(
            command="bench",
            tool_version=__version__,
            created_at=self._created,
            settings=self._describe_settings() | self._describe_comparison(gate),
            environment=self._environment,
            results=results,
            notices=self._all_notices(results),
            verdict=verdict,
            complete=complete,
            gate=gate,
            inputs=tuple(dict.fromkeys(entry for rows in self._rows.values() for entry in rows.inputs)),
        )

    def _describe_settings(self) -> dict[str, Any]:
        # As JSON has it, so that a report equals itself after it was saved and loaded.
        settings = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self._settings).items()}
        del settings["requests"]  # what came of it stands in `inputs`
        settings["rounds"] = settings["rounds"] or (DEFAULT_ROUNDS if settings["budget_s"] is None else None)
        return settings | {
            "rows_cycled": self._count_rows(),
            "rows_source": ", ".join(dict.fromkeys(rows.source for rows in self._rows.values())),
            "rows_sha256": self._rows_sha256,
        }

    def _describe_comparison(self, gate: Gate | None) -> dict[str, Any]:
        """The paths of several models whose results are against one reference: not where each has a baseline."""
        is_one = len(self._models) > 1 and (gate is None or gate.mode == "absolute")
        return {"compared_models": list(self._models)} if is_one else {}

    def _count_rows(self) -> int:
        return max((len(next(iter(rows.columns.values()), ())) for rows in self._rows.values()), default=0)

    def _all_notices(self, results: Sequence[BenchResult]) -> tuple[Notice, ...]:
        measurements, specs = self._measurements, self._measurements.specs
        several = len(self._models) > 1
        left_out = note_left_out(measurements, several=several)
        cut_short = (
            Notice(
                "cut-short",
                f"stopped after {DEFAULT_BUDGET_S:g} s of measuring",
                "give --rounds or --budget",
                level="note",
            ),
        )
        short = self._note_short_budget()
        rules = find_notices(self._environment, results, self._in_use(), self._double_installs)
        remarks = notices_of((e.model.name, spec) for e in measurements.candidates if (spec := specs.get(e.key)))
        unused = note_useless_labels(results, self._truth)
        batches = note_batches(measurements, several=several)
        compared = note_compared_rows(measurements, results, self._rows)
        repeated = note_repeated_rows(measurements, several=several)
        return (
            *self._notices,
            *left_out,
            *remarks,
            *unused,
            *batches,
            *compared,
            *repeated,
            *(cut_short if measurements.cut_short else ()),
            *short,
            *note_overrun(self._budget, self._settings.budget_s),
            *rules,
        )

    def _note_short_budget(self) -> tuple[Notice, ...]:
        """Where the budget held fewer processes than were asked for: how many, and which one would hold all."""
        measurements, settings = self._measurements, self._settings
        if not measurements.budget_needed_ns or settings.budget_s is None:
            return ()
        text = (
            f"the budget of {settings.budget_s:g} s held {measurements.layout_count} of {settings.processes} processes"
        )
        hint = f"--budget {math.ceil(measurements.budget_needed_ns / 5e9) * 5}s holds all of them"
        if any(isinstance(error, StartTooLate) for error in measurements.failures.values()):
            hint = "give a larger --budget"  # those who had no time to start would take a part of it
        result = "intervals are wide" if measurements.layout_count > 1 else "there are no intervals"
        return (Notice("short-budget", f"{text} a candidate, so that {result}", hint),)

    def _in_use(self) -> InUse:
        settings, lean = self._settings, self._measurements.lean
        is_bounded = settings.budget_s is not None or settings.rounds is not None
        tensors = any(column.ndim > 1 for rows in self._rows.values() for column in rows.columns.values())
        return InUse(
            settings.threads, settings.rows_mode, settings.processes, is_bounded, lean, self._count_rows(), tensors
        )


def note_untimed_starts(results: Sequence[BenchResult], budget_s: float | None) -> tuple[Notice, ...]:
    """Where a budget left no time to start one process after the other, so that no cold start is known.

    Nor is the memory of a process that has drawn its rows as well.
    """
    rows = [r for r in results if r.processes and r.cold_start_ns is None and r.failed is None]
    if budget_s is None or not rows:
        return ()
    memory = "" if all(r.rss_bytes for r in rows) else ", and no memory is known of a process that drew rows before"
    text = f"no cold start was timed: the budget of {budget_s:g} s left no time for one start after the other{memory}"
    return (Notice("untimed-starts", text, "give a larger --budget", level="note"),)


def _verdict(results: Sequence[BenchResult]) -> Verdict:
    several = len({r.model.path for r in results}) > 1
    names = [f"{r.model.path} {r.candidate}" if several else r.candidate for r in results]
    pairs = zip(names, results, strict=True)
    reasons = tuple(f"{name}, batch {r.batch:,}: {r.failed}" for name, r in pairs if r.failed)
    if not results:
        return Verdict("failed", CANNOT_RUN, ("no candidate could open the model",))
    return Verdict("failed", CANNOT_RUN, reasons) if reasons else Verdict("pass", 0)
