"""Writes the report on a race, at any time: between two rounds as well as at the end."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from infer_bench.errors import InferBenchError
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe, double_installs
from infer_bench.measure.bench import notices as rules
from infer_bench.measure.bench import results as assemble
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.rows import Rows, hash_of
from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.measure.settings import DEFAULT_BUDGET_S, DEFAULT_ROUNDS, Settings
from infer_bench.model import ModelSpec
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.gate import Gate
from infer_bench.version import __version__

CANNOT_RUN = 6


class Raced(Protocol):
    """A race or a duel, at any time."""

    measurements: dict[tuple[Key, int], Measurement]
    specs: dict[Key, ModelSpec]
    failed: dict[Key, InferBenchError]
    cut_short: bool

    @property
    def left_out(self) -> list[Candidate]:
        """Those whose failure is only noted."""

    @property
    def lean(self) -> frozenset[str]:
        """The candidates whose workers keep modules from being imported."""


class ReportBuilder:
    """Knows everything that stands in a report beside the samples."""

    def __init__(self, race: Raced, rows: Mapping[str, Rows], settings: Settings, notices: Sequence[Notice]) -> None:
        self._race = race
        self._rows = rows
        self._rows_sha256 = hash_of(rows.values())
        self._settings = settings
        self._notices = tuple(notices) + tuple(n for found in rows.values() for n in found.notices)
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._environment = describe(PACKAGES)

    def judged(
        self, results: tuple[BenchResult, ...], gate: Gate, verdict: Verdict | None, *, complete: bool
    ) -> BenchReport:
        """The report of a gate, whose results are each against a baseline of their own."""
        return self._report(results, verdict, complete, gate)

    def report(self, *, complete: bool) -> BenchReport:
        """What is known so far. Candidates that nobody asked for and that cannot open the model become notices."""
        results = self.results()
        return self._report(results, _verdict(results) if complete else None, complete)

    def results(self) -> tuple[BenchResult, ...]:
        """One a candidate and batch size, those of a model against one reference."""
        left_out = {candidate.key: candidate.label for candidate in self._race.left_out}
        failed = {key: str(error) for key, error in self._race.failed.items() if key not in left_out}
        measurements = [
            measurement for measurement in self._race.measurements.values() if measurement.candidate.key not in left_out
        ]
        return assemble.results(measurements, self._race.specs, failed, self._settings)

    def _report(
        self, results: tuple[BenchResult, ...], verdict: Verdict | None, complete: bool, gate: Gate | None = None
    ) -> BenchReport:
        return Report(
            command="bench",
            tool_version=__version__,
            created_at=self._created,
            settings=self._described(),
            environment=self._environment,
            results=results,
            notices=self._all_notices(results),
            verdict=verdict,
            complete=complete,
            gate=gate,
        )

    def _described(self) -> dict[str, Any]:
        found = list(self._rows.values())
        sizes = {len(next(iter(rows.columns.values()), ())) for rows in found}
        said = {
            "rows_cycled": max(sizes, default=0),
            "rows_source": ", ".join(dict.fromkeys(r.source for r in found)),
            "rows_sha256": self._rows_sha256,
        }
        # As JSON has it, so that a report equals itself after it was saved and loaded.
        given = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self._settings).items()}
        given["rounds"] = given["rounds"] or (DEFAULT_ROUNDS if given["budget_s"] is None else None)
        return given | said

    def _all_notices(self, results: Sequence[BenchResult]) -> tuple[Notice, ...]:
        left_out = (
            Notice("left-out", f"{e.label} left out: {self._race.failed[e.key].message}", candidate=e.label)
            for e in self._race.left_out
        )
        cut = (Notice("cut-short", f"stopped after {DEFAULT_BUDGET_S:g} s of measuring", "give --rounds or --budget"),)
        found = rules.find(self._environment, results, self._in_use(), double_installs())
        return (*self._notices, *left_out, *(cut if self._race.cut_short else ()), *found)

    def _in_use(self) -> rules.InUse:
        settings = self._settings
        given = settings.budget_s is not None or settings.rounds is not None
        rows = int(self._described()["rows_cycled"])
        return rules.InUse(settings.threads, settings.rows_mode, settings.processes, given, self._race.lean, rows)


def _verdict(results: Sequence[BenchResult]) -> Verdict:
    reasons = tuple(f"{r.candidate}, batch {r.batch:,}: {r.failed}" for r in results if r.failed)
    if not results:
        return Verdict("failed", CANNOT_RUN, ("no candidate could open the model",))
    return Verdict("failed", CANNOT_RUN, reasons) if reasons else Verdict("pass", 0)
