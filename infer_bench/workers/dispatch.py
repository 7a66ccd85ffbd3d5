"""From a request's frame to that of its response."""

import functools
from collections.abc import Mapping
from typing import Any

from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.handlers.handler import Handler
from infer_bench.workers.host import Host
from infer_bench.workers.protocol import FAILURE, RESPONSE, Failure, kind_of
from infer_bench.workers.wire import Frame

GROUPS = ("requests", "timing", "profiling", "tasks", "template")
"""What the kinds of requests begin with."""


def respond(host: Host, frame: Frame) -> Frame:
    """Do what one request asks. An error is a response too: it costs the request, not the worker."""
    try:
        kind, body = RESPONSE, pack(_respond(host, frame))
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - a stranger's model or library may raise anything
        kind, body = FAILURE, pack(Failure.of(error))
    return Frame(kind, frame.number, *body)


def _respond(host: Host, frame: Frame) -> Any:
    handler = handlers_of(frame.kind.partition(".")[0]).get(frame.kind)
    if handler is None:
        raise ValueError(f"unknown request {frame.kind!r}")
    return handler.call(host, unpack(handler.request, frame.body, frame.arrays))


@functools.cache
def handlers_of(group: str) -> Mapping[str, Handler]:
    """The handlers of a group by the kind of request; none where there is no such group.

    Imported with the first request: a worker that is timed from its start does without the others.
    """
    handlers: tuple[Handler, ...] = ()
    match group:
        case "requests":
            from infer_bench.workers.handlers.sessions import HANDLERS as handlers
        case "timing":
            from infer_bench.workers.handlers.timing import HANDLERS as handlers
        case "profiling":
            from infer_bench.workers.handlers.profiling import HANDLERS as handlers
        case "tasks":
            from infer_bench.workers.handlers.tasks import HANDLERS as handlers
        case "template":
            from infer_bench.workers.handlers.template import HANDLERS as handlers
    return {kind_of(handler.request): handler for handler in handlers}
