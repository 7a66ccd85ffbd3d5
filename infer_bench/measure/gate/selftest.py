"""`bench --self-test`: how often the gate cries wolf on this machine, and how often it sees what was planted."""

import datetime
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from infer_bench.errors import CannotRun, InferBenchError, UsageError
from infer_bench.gates.limits import LEAST_MARGIN, share_of
from infer_bench.gates.rules import Allowed
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.models import model_ref
from infer_bench.measure.candidates.rows import Rows, rows_for, seen_by
from infer_bench.measure.gate import synthetic_model as workload
from infer_bench.measure.gate.cpu_load import hogs_running
from infer_bench.measure.gate.pairs import matches
from infer_bench.measure.gate.run import Gatekeeper
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.gate.shared_rows import SharedRows
from infer_bench.measure.gate.trials import SHARES, Kind, Made, Tally, kinds, verdict
from infer_bench.measure.schedule.layouts import InjectedDelay
from infer_bench.measure.schedule.scheduler import Pair
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress, Silent
from infer_bench.report.bench import BenchReport
from infer_bench.report.common import Report
from infer_bench.report.selftest import SelfTestReport
from infer_bench.stats.decisions.ratio_limit import Errors
from infer_bench.version import __version__

BUDGET_S, TAIL_BUDGET_S = {"p50": 3.0}, 10.0
"""Of a trial, unless told otherwise. A tail needs more blocks to be told."""
CALIBRATIONS = 5
CALIBRATION_S = 3.0
FIRST_TURNS, MOST_TURNS = 500, 1_000_000_000
PROBED_SHARE = 0.1
"""What is planted to calibrate: about as much as in the trials."""


