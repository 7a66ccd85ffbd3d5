"""From a request's frame to that of its response."""

import functools
from collections.abc import Mapping
from typing import Any

from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.handlers.handler import Handler
from infer_bench.workers.host import Host
from infer_bench.workers.protocol import FAILURE, RESPONSE, Failure, kind_of
from infer_bench.workers.wire import Frame

GROUPS = ("requests", "timing", "profiling", "tables", "networks", "files", "template")
"""The handlers that are imported together. Most kinds of requests begin with their group."""
_TABLES = ("feed_dtype", "float64", "predict_batches", "predict_table", "unseen_categories")
_NETWORKS = ("batch_invariance", "draw_requests", "network_outputs", "quantize", "time_networks")


def respond(host: Host, frame: Frame) -> Frame:
    """Do what one request asks. An error is a response too: it costs the request, not the worker."""
    try:
        kind, body = RESPONSE, pack(_respond(host, frame))
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - a stranger's model or library may raise anything
        kind, body = FAILURE, pack(Failure.of(error))
    return Frame(kind, frame.number, *body)


def _respond(host: Host, frame: Frame) -> Any:
    handler = handlers_of(find_group(frame.kind)).get(frame.kind)
    if handler is None:
        raise ValueError(f"unknown request {frame.kind!r}")
    return handler.call(host, unpack(handler.request, frame.body, frame.arrays))


def find_group(kind: str) -> str:
    """The group of a kind of requests. Tasks have three, since all of them take longer to import than NumPy."""
    group, _, name = kind.partition(".")
    if group != "tasks":
        return group
    module = name.partition(".")[0]
    return "tables" if module in _TABLES else "networks" if module in _NETWORKS else "files"


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
        case "tables":
            from infer_bench.workers.handlers.tables import HANDLERS as handlers
        case "networks":
            from infer_bench.workers.handlers.networks import HANDLERS as handlers
        case "files":
            from infer_bench.workers.handlers.files import HANDLERS as handlers
        case "template":
            from infer_bench.workers.handlers.template import HANDLERS as handlers
    return {kind_of(handler.request): handler for handler in handlers}
