"""One candidate's profile: each kind of run in turn, and what is known so far at any time."""

import itertools
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infer_bench.engines.onnxruntime.engine import PROFILE_TO
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.jobs import build_job
from infer_bench.measure.profile.input_records import check_keys
from infer_bench.measure.profile.phases import PhaseRound
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.schedule.fixed_rounds import WARM_LIMIT_NS
from infer_bench.measure.schedule.sampling import plan_sampling
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress
from infer_bench.report.profile import MemoryUse, OperatorCost
from infer_bench.typing import Columns
from infer_bench.workers.job import Job
from infer_bench.workers.pool import Worker
from infer_bench.workers.protocol import Message, spec_from

LEAST_ROUNDS = 30
LEAST_GIVEN_ROUNDS = 4
"""Where the number of requests is given: two rounds of each order."""
CHUNK_NS = 20_000_000
MEMORY_REQUESTS = 200
MEMORY_NS = 2_000_000_000
OPERATOR_REQUESTS = 1_000
SPLIT_NS = 1_000_000_000
GLANCE_NS = 200_000_000
"""The steps are looked at in any case, since a call of the model may be mostly a conversion of its input."""
Records = Sequence[Mapping[str, Any]]


@dataclass
class Findings:
    """All that is known of one candidate. Each part is None, empty or zero until its run has begun."""

    spec: ModelSpec | None = None
    opened: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    warm: Mapping[str, Any] = field(default_factory=dict)
    probe_ns: tuple[int, ...] = (0, 0, 0)
    floor_ns: int = 0
    rounds: list[PhaseRound] = field(default_factory=list)
    cpu_ns: int = 0
    wall_ns: int = 0
    model_calls: Mapping[str, int] = field(default_factory=dict)
    steps: list[Mapping[str, Any]] = field(default_factory=list)
    slowdowns: list[float] = field(default_factory=list)
    gathered: Mapping[str, Any] = field(default_factory=dict)
    operators: tuple[OperatorCost, ...] = ()
    operator_requests: int = 0
    memory: MemoryUse | None = None


