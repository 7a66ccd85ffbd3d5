"""Parts of one comparison added up, one after the other and in any order: one is in memory at a time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from infer_bench.data.file_digest import join_hashes
from infer_bench.errors import CannotRun
from infer_bench.measure.shards.identity import blocks_of, check_same, describe_blocks, part_of
from infer_bench.measure.validate.report import build_report
from infer_bench.measure.validate.settings import PartNumber, ValidateSettings
from infer_bench.measure.validate.summary.codec import unpack
from infer_bench.measure.validate.summary.part import ComparisonPlan
from infer_bench.measure.validate.summary.values import ComparisonSummary, add
from infer_bench.report.common import Notice
from infer_bench.report.part import Part
from infer_bench.report.validate import ValidateReport

MOST_LINES = 20
"""So many missing parts are named."""


@dataclass(frozen=True, slots=True)
class FirstPart:
    """The part with the lowest number so far, by which the others are checked."""

    name: str
    report: ValidateReport
    part: Part


class Merge:
    """What the parts that were added come to."""

    def __init__(self) -> None:
        self._first: FirstPart | None = None
        self._summary: ComparisonSummary | None = None
        self._marks: dict[int, tuple[str, str]] = {}
        self._hashes: dict[int, str] = {}
        self._machines: dict[str, None] = {}
        self._rows = 0
        self._seconds = 0.0

    def add(self, report: ValidateReport, name: str) -> None:
        """Add a part; one that is there already changes nothing.

        Raises `CannotRun` for one of another comparison, and for one that disagrees with a part of the same number.
        """
        part = part_of(report, name)
        if self._first is not None:
            check_same(report, name, self._first.report, self._first.name)
        mark = hashlib.sha256(part.state.encode()).hexdigest()
        if part.index in self._marks:
            self._check_duplicate(part, name, mark)
            return
        summary = self._read(part, name)
        self._check_settings(summary, name)
        self._marks[part.index] = (mark, name)
        self._hashes |= {place: file.sha256 for place, file in enumerate(part.files) if file.sha256}
        self._machines[f"{report.environment.cpu_model} ({report.environment.machine})"] = None
        self._count_time(report, part)
        self._fold(FirstPart(name, replace(report, part=replace(part, state="")), part), summary)

    def _check_duplicate(self, part: Part, name: str, mark: str) -> None:
        first_mark, other = self._marks[part.index]
        if first_mark != mark:
            text = f"{name} and {other} are both part {part.index} of {part.of} and say different things"
            raise CannotRun(text, "leave one out, or make that part again")

    def _read(self, part: Part, name: str) -> ComparisonSummary:
        try:
            summary = unpack(part.state)
        except CannotRun as error:
            raise CannotRun(f"{name} is damaged: {error.message}", "make that part again") from None
        if not isinstance(summary, ComparisonSummary):
            raise CannotRun(f"{name} is damaged: it does not hold a part of a comparison", "make that part again")
        if summary.settings.part != PartNumber(part.index, part.of):
            raise CannotRun(f"{name} is damaged: it holds the comparison of another part", "make that part again")
        return summary

    def _check_settings(self, summary: ComparisonSummary, name: str) -> None:
        """What the reports' settings do not tell: whether a tolerance is the user's or a default."""
        if self._summary is None:
            return
        own = self.settings
        if replace(summary.settings, shard=None, timeout_s=own.timeout_s) != own:
            text = f"{name} and {self.first.name} are of two comparisons: one has tolerances where the other has none"
            raise CannotRun(text, "make all parts with the same settings")

    def _count_time(self, report: ValidateReport, part: Part) -> None:
        rates = [result.rows_per_s for result in report.results if result.rows_per_s]
        if rates and part.rows:
            self._rows += part.rows
            self._seconds += part.rows / rates[0]

    def _fold(self, part: FirstPart, summary: ComparisonSummary) -> None:
        if self._first is None or self._summary is None:
            self._first, self._summary = part, summary
        elif part.part.index < self._first.part.index:
            self._first, self._summary = part, add(summary, self._summary)
        else:
            self._summary = add(self._summary, summary)

    @property
    def first(self) -> FirstPart:
        """The part with the lowest number. Raises `CannotRun` where none was added."""
        if self._first is None:
            raise CannotRun("there are no parts to merge", "infer-bench validate … --shard 1/8 --json part-1.json")
        return self._first

    @property
    def summary(self) -> ComparisonSummary:
        """What was compared so far. Raises `CannotRun` where no part was added."""
        if self._summary is None:
            raise CannotRun("there are no parts to merge")
        return self._summary

    @property
    def settings(self) -> ValidateSettings:
        """Those of the whole."""
        return replace(self.summary.settings, shard=None)

    @property
    def plan(self) -> ComparisonPlan:
        """What is compared, as the first part's command had it."""
        part = self.first.part
        return ComparisonPlan(part.models, part.engines, part.data)

    @property
    def indices(self) -> tuple[int, ...]:
        """The numbers of the parts that were added."""
        return tuple(self._marks)

    @property
    def missing(self) -> list[int]:
        """The numbers of parts that have rows, or the probes, and were not added."""
        first = self.first
        absent = (index for index in range(1, first.part.of + 1) if index not in self._marks)
        return [index for index in absent if index == 1 or blocks_of(first.report, first.part, index)]

    def check_whole(self) -> None:
        """Raises `CannotRun` where parts are missing: which, what is in them, and the commands that make them."""
        missing, part = self.missing, self.first.part
        if not missing:
            return
        numbers = ", ".join(map(str, missing[:MOST_LINES])) + (", …" if len(missing) > MOST_LINES else "")
        text = f"part {numbers} of {part.of:,} is" if len(missing) == 1 else f"parts {numbers} of {part.of:,} are"
        error = CannotRun(f"{text} missing", "make what is missing, and merge again")
        error.frames = tuple(self._command(index) for index in missing[:MOST_LINES])
        raise error

    def _command(self, index: int) -> str:
        first = self.first
        rows = describe_blocks(blocks_of(first.report, first.part, index), first.part)
        command = self.plan.command(self.settings, PartNumber(index, first.part.of), f"part-{index}.json")
        return f"{rows}: {command}"

    def report(self, summary: ComparisonSummary, failures: Mapping[int, str] | None = None) -> ValidateReport:
        """The report on all parts, as one run would have made it; `failures` say why parts were not compared."""
        first = self.first
        files, of = first.part.files, first.part.of
        has_every_hash = len(self._hashes) == len(files)
        hashes = [self._hashes[place] for place in range(len(files))] if has_every_hash else []
        data_sha256 = join_hashes([file.name for file in files], hashes) if has_every_hash else None
        settings = {**first.report.settings, "shard": None, "data_sha256": data_sha256}
        texts = {index: self._not_validated(index, reason) for index, reason in (failures or {}).items()}
        whole = replace(summary, candidates=tuple(_with_errors(c, texts, of) for c in summary.candidates))
        rate = self._rows / self._seconds if self._seconds else None
        report = build_report(whole, settings, first.report.environment, rate)
        return replace(report, notices=(*report.notices, *self._machine_notices()))

    def _not_validated(self, index: int, reason: str) -> str:
        first = self.first
        blocks = blocks_of(first.report, first.part, index)
        rows = sum(block.rows for block in blocks)
        return f"{rows:,} rows were not validated ({describe_blocks(blocks, first.part)}): {reason}"

    def _machine_notices(self) -> list[Notice]:
        if len(self._machines) < 2:
            return []
        text = f"the parts were made on {len(self._machines)} kinds of machine: {', '.join(sorted(self._machines))}"
        return [Notice("machines", text, "libraries may round otherwise on another processor")]


def _with_errors(candidate: Any, texts: Mapping[int, str], of: int) -> Any:
    own = [(index, f"part {index} of {of}: {text}") for index, text in candidate.errors]
    beside = [(index, f"part {index} of {of}: {text}") for index, text in texts.items()]
    return replace(candidate, errors=tuple(sorted([*own, *beside])))
