"""`bench --self-test`: how often the gate cries wolf on this machine, and how often it sees work that was added."""

import datetime
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from infer_bench.errors import InferBenchError, UsageError
from infer_bench.formats.model_files import find_weights
from infer_bench.gates.limits import share_of
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.candidates.request_file import open_data
from infer_bench.measure.candidates.rows import load_rows
from infer_bench.measure.gate import synthetic_model
from infer_bench.measure.gate.cpu_load import keep_busy
from infer_bench.measure.gate.pairs import make_pairs
from infer_bench.measure.gate.trial_gate import Calibration, TrialGate, calibrate
from infer_bench.measure.gate.trials import SHARES, Trial, TrialKind, TrialSeries, judge_trials, plan_kinds
from infer_bench.measure.reporting import run_to_report
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.progress import Progress
from infer_bench.report.common import Report
from infer_bench.report.selftest import SelfTestReport
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.version import __version__

BUDGET_S, TAIL_BUDGET_S = {"p50": 4.0}, 11.0
"""Of a trial, a second for its worker's start included, unless the settings have one. A tail needs more blocks."""

Save = Callable[[SelfTestReport], None]


class SelfTest:
    """Makes trials, the kinds in turn, each in a worker of its own, `jobs` at the same time.

    `cpu_loads` are the numbers of busy processes beside which all kinds are tried.
    """

    def __init__(
        self,
        gate: TrialGate,
        trials: int,
        cpu_loads: Sequence[int],
        settings: Settings,
        jobs: int = 1,
        shares: Mapping[str, float] = SHARES,
    ) -> None:
        self._gate, self._settings = gate, settings
        self._series = [
            TrialSeries(kind, count, max(1, round(trials * kind.weight)))
            for count in cpu_loads
            for kind in plan_kinds(shares)
        ]
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._environment = describe(PACKAGES)
        self._trials, self._cpu_loads = trials, list(cpu_loads)
        self._jobs = jobs

    def run(self, progress: Progress, save: Save) -> SelfTestReport:
        """Every trial; `save` is called after each of them."""

        def try_loads() -> None:
            for count in self._cpu_loads:
                with keep_busy(count):
                    progress.update(0, "measuring a request")
                    calibration = calibrate(self._gate)
                    series = [one for one in self._series if one.cpu_load == count]
                    self._try_kinds(series, calibration, progress, save)

        return run_to_report(try_loads, lambda complete: self.build_report(complete=complete), save)

    def _try_kinds(
        self, series: Sequence[TrialSeries], calibration: Calibration, progress: Progress, save: Save
    ) -> None:
        """The kinds take turns in proportion, so that a run that is broken off has some of each."""
        with ThreadPoolExecutor(self._jobs) as pool, self._gate.ending_with_it():
            running: dict[Future[Trial | None], TrialSeries] = {}
            while running or any(one.starts < one.target for one in series):
                while len(running) < self._jobs and (due := [one for one in series if one.starts < one.target]):
                    next_ = min(due, key=lambda one: one.starts / one.target)
                    next_.starts += 1
                    self._tell(progress, next_)
                    running[pool.submit(self._try, next_.kind, calibration, self._gate.next_seed())] = next_
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    running.pop(future).add(future.result())
                save(self.build_report(complete=False))

    def _tell(self, progress: Progress, series: TrialSeries) -> None:
        count, target = sum(one.count for one in self._series), sum(one.target for one in self._series)
        what = f"+{series.kind.delay * 100:g} %" if series.kind.delay else "nothing"
        progress.update(count / target, f"trial {count + 1} of {target}: {what} planted, {series.cpu_load} hogs")

    def _budget_s(self, metric: str) -> float:
        return self._settings.budget_s or BUDGET_S.get(metric, TAIL_BUDGET_S)

    def _try(self, kind: TrialKind, calibration: Calibration, seed: int) -> Trial | None:
        """One trial, in a thread that lives as long as its worker; None when it could not be measured."""
        begin_ns, delay = time.perf_counter_ns(), calibration.delay(kind.delay, kind.every)
        try:
            gate = self._gate.run(delay, self._budget_s(kind.metric), {kind.metric: kind.limit}, seed)
        except InferBenchError:
            return None
        if gate is None or gate.checks[0].outcome == "failed":
            return None
        return Trial(gate.checks[0], gate.measured_ns, time.perf_counter_ns() - begin_ns)

    def build_report(self, *, complete: bool) -> SelfTestReport:
        """What is known so far."""
        results = tuple(one.result() for one in self._series)
        return Report(
            command="self-test",
            tool_version=__version__,
            created_at=self._created,
            settings=self._describe_settings(),
            environment=self._environment,
            results=results,
            verdict=judge_trials(results) if complete else None,
            complete=complete,
        )

    def _describe_settings(self) -> dict[str, Any]:
        baseline, metrics = self._gate.baseline, dict.fromkeys(one.kind.metric for one in self._series)
        return {
            "trials": self._trials,
            "hogs": self._cpu_loads,
            "alpha": Errors().alpha,
            "beta": Errors().beta,
            "model": baseline.model.name,
            "candidate": baseline.label,
            "budget_s": {metric: self._budget_s(metric) for metric in metrics},
            "threads": self._settings.threads,
            "seed": self._settings.seed,
        }


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    trials: int,
    cpu_loads: Sequence[int],
    jobs: int,
    settings: Settings,
    progress: Progress,
    save: Save,
    shares: Mapping[str, float] = SHARES,
) -> SelfTestReport:
    """Try the gate on a model, or on one that is made for it, against a copy of itself.

    `shares` are the limits to try, by percentile. Raises `UsageError` for settings that make no sense.
    """
    if any(share_of(metric) is None for metric in shares):
        raise UsageError("a self-test tries percentiles only", "--max-regression p50=2%,p95=5%")
    if len(models) > 1 or len(candidates) > 1 or len(settings.batches) > 1:
        raise UsageError("a self-test takes one model, one candidate and one batch size")
    if not 1 <= trials <= 1_000_000 or not all(0 <= count <= 1024 for count in cpu_loads) or not 1 <= jobs <= 1024:
        raise UsageError("trials are 1 to 1,000,000, hogs 0 to 1024, jobs 1 to 1024")
    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        gate = _prepare_gate(models, data, candidates, Path(folder), settings)
        return SelfTest(gate, trials, cpu_loads, settings, jobs, shares).run(progress, save)