class Study:
    """Runs one candidate in workers of its own. `findings` always holds what is known."""

    def __init__(
        self, candidate: Candidate, columns: Columns, records: Records, settings: ProfileSettings, progress: Progress
    ) -> None:
        self.candidate = candidate
        self.findings = Findings()
        self.failed = ""
        self._columns = columns
        self._records = list(records)
        self.settings = settings
        self._progress = progress

    def run(self) -> None:
        """Everything that the settings ask for. What was gathered of a run that is broken off is kept."""
        with Worker(self._job(), timeout_s=self.settings.timeout_s) as worker:
            self._cold_start(worker)
            self._phases(worker)
            self._steps(worker)
            if self.settings.profiler != "none":
                self._record(worker)
        if self.candidate.engine.name == "onnxruntime":
            self._operators()
        if self.settings.memory:
            self._memory()

    def _job(self) -> Job:
        return build_job(self.candidate, self.settings.race())

    def _tell(self, done: float, what: str) -> None:
        self._progress.update(done, f"{self.candidate.label}: {what}")

    def _open(self, worker: Worker) -> Message:
        opened = worker.open()
        if self._columns:
            worker.rows(self._columns)
        function = self.candidate.engine.name == "callable"
        worker.ask("profiling", records=self._records, batch=self.settings.batch, function=function)
        return opened

    def _ask(self, worker: Worker, what: str, seconds: float = 0.0, **fields: Any) -> Message:
        return worker.ask("profile", what=what, timeout_s=self.settings.timeout_s + seconds, **fields)

    def _cold_start(self, worker: Worker) -> None:
        found = self.findings
        self._tell(0.0, "starting")
        found.opened = self._open(worker).fields
        found.spec = spec_from(found.opened["spec"])
        check_keys(self._records, found.spec.feature_names)
        found.first = self._ask(worker, "first").fields
        self._tell(0.05, "warming up")
        found.warm = self._ask(worker, "warm", limit_ns=WARM_LIMIT_NS).fields

    def _samples(self) -> int:
        plan = plan_sampling(max(1, int(self.findings.warm["request_ns"])), "single_stream")
        return max(1, min(plan.samples * plan.calls, self.settings.wanted // LEAST_GIVEN_ROUNDS))

    def _phases(self, worker: Worker) -> None:
        """Rounds of requests without and with probes, in alternating order."""
        found, settings, samples = self.findings, self.settings, self._samples()
        until, answered = time.monotonic() + settings.limit_s, 0
        for index in itertools.count():
            reply = self._ask(worker, "phases", samples=samples, probed_first=bool(index % 2))
            if index % 8 == 0:  # after a round, which shows whether model calls are probed
                probe = self._ask(worker, "probe").fields
                found.probe_ns = tuple(int(part) for part in probe["parts_ns"])
                found.floor_ns = int(probe["request_ns"])
            found.rounds.append(PhaseRound(**reply.arrays))
            found.wall_ns += int(reply.fields["wall_ns"])
            found.cpu_ns += int(reply.fields["cpu_ns"])
            found.model_calls = reply.fields["model_calls"]
            answered += samples
            self._tell(0.1 + 0.4 * min(1.0, answered / settings.wanted), "timing the phases")
            enough = answered >= settings.wanted and (index + 1 >= LEAST_ROUNDS or settings.requests is not None)
            if enough or time.monotonic() >= until:
                return

    def _steps(self, worker: Worker) -> None:
        self._tell(0.5, "timing the library's steps")
        chunk, until = self._chunk(), time.monotonic_ns() + (SPLIT_NS if self.settings.split else GLANCE_NS)
        while not self.findings.steps or time.monotonic_ns() < until:
            self.findings.steps.append(self._ask(worker, "steps", samples=chunk).fields)

    def _chunk(self) -> int:
        """Requests that take about 20 ms."""
        return max(1, min(CHUNK_NS // max(1, int(self.findings.warm["request_ns"])), self.settings.wanted))

    def _record(self, worker: Worker) -> None:
        """Chunks under the profiler, each beside one without it. Ctrl-C keeps what was gathered."""
        found, settings, chunk = self.findings, self.settings, self._chunk()
        until, answered, begun = time.monotonic() + settings.limit_s, 0, False
        try:
            while answered < settings.wanted and (not answered or time.monotonic() < until):
                count = min(chunk, settings.wanted - answered)
                fields: dict[str, Any] = {"samples": count, "profiled_first": bool(len(found.slowdowns) % 2)}
                how: dict[str, Any] = {"profiler": settings.profiler, "interval_s": settings.interval_s}
                begun = True
                reply = self._ask(worker, "record", **fields, **how).fields
                found.slowdowns.append(int(reply["profiled_ns"]) / max(1, int(reply["bare_ns"])))
                answered += count
                self._tell(0.5 + 0.4 * min(1.0, answered / settings.wanted), f"under {settings.profiler}")
        except KeyboardInterrupt:
            if begun:
                found.gathered = self._gather(worker)
            raise
        found.gathered = self._gather(worker)

    def _gather(self, worker: Worker) -> Mapping[str, Any]:
        """Answers to requests that were broken off are passed over."""
        worker.say(Message("profile", {"what": "gathered", "form": self.settings.form}))
        while (reply := worker.hear("gathered", self.settings.timeout_s)).kind != "gathered":
            pass
        return reply.fields

    def _operators(self) -> None:
        """A session of its own, in a fresh worker, that profiles itself."""
        self._tell(0.9, "timing the operators")
        with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
            job = self._job()
            options = {**job.options, PROFILE_TO: str(Path(folder) / "operators")}
            with Worker(replace(job, options=options), timeout_s=self.settings.timeout_s) as worker:
                self._open(worker)
                count = max(1, min(OPERATOR_REQUESTS, self.settings.wanted, int(MEMORY_NS // self._request_ns())))
                reply = self._ask(worker, "operators", samples=count).fields
        self.findings.operators = _costs(reply["rows"], count)
        self.findings.operator_requests = count

    def _request_ns(self) -> int:
        return max(1, int(self.findings.warm["request_ns"]))

    def _memory(self) -> None:
        self._tell(0.95, "looking at memory")
        with Worker(self._job(), timeout_s=self.settings.timeout_s) as worker:
            start = _resident(worker)
            self._open(worker)
            loaded = _resident(worker)
            self._ask(worker, "first")
            first = _resident(worker)
            self._ask(worker, "warm", limit_ns=WARM_LIMIT_NS // 4)
            steady = _resident(worker)
            count = max(1, min(MEMORY_REQUESTS, int(MEMORY_NS // (10 * self._request_ns()))))
            told = self._ask(worker, "memory", samples=count).fields
        sizes = {key: int(told[key]) for key in ("peak_bytes", "retained_bytes", "requests")}
        self.findings.memory = MemoryUse(start, loaded, first, steady, **sizes)

    @property
    def slowdown(self) -> float | None:
        """How many times longer a request takes under the profiler: the median over chunks."""
        return statistics.median(self.findings.slowdowns) if self.findings.slowdowns else None


def _resident(worker: Worker) -> int:
    return int(worker.ask("memory").fields["rss_bytes"])


def _costs(rows: Sequence[Sequence[Any]], requests: int) -> tuple[OperatorCost, ...]:
    costs = [OperatorCost(r[0], r[1], r[2], int(r[3]), round(int(r[4]) / requests)) for r in rows]
    return tuple(sorted(costs, key=lambda cost: (-cost.mean_ns, cost.name)))
