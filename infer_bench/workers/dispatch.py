"""Who answers which request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from infer_bench.engines.base import Session
from infer_bench.workers import requests as about_sessions
from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.host import Host
from infer_bench.workers.profiling import requests as profiling
from infer_bench.workers.profiling.runs import Profiling
from infer_bench.workers.protocol import FAILURE, RESPONSE, Failure, Request, SessionRequest
from infer_bench.workers.tasks.convert import ConvertModel, convert_model
from infer_bench.workers.tasks.feed_dtype import DescribeFeed, describe_feed
from infer_bench.workers.tasks.pipeline_steps import PredictInFloat32, RunSteps, predict_in_float32, run_steps
from infer_bench.workers.tasks.predict_batches import PredictBatch, PredictRecords, predict_batch, predict_records
from infer_bench.workers.tasks.predict_table import PredictTable, predict_table
from infer_bench.workers.tasks.read_trees import ReadTrees, read_trees
from infer_bench.workers.timing import requests as timing
from infer_bench.workers.timing.hosted_session import HostedSession
from infer_bench.workers.wire import Frame

Q = TypeVar("Q", bound=Request[Any])
S = TypeVar("S", bound=SessionRequest[Any])
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Handler:
    """What answers the requests of one type; `function` is the one that does the work, `call` finds what it needs."""

    request: type[Request[Any]]
    function: Callable[..., Any]
    call: Callable[[Host, Any], Any]


def _of_host(kind: type[Q], function: Callable[[Host, Q], R]) -> Handler:
    return Handler(kind, function, function)


def _of_session(kind: type[S], function: Callable[[HostedSession, S], R]) -> Handler:
    return Handler(kind, function, lambda host, request: function(host.session(request.session), request))


def _of_model(kind: type[S], function: Callable[[Session, S], R]) -> Handler:
    return Handler(kind, function, lambda host, request: function(host.session(request.session).model, request))


def _of_profile(kind: type[Q], function: Callable[[Profiling, Q], R]) -> Handler:
    return Handler(kind, function, lambda host, request: function(host.profiling, request))


def _alone(kind: type[Q], function: Callable[[Q], R]) -> Handler:
    return Handler(kind, function, lambda _, request: function(request))


HANDLERS = (
    _of_host(about_sessions.LoadModel, Host.load_model),
    _of_host(about_sessions.SetRows, Host.set_rows),
    _of_host(about_sessions.ShareRows, Host.share_rows),
    _of_host(about_sessions.CloseSession, Host.close_session),
    _of_host(about_sessions.ReadDomain, Host.read_domain),
    _of_host(about_sessions.MeasureMemory, Host.measure_memory),
    _of_host(about_sessions.DescribeEnvironment, Host.describe_environment),
    _of_session(timing.TimeFirstRequest, HostedSession.time_first_request),
    _of_session(timing.WarmUp, HostedSession.warm_up),
    _of_session(timing.TimeBlock, HostedSession.time_block),
    _of_session(timing.PredictRows, HostedSession.predict_rows),
    _of_session(timing.InjectDelay, HostedSession.inject_delay),
    _of_host(timing.TimeRounds, Host.time_rounds),
    _of_model(PredictTable, predict_table),
    _of_model(PredictBatch, predict_batch),
    _of_model(PredictRecords, predict_records),
    _of_model(PredictInFloat32, predict_in_float32),
    _of_model(RunSteps, run_steps),
    _of_model(DescribeFeed, describe_feed),
    _alone(ConvertModel, convert_model),
    _alone(ReadTrees, read_trees),
    _of_host(profiling.PrepareProfile, Host.prepare_profile),
    _of_profile(profiling.ProfileFirstRequest, Profiling.time_first_request),
    _of_profile(profiling.ProfileWarmUp, Profiling.warm_up),
    _of_profile(profiling.TimePhases, Profiling.time_phases),
    _of_profile(profiling.MeasureProbes, Profiling.measure_probes),
    _of_profile(profiling.TimeSteps, Profiling.time_steps),
    _of_profile(profiling.RunProfiler, Profiling.run_profiler),
    _of_profile(profiling.CollectProfile, Profiling.collect),
    _of_profile(profiling.MeasureAllocations, Profiling.measure_allocations),
    _of_profile(profiling.TimeOperators, Profiling.time_operators),
)
_BY_KIND: Mapping[str, Handler] = {handler.request.__name__: handler for handler in HANDLERS}


def respond(host: Host, frame: Frame) -> Frame:
    """Do what one request asks. An error is a response too: it costs the request, not the worker."""
    try:
        kind, body = RESPONSE, pack(_respond(host, frame))
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - a stranger's model or library may raise anything
        kind, body = FAILURE, pack(Failure.of(error))
    return Frame(kind, frame.number, *body)


def _respond(host: Host, frame: Frame) -> Any:
    handler = _BY_KIND.get(frame.kind)
    if handler is None:
        raise ValueError(f"unknown request {frame.kind!r}")
    return handler.call(host, unpack(handler.request, frame.body, frame.arrays))
