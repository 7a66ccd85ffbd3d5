"""Runs in their order, and what each candidate took in each of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.reporters.bench.names import name_measured

NO_REGRESSION = (
    "Runs of different times are lined up, not judged: machines drift. "
    "`infer-bench bench NEW --against OLD` measures both at once."
)


@dataclass(frozen=True, slots=True)
class Run:
    """A report and the file that it is from. `obstacles` say what keeps it from being compared with the first run."""

    file: str
    report: BenchReport
    obstacles: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether its figures were made under the conditions of the first run, and are of a whole run."""
        return not self.obstacles and self.report.complete


@dataclass(frozen=True, slots=True)
class Entry:
    """What one candidate took in one run.

    `ratio` is its p50 over that of the first run that measured it; None where one of the two is not comparable.
    """

    run: Run
    result: BenchResult
    ratio: float | None


@dataclass(frozen=True, slots=True)
class History:
    """Several runs, the oldest first."""

    runs: tuple[Run, ...]

    def entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """By candidate, named as in `credit.txt lightgbm:feed=ndarray batch=1`: an entry a run that measured it."""
        results: dict[str, list[tuple[Run, BenchResult]]] = {}
        for run in self.runs:
            for name, result in name_measured(run.report):
                results.setdefault(name, []).append((run, result))
        return {name: tuple(_compare(pairs)) for name, pairs in results.items()}


def _compare(pairs: list[tuple[Run, BenchResult]]) -> list[Entry]:
    (first_run, first_result), entries = pairs[0], []
    first = _p50(first_result) if first_run.comparable else None
    for run, result in pairs:
        p50 = _p50(result) if run.comparable else None
        entries.append(Entry(run, result, p50 / first if p50 is not None and first else None))
    return entries


def _p50(result: BenchResult) -> int | None:
    return None if result.request is None else result.request.p50_ns
