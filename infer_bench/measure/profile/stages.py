"""One candidate's profile: each kind of run in turn, and what is known so far at any time."""

import contextlib
import itertools
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from infer_bench.engines.onnxruntime.providers import PROFILE_TO
from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.profile.input_records import check_keys
from infer_bench.measure.profile.phases import PhaseRound
from infer_bench.measure.profile.requests import Requests
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.schedule.fixed_rounds import WARM_LIMIT_NS
from infer_bench.measure.schedule.sampling import plan_sampling
from infer_bench.progress import Progress
from infer_bench.report.profile import MemoryUse, OperatorCost
from infer_bench.workers.job import Job
from infer_bench.workers.process import Worker
from infer_bench.workers.profiling.requests import (
    CollectProfile,
    MeasureAllocations,
    MeasureProbes,
    OperatorTime,
    PrepareProfile,
    ProfileFirstRequest,
    ProfilerOutput,
    ProfileWarmUp,
    RunProfiler,
    StepTimes,
    TimeOperators,
    TimePhases,
    TimeSteps,
)
from infer_bench.workers.requests import LoadedModel, MeasureMemory, SetRows
from infer_bench.workers.timing.requests import FirstRequest, Warmth

LEAST_ROUNDS = 30
LEAST_GIVEN_ROUNDS = 4
"""Where the number of requests is given: two rounds of each order."""
CHUNK_NS = 20_000_000
MEMORY_REQUESTS = 200
MEMORY_NS = 2_000_000_000
OPERATOR_REQUESTS = 1_000
SPLIT_NS = 1_000_000_000
LAST_WORD_S = 1.0
"""How long a run that is broken off waits for what the profiler has seen: whoever asks for an end gets it."""
GLANCE_NS = 200_000_000
"""The steps are looked at in any case, since a call of the model may be mostly a conversion of its input."""


@dataclass
class Findings:
    """All that is known of one candidate. Each part is None, empty or zero until its stage has begun.

    `profiler_ended`: the candidate ended the profiler, so that what this has seen is not a request.
    """

    model: LoadedModel | None = None
    first: FirstRequest | None = None
    warm: Warmth | None = None
    probe_ns: tuple[int, ...] = (0, 0, 0)
    floor_ns: int = 0
    rounds: list[PhaseRound] = field(default_factory=list)
    cpu_ns: int = 0
    wall_ns: int = 0
    model_calls: Mapping[str, int] = field(default_factory=dict)
    steps: list[StepTimes] = field(default_factory=list)
    slowdowns: list[float] = field(default_factory=list)
    profiler_ended: bool = False
    profiled_cpu_ns: int = 0
    own_cpu_ns: int = 0
    profiler_output: ProfilerOutput = field(default_factory=lambda: ProfilerOutput(()))
    operators: tuple[OperatorCost, ...] = ()
    operator_requests: int = 0
    memory: MemoryUse | None = None

    @property
    def slowdown(self) -> float | None:
        """How many times longer a request takes under the profiler: the median over chunks."""
        return statistics.median(self.slowdowns) if self.slowdowns else None

    @property
    def other_threads_share(self) -> float:
        """The part of the CPU time under the profiler that was not the answering thread's."""
        return max(0.0, 1 - self.own_cpu_ns / self.profiled_cpu_ns) if self.profiled_cpu_ns else 0.0


