"""The handlers of requests for a profile."""

from infer_bench.workers.handlers.handler import of_host, of_profile
from infer_bench.workers.host import Host
from infer_bench.workers.profiling.requests import (
    CollectProfile,
    MeasureAllocations,
    MeasureProbes,
    PrepareProfile,
    ProfileFirstRequest,
    ProfileWarmUp,
    RunProfiler,
    TimeOperators,
    TimePhases,
    TimeSteps,
)
from infer_bench.workers.profiling.runs import Profiling

HANDLERS = (
    of_host(PrepareProfile, Host.prepare_profile),
    of_profile(ProfileFirstRequest, Profiling.time_first_request),
    of_profile(ProfileWarmUp, Profiling.warm_up),
    of_profile(TimePhases, Profiling.time_phases),
    of_profile(MeasureProbes, Profiling.measure_probes),
    of_profile(TimeSteps, Profiling.time_steps),
    of_profile(RunProfiler, Profiling.run_profiler),
    of_profile(CollectProfile, Profiling.collect),
    of_profile(MeasureAllocations, Profiling.measure_allocations),
    of_profile(TimeOperators, Profiling.time_operators),
)
