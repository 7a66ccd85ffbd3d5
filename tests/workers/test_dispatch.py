"""Every request has one handler, which gives the response that the request names."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

from infer_bench.workers.dispatch import GROUPS, find_group, handlers_of, respond
from infer_bench.workers.handlers.handler import Handler
from infer_bench.workers.host import Host
from infer_bench.workers.profiling.requests import PrepareProfile
from infer_bench.workers.protocol import Request, SessionRequest, kind_of, request_frame
from infer_bench.workers.requests import MeasureMemory, ReadDomain
from infer_bench.workers.template.requests import ForkedWorkerId, ForkWorker
from infer_bench.workers.wire import Frame

HANDLERS = [handler for group in GROUPS for handler in handlers_of(group).values()]


def requests(kind: type[Any] = Request) -> Iterator[type[Request[Any]]]:
    for below in kind.__subclasses__():
        if below.__name__ != SessionRequest.__name__ and below.__module__.startswith("infer_bench."):
            yield below
        yield from requests(below)


def test_no_request_is_without_a_handler() -> None:
    kinds = [kind_of(handler.request) for handler in HANDLERS]
    assert len(kinds) == len(set(kinds))
    assert {kind_of(request) for request in requests()} == set(kinds)


def test_every_request_is_looked_for_where_its_handler_is() -> None:
    for group in GROUPS:
        assert {find_group(kind) for kind in handlers_of(group)} == {group}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.request.__name__)
def test_a_handler_takes_its_request_and_gives_its_response(handler: Handler) -> None:
    later = {kind.__name__: kind for kind in (PrepareProfile, ForkWorker, ForkedWorkerId)}
    hints = get_type_hints(handler.function, localns=later)
    (base,) = handler.request.__orig_bases__  # type: ignore[attr-defined]
    assert hints.pop("return") in get_args(base)
    assert list(hints.values())[-1] is handler.request
    assert handler.request.title


def test_a_worker_without_a_model_says_so() -> None:
    frame = respond(Host(), request_frame(3, ReadDomain()))
    assert (frame.kind, frame.number, frame.body["message"]) == ("failure", 3, "ValueError: no model was opened")


def test_a_request_that_is_not_understood_costs_itself_alone() -> None:
    host = Host()
    assert respond(host, Frame(kind_of(MeasureMemory), 0, {"much": 1})).kind == "failure"
    assert respond(host, request_frame(1, MeasureMemory())).kind == "response"


def test_a_worker_that_predicts_tables_imports_nothing_of_networks_and_converters() -> None:
    code = (
        "import sys; from infer_bench.workers.dispatch import handlers_of; handlers_of('tables'); print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "infer_bench.workers.tasks.predict_batches" in modules
    others = ("convert", "quantize", "draw_requests", "batch_invariance", "model_forms")
    assert not {f"infer_bench.workers.tasks.{name}" for name in others} & set(modules)


def test_a_worker_imports_what_it_times_and_no_more() -> None:
    code = "import sys, infer_bench.workers.server; from infer_bench.workers.dispatch import handlers_of; "
    code += "handlers_of('requests'), handlers_of('timing'); print(*sys.modules)"
    modules = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert "infer_bench.workers.timing.runner" in modules
    assert not modules & {"msgspec", "typer", "rich", "pandas", "infer_bench.report", "infer_bench.converters"}
    assert not modules & {"infer_bench.trees", "infer_bench.workers.profiling", "infer_bench.workers.tasks"}