class CandidateRun:
    """Profiles one candidate in workers of its own, stage by stage. `findings` always holds what is known.

    `failure` says why the stages were not all gone through, where they were not.
    """

    def __init__(self, candidate: Candidate, requests: Requests, settings: ProfileSettings, progress: Progress) -> None:
        self.candidate, self.settings = candidate, settings
        self.findings = Findings()
        self.failure = ""
        self._requests = requests
        self.inputs = requests.inputs
        self._progress = progress

    def measure(self) -> None:
        """Everything that the settings ask for. What is known of a run that is broken off stays in `findings`."""
        with Worker(self._job(), timeout_s=self.settings.timeout_s) as worker:
            self._start(worker)
            self._time_phases(worker)
            self._time_steps(worker)
            if self.settings.profiler != "none":
                self._run_profiler(worker)
        if self.candidate.engine.name == "onnxruntime":
            self._time_operators()
        if self.settings.memory:
            self._measure_memory()

    def _job(self) -> Job:
        return build_job(self.candidate, self.settings.as_bench_settings())

    def _report_progress(self, share: float, what: str) -> None:
        self._progress.update(share, f"{self.candidate.label}: {what}")

    def _open(self, worker: Worker) -> LoadedModel:
        model = worker.open()
        if self._requests.columns:
            worker.ask(SetRows(self._requests.columns))
        function = self.candidate.engine.name == "callable"
        worker.ask(PrepareProfile(tuple(self._requests.records), self.settings.batch, function))
        return model

    def _start(self, worker: Worker) -> None:
        findings = self.findings
        self._report_progress(0.0, "starting")
        findings.model = self._open(worker)
        check_keys(self._requests.records, findings.model.spec.feature_names)
        findings.first = worker.ask(ProfileFirstRequest())
        self._report_progress(0.05, "warming up")
        findings.warm = worker.ask(ProfileWarmUp(WARM_LIMIT_NS))

    def _samples(self) -> int:
        plan = plan_sampling(self._request_ns(), "single_stream")
        return max(1, min(plan.samples * plan.calls, self.settings.target_requests // LEAST_GIVEN_ROUNDS))

    def _time_phases(self, worker: Worker) -> None:
        """Rounds of requests without and with probes, in alternating order."""
        findings, settings, samples = self.findings, self.settings, self._samples()
        until, requests = time.monotonic() + settings.limit_s, 0
        for index in itertools.count():
            times = worker.ask(TimePhases(samples, probed_first=bool(index % 2)))
            if index % 8 == 0:  # after a round, which shows whether model calls are probed
                cost = worker.ask(MeasureProbes())
                findings.probe_ns, findings.floor_ns = cost.phases_ns, cost.request_ns
            parts = times.preprocess, times.predict, times.postprocess, times.waiting
            findings.rounds.append(PhaseRound(times.request, *parts))
            findings.wall_ns += times.wall_ns
            findings.cpu_ns += times.cpu_ns
            findings.model_calls = times.model_calls
            requests += samples
            self._report_progress(0.1 + 0.4 * min(1.0, requests / settings.target_requests), "timing the phases")
            enough = requests >= settings.target_requests and (
                index + 1 >= LEAST_ROUNDS or settings.requests is not None
            )
            if enough or time.monotonic() >= until:
                return

    def _time_steps(self, worker: Worker) -> None:
        self._report_progress(0.5, "timing the library's steps")
        chunk, until = self._chunk(), time.monotonic_ns() + (SPLIT_NS if self.settings.split else GLANCE_NS)
        while not self.findings.steps or time.monotonic_ns() < until:
            self.findings.steps.append(worker.ask(TimeSteps(chunk)))

    def _chunk(self) -> int:
        """Requests that take about 20 ms, a part of them at the most: of one chunk alone no typical ratio is known."""
        return max(1, min(CHUNK_NS // self._request_ns(), self.settings.target_requests // LEAST_GIVEN_ROUNDS))

    def _run_profiler(self, worker: Worker) -> None:
        """Chunks under the profiler, each beside one without it. Ctrl-C keeps what the profiler has seen."""
        findings, settings, chunk = self.findings, self.settings, self._chunk()
        until, requests, is_profiling = time.monotonic() + settings.limit_s, 0, False
        try:
            while requests < settings.target_requests and (not requests or time.monotonic() < until):
                count = min(chunk, settings.target_requests - requests)
                profiled_first, is_profiling = bool(len(findings.slowdowns) % 2), True
                times = worker.ask(RunProfiler(count, settings.profiler, settings.interval_s, profiled_first))
                if times.was_ended:
                    findings.profiler_ended, findings.slowdowns = True, []
                    return
                findings.slowdowns.append(times.profiled_ns / max(1, times.bare_ns))
                findings.profiled_cpu_ns += times.cpu_ns
                findings.own_cpu_ns += times.own_cpu_ns
                requests += count
                share = min(1.0, requests / settings.target_requests)
                self._report_progress(0.5 + 0.4 * share, f"under {settings.profiler}")
        except KeyboardInterrupt:
            with contextlib.suppress(InferBenchError):
                if is_profiling:
                    findings.profiler_output = worker.ask(CollectProfile(settings.form), timeout_s=LAST_WORD_S)
            raise
        findings.profiler_output = worker.ask(CollectProfile(settings.form))

    def _time_operators(self) -> None:
        """A session of its own, in a fresh worker, that profiles itself."""
        self._report_progress(0.9, "timing the operators")
        with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
            job = self._job()
            options = {**job.options, PROFILE_TO: str(Path(folder) / "operators")}
            with Worker(replace(job, options=options), timeout_s=self.settings.timeout_s) as worker:
                self._open(worker)
                most = min(OPERATOR_REQUESTS, self.settings.target_requests)
                count = max(1, min(most, MEMORY_NS // self._request_ns()))
                times = worker.ask(TimeOperators(count))
        self.findings.operators = _costs(times.operators, count)
        self.findings.operator_requests = count

    def _request_ns(self) -> int:
        return max(1, self.findings.warm.request_ns) if self.findings.warm else 1

    def _measure_memory(self) -> None:
        self._report_progress(0.95, "looking at memory")
        with Worker(self._job(), timeout_s=self.settings.timeout_s) as worker:
            start = _resident(worker)
            self._open(worker)
            after_load = _resident(worker)
            worker.ask(ProfileFirstRequest())
            first = _resident(worker)
            worker.ask(ProfileWarmUp(WARM_LIMIT_NS // 4))
            steady = _resident(worker)
            count = max(1, min(MEMORY_REQUESTS, MEMORY_NS // (10 * self._request_ns())))
            allocations = worker.ask(MeasureAllocations(count))
        self.findings.memory = MemoryUse(start, after_load, first, steady, **asdict(allocations))


def _resident(worker: Worker) -> int:
    return worker.ask(MeasureMemory()).rss_bytes


def _costs(times: Sequence[OperatorTime], requests: int) -> tuple[OperatorCost, ...]:
    costs = [OperatorCost(t.name, t.type, t.provider, t.calls, round(t.total_ns / requests), t.shape) for t in times]
    return tuple(sorted(costs, key=lambda cost: (-cost.mean_ns, cost.name)))
