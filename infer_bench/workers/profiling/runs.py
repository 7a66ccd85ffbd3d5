"""One candidate's profile inside its worker: rounds of timed phases, and runs under a profiler, each on its own."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.engines.base import Request, Session
from infer_bench.errors import EngineError
from infer_bench.typing import TensorRequest
from infer_bench.workers.profiling.allocations import measure_allocations
from infer_bench.workers.profiling.model_boundary import ModelBoundary
from infer_bench.workers.profiling.operators import read_operators
from infer_bench.workers.profiling.profilers import Profiler, create_profiler
from infer_bench.workers.profiling.requests import (
    Allocations,
    CollectProfile,
    MeasureAllocations,
    MeasureProbes,
    OperatorTimes,
    PhaseTimes,
    ProbeCost,
    ProfileFirstRequest,
    ProfilerChunk,
    ProfilerOutput,
    ProfileWarmUp,
    RunProfiler,
    StepTimes,
    TimeOperators,
    TimePhases,
    TimeSteps,
)
from infer_bench.workers.profiling.steps import StepTimer
from infer_bench.workers.timing.loop import (
    Clock,
    Cycle,
    PhaseSamples,
    Stages,
    measure_floor,
    time_calls,
    time_phases,
)
from infer_bench.workers.timing.requests import FirstRequest, Warmth
from infer_bench.workers.timing.run_queue import take_off_waits
from infer_bench.workers.timing.runner import warm_up

CALIBRATION = 501


class Profiling:
    """The runs of a profile. `function`: the session is a user's function, divided at its model calls."""

    def __init__(self, session: Session, requests: Sequence[Request], *, function: bool, clock: Clock) -> None:
        self._session = session
        tensors = bool(requests) and isinstance(requests[0], TensorRequest)
        self._stages = Stages.of(session, tensors=tensors)
        self._cycle = Cycle(requests)
        self._boundary = ModelBoundary(clock) if function else None
        if self._boundary is not None:
            self._boundary.watch(getattr(session, "loop", None))
        self._clock = clock
        self._profiler: Profiler | None = None
        self._requests_profiled = 0

    def time_first_request(self, _: ProfileFirstRequest) -> FirstRequest:
        """See `ProfileFirstRequest`."""
        request_ns = int(time_calls(self._stages, self._cycle.take(1), self._clock)[0])
        return FirstRequest(request_ns, self._clock())

    def warm_up(self, request: ProfileWarmUp) -> Warmth:
        """See `ProfileWarmUp`."""
        return warm_up(self._stages, self._cycle, request.limit_ns, self._clock)

    def time_phases(self, request: TimePhases) -> PhaseTimes:
        """See `TimePhases`."""
        requests = self._cycle.take(request.samples)
        if self._boundary is not None:
            self._boundary.install()
        phases = self._with_probes(requests) if request.probed_first else None
        cpu, start = time.process_time_ns(), self._clock()
        bare = time_calls(self._stages, requests, self._clock)
        wall_ns, cpu_ns = self._clock() - start, time.process_time_ns() - cpu
        phases = phases or self._with_probes(requests)
        calls = dict(self._boundary.names) if self._boundary else {}
        waiting = np.array(self._boundary.waiting if self._boundary else [0] * len(bare), dtype=np.int64)
        parts = phases.preprocess, phases.predict, phases.postprocess, waiting
        return PhaseTimes(bare, *parts, wall_ns, cpu_ns, calls)

    def _with_probes(self, requests: Sequence[Request]) -> PhaseSamples:
        if self._boundary is None:
            return time_phases(self._stages, requests, self._clock)
        return self._boundary.time_phases(self._stages, requests)

    def measure_probes(self, _: MeasureProbes) -> ProbeCost:
        """See `MeasureProbes`."""
        if self._boundary is not None:
            cost = self._boundary.measure_cost()
            return replace(cost, request_ns=measure_floor(self._clock) + cost.request_ns)
        empty, call = Stages(_same, _same, _same), self._measure_bare_call()
        phases = time_phases(empty, [None] * CALIBRATION, self._clock)
        before, inside, after = (
            max(0, round(float(np.median(part)) - call))
            for part in (phases.preprocess, phases.predict, phases.postprocess)
        )
        return ProbeCost((before, inside, after), measure_floor(self._clock))

    def _measure_bare_call(self) -> float:
        """What calling a function that does nothing takes, which is the request's own."""
        bare = time_calls(Stages(_same, _same, _same), [None] * CALIBRATION, self._clock)
        return max(0.0, float(np.median(bare)) - measure_floor(self._clock, CALIBRATION)) / 3

    def time_steps(self, request: TimeSteps) -> StepTimes:
        """See `TimeSteps`."""
        self._remove_probes()
        requests = self._cycle.take(request.samples)
        bare_ns = self._time(requests)
        timer = StepTimer(self._clock, function=self._boundary is not None)
        probed_ns = timer.time_requests(self._stages, requests)
        return StepTimes(timer.steps, timer.phases, request.samples, bare_ns, probed_ns)

    def run_profiler(self, request: RunProfiler) -> ProfilerChunk:
        """See `RunProfiler`."""
        self._remove_probes()
        if self._profiler is None:
            self._profiler = create_profiler(request.profiler, request.interval_s)
        requests, profiler = self._cycle.take(request.samples), self._profiler

        def time_bare() -> int:
            return take_off_waits(lambda: self._time(requests))

        bare_ns = 0 if request.profiled_first else time_bare()
        all_ns, own_ns = time.process_time_ns(), time.thread_time_ns()
        profiled_ns = take_off_waits(lambda: profiler.profile(self._stages, requests, self._clock))
        all_ns, own_ns = time.process_time_ns() - all_ns, time.thread_time_ns() - own_ns
        bare_ns = bare_ns or time_bare()
        self._requests_profiled += request.samples
        return ProfilerChunk(bare_ns, profiled_ns, self._requests_profiled, profiler.was_ended, all_ns, own_ns)

    def _remove_probes(self) -> None:
        if self._boundary is not None:
            self._boundary.remove()

    def _time(self, requests: Sequence[Request]) -> int:
        preprocess, predict, postprocess = self._stages.preprocess, self._stages.predict, self._stages.postprocess
        start = self._clock()
        for request in requests:
            postprocess(predict(preprocess(request)))
        return self._clock() - start

    def collect(self, request: CollectProfile) -> ProfilerOutput:
        """See `CollectProfile`."""
        if self._profiler is None:
            raise EngineError("nothing was profiled")
        return replace(self._profiler.collect(request.form), requests=self._requests_profiled)

    def measure_allocations(self, request: MeasureAllocations) -> Allocations:
        """See `MeasureAllocations`."""
        return measure_allocations(self._stages, self._cycle.take(request.samples), self._clock)

    def time_operators(self, request: TimeOperators) -> OperatorTimes:
        """See `TimeOperators`. Raises `EngineError` for a session that does not profile itself."""
        self._time(self._cycle.take(request.samples))
        end = getattr(self._session, "end_profiling", None)
        if end is None:
            raise EngineError("this session has no operators to time")
        return OperatorTimes(read_operators(end()), request.samples)


def _same(value: Any) -> Any:
    return value