def _prepare_gate(
    models: Sequence[str], data: str | None, candidates: Sequence[str], folder: Path, settings: Settings
) -> TrialGate:
    """The model, or one written for the purpose, against its copy in `folder`."""
    file = open_data(data)
    model = models[0] if models else str(folder / "trees.onnx")
    if not models:
        synthetic_model.write_model(Path(model))
    ref = identify_model(model, allow_pickle=settings.allow_pickle)
    if ref.family == "callable":
        raise UsageError("a self-test takes a model file", "leave it out to have one made")
    other = identify_model(str(copy_model(ref, folder)), allow_pickle=settings.allow_pickle)

    def refuse(_: object) -> Any:
        raise UsageError("a self-test races a model in its own library", "name a candidate that opens the file itself")

    (pair,) = make_pairs(
        [other], candidates, model, None, identify=lambda _: ref, to_onnx=refuse, threads=settings.threads
    )
    assert pair.baseline is not None
    rows = load_rows([pair.candidate], file, settings)
    if not models:
        columns = synthetic_model.draw_rows()
        rows = replace(rows, columns=columns, records=columns)
    return TrialGate(pair.baseline, pair.candidate, rows, settings)


def copy_model(model: ModelRef, folder: Path) -> Path:
    """A copy under another name, with the weights that lie beside the file."""
    file, copy = Path(model.path), folder / f"copy-of-{model.name}"
    shutil.copyfile(file, copy)
    for weights in find_weights(file, model.format):
        place = folder / weights.relative_to(file.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(weights, place)
    return copy
