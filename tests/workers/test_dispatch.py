"""Every request has one handler, which gives the response that the request names."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

from infer_bench.workers.codec import pack
from infer_bench.workers.dispatch import HANDLERS, Handler, respond
from infer_bench.workers.host import Host
from infer_bench.workers.protocol import Request, SessionRequest
from infer_bench.workers.requests import MeasureMemory, ReadDomain
from infer_bench.workers.wire import Frame


def requests(kind: type[Any] = Request) -> Iterator[type[Request[Any]]]:
    for below in kind.__subclasses__():
        if below.__name__ != SessionRequest.__name__ and below.__module__.startswith("infer_bench."):
            yield below
        yield from requests(below)


def test_no_request_is_without_a_handler() -> None:
    handled = [handler.request for handler in HANDLERS]
    assert len(handled) == len(set(handled))
    assert {request.__name__ for request in requests()} == {request.__name__ for request in handled}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.request.__name__)
def test_a_handler_takes_its_request_and_gives_its_response(handler: Handler) -> None:
    hints = get_type_hints(handler.function)
    (base,) = handler.request.__orig_bases__  # type: ignore[attr-defined]
    assert hints.pop("return") in get_args(base)
    assert list(hints.values())[-1] is handler.request
    assert handler.request.title


def test_a_worker_without_a_model_says_so() -> None:
    frame = respond(Host(), Frame("ReadDomain", 3, *pack(ReadDomain())))
    assert (frame.kind, frame.number, frame.body["message"]) == ("failure", 3, "ValueError: no model was opened")


def test_a_request_that_is_not_understood_costs_itself_alone() -> None:
    host = Host()
    assert respond(host, Frame("MeasureMemory", 0, {"much": 1})).kind == "failure"
    assert respond(host, Frame("MeasureMemory", 1, *pack(MeasureMemory()))).kind == "response"
