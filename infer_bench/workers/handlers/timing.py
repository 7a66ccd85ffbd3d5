"""The handlers of requests that take time on a clock."""

from infer_bench.workers.handlers.handler import of_host, of_session
from infer_bench.workers.host import Host
from infer_bench.workers.timing.hosted_session import HostedSession
from infer_bench.workers.timing.requests import (
    InjectDelay,
    MakeRequests,
    PredictRows,
    TimeBlock,
    TimeChangedRows,
    TimeFirstRequest,
    TimeRounds,
    WarmUp,
)

HANDLERS = (
    of_session(TimeFirstRequest, HostedSession.time_first_request),
    of_session(MakeRequests, HostedSession.make_requests),
    of_session(WarmUp, HostedSession.warm_up),
    of_session(TimeBlock, HostedSession.time_block),
    of_session(TimeChangedRows, HostedSession.time_changed_rows),
    of_session(PredictRows, HostedSession.predict_rows),
    of_session(InjectDelay, HostedSession.inject_delay),
    of_host(TimeRounds, Host.time_rounds),
)