class SelfTest:
    """Makes trials, the kinds in turn, each in a worker of its own."""

    def __init__(
        self,
        candidates: tuple[Candidate, Candidate],
        rows: Rows,
        trials: int,
        hogs: Sequence[int],
        settings: Settings,
        jobs: int = 1,
        shares: Mapping[str, float] = SHARES,
    ) -> None:
        self._candidates, self._rows, self._settings = candidates, rows, settings
        self.tallies = [
            Tally(kind, count, max(1, round(trials * kind.weight))) for count in hogs for kind in kinds(shares)
        ]
        self._turn_ns, self._request_ns = 0.0, 0
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._environment = describe(PACKAGES)
        self._trials, self._hogs = trials, list(hogs)
        self._seed = settings.seed
        self._jobs = jobs

    def calibrate(self) -> None:
        """What a request takes, and what a turn of the planted loop adds to it there: medians over fresh workers.

        The loop is timed inside requests and under the load of the trials, since beside memory-bound work a turn takes
        another time than by itself.
        """
        turns = FIRST_TURNS
        while (found := self._probed(turns))[0] < PROBED_SHARE / 2 and turns < MOST_TURNS:
            turns = round(turns * min(100.0, max(2.0, PROBED_SHARE / max(found[0], 1e-3))))
        turns = max(1, round(turns * PROBED_SHARE / max(found[0], PROBED_SHARE / 4)))
        probes = [self._probed(turns) for _ in range(CALIBRATIONS)]
        share = statistics.median(probe[0] for probe in probes)
        if share < PROBED_SHARE / 4:
            raise CannotRun("what is planted cannot be told from noise here", "a quieter machine, or a faster model")
        self._request_ns = round(statistics.median(probe[1] for probe in probes))
        self._turn_ns = share * self._request_ns / turns

    def _probed(self, turns: int) -> tuple[float, float]:
        """The share that so many turns add to a request, and what a request takes, in ns."""
        told = self._gated(InjectedDelay(turns), CALIBRATION_S, {"p50": LEAST_MARGIN}, self._next_seed()).gate
        check = told.checks[0] if told else None
        if check is None or check.ratio is None or check.baseline is None:
            raise CannotRun("the model could not be measured", "infer-bench bench MODEL says why")
        return check.ratio - 1, check.baseline

    def _next_seed(self) -> int:
        self._seed += 1
        return self._seed

    def run(self, progress: Progress, save: Callable[[SelfTestReport], None]) -> SelfTestReport:
        """Every trial; `save` is called after each of them."""
        complete = False
        try:
            for hogs in self._hogs:
                with hogs_running(hogs):
                    progress.update(0, "measuring a request")
                    self.calibrate()
                    self._load([tally for tally in self.tallies if tally.hogs == hogs], progress, save)
            complete = True
        finally:
            report = self.report(complete=complete)
            save(report)
        return report

    def _load(self, tallies: Sequence[Tally], progress: Progress, save: Callable[[SelfTestReport], None]) -> None:
        """The kinds take turns in proportion, so that a run that is broken off has some of each."""
        with ThreadPoolExecutor(self._jobs) as pool:
            running: dict[Future[Made | None], Tally] = {}
            while running or any(tally.begun < tally.wanted for tally in tallies):
                while len(running) < self._jobs and (left := [t for t in tallies if t.begun < t.wanted]):
                    tally = min(left, key=lambda one: one.begun / one.wanted)
                    tally.begun += 1
                    self._tell(progress, tally)
                    running[pool.submit(self._trial, tally.kind, self._next_seed())] = tally
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    running.pop(future).add(future.result())
                save(self.report(complete=False))

    def _tell(self, progress: Progress, tally: Tally) -> None:
        done, wanted = sum(t.done for t in self.tallies), sum(t.wanted for t in self.tallies)
        what = f"+{tally.kind.planted * 100:g} %" if tally.kind.planted else "nothing"
        progress.update(done / wanted, f"trial {done + 1} of {wanted}: {what} planted, {tally.hogs} hogs")

    def plant(self, kind: Kind) -> InjectedDelay:
        """The turns of an empty loop that take the planted share of a request."""
        return InjectedDelay(round(kind.planted * self._request_ns / self._turn_ns), kind.every)

    def _budget_s(self, metric: str) -> float:
        return self._settings.budget_s or BUDGET_S.get(metric, TAIL_BUDGET_S)

    def _trial(self, kind: Kind, seed: int) -> Made | None:
        """One trial, in a thread that lives as long as its worker; None when it could not be measured."""
        begun = time.perf_counter_ns()
        try:
            told = self._gated(self.plant(kind), self._budget_s(kind.metric), {kind.metric: kind.limit}, seed).gate
        except InferBenchError:
            return None
        if told is None or told.checks[0].outcome == "failed":
            return None
        return Made(told.checks[0], told.measured_ns, time.perf_counter_ns() - begun)

    def _gated(self, plant: InjectedDelay, budget_s: float, shares: Mapping[str, float], seed: int) -> BenchReport:
        """One gate, in workers of its own."""
        settings = replace(self._settings, seed=seed, budget_s=budget_s)
        gate = GateSettings(against="itself", allowed=Allowed(shares, errors=Errors()))
        baseline, candidate = self._candidates
        columns = seen_by(candidate, self._rows)
        rows = SharedRows(
            {e.model.path: self._rows for e in self._candidates}, {e.key: columns for e in self._candidates}
        )
        plants: Mapping[Key, InjectedDelay] = {baseline.key: InjectedDelay(), candidate.key: plant}
        match, begun = [Pair(candidate, baseline)], time.perf_counter_ns()
        return Gatekeeper(match, rows, gate, settings, Silent(), plants, begun).run(None)

    def report(self, *, complete: bool) -> SelfTestReport:
        """What is known so far."""
        results = tuple(tally.result() for tally in self.tallies)
        said: dict[str, Any] = {
            "trials": self._trials,
            "hogs": self._hogs,
            "alpha": Errors().alpha,
            "beta": Errors().beta,
        }
        model = self._candidates[0].model
        said |= {"model": model.name, "candidate": self._candidates[0].label}
        said["budget_s"] = {
            metric: self._budget_s(metric) for metric in dict.fromkeys(t.kind.metric for t in self.tallies)
        }
        given = {key: value for key, value in asdict(self._settings).items() if key in ("threads", "seed")}
        return Report(
            command="self-test",
            tool_version=__version__,
            created_at=self._created,
            settings=said | given,
            environment=self._environment,
            results=results,
            verdict=verdict(results) if complete else None,
            complete=complete,
        )


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    trials: int,
    hogs: Sequence[int],
    jobs: int,
    settings: Settings,
    progress: Progress,
    save: Callable[[SelfTestReport], None],
    shares: Mapping[str, float] = SHARES,
) -> SelfTestReport:
    """Try the gate on a model, or on one that is made for it, raced against a copy of itself.

    `shares` are the limits to try, by percentile. Raises `UsageError` for settings that make no sense.
    """
    if any(share_of(metric) is None for metric in shares):
        raise UsageError("a self-test tries percentiles only", "--max-regression p50=2%,p95=5%")
    if len(models) > 1 or len(candidates) > 1 or len(settings.batches) > 1:
        raise UsageError("a self-test takes one model, one candidate and one batch size")
    if not 1 <= trials <= 1_000_000 or not all(0 <= count <= 1024 for count in hogs) or not 1 <= jobs <= 1024:
        raise UsageError("trials are 1 to 1,000,000, hogs 0 to 1024, jobs 1 to 1024")
    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        pair, rows = _sides(models, data, candidates, Path(folder), settings)
        return SelfTest(pair, rows, trials, hogs, settings, jobs, shares).run(progress, save)


def _sides(
    models: Sequence[str], data: str | None, candidates: Sequence[str], folder: Path, settings: Settings
) -> tuple[tuple[Candidate, Candidate], Rows]:
    """The model and its copy; the baseline first."""
    model = models[0] if models else str(folder / "trees.onnx")
    if not models:
        workload.write_model(Path(model))
    ref = model_ref(model, allow_pickle=settings.allow_pickle)
    if ref.family == "callable":
        raise UsageError("a self-test takes a model file", "leave it out to have one made")
    copy = folder / f"copy-of-{ref.name}"
    shutil.copyfile(ref.path, copy)
    other = model_ref(str(copy), allow_pickle=settings.allow_pickle)

    def refuse(_: object) -> Any:
        raise UsageError("a self-test races a model in its own library", "name a candidate that opens the file itself")

    found = matches(
        [other], candidates, model, None, model_ref=lambda _: ref, to_onnx=refuse, threads=settings.threads
    )[0]
    assert found.baseline is not None
    rows = rows_for([found.candidate], data, settings)
    if not models:
        rows = replace(rows, columns=workload.rows(), records=workload.rows())
    return (found.baseline, found.candidate), rows
