"""What the profilers record: exact counts, a speedscope file after its schema, a page that needs no network."""

import asyncio
import html.parser
import json
import re
import sys
from typing import Any, cast

import jsonschema
import numpy as np
import pytest

import infer_bench.engines.callable
from infer_bench.engines.base import Request
from infer_bench.workers.profiling.operators import sum_operators
from infer_bench.workers.profiling.profilers import create_profiler
from infer_bench.workers.profiling.requests import OperatorTime, ProfilerOutput, RunProfiler
from infer_bench.workers.profiling.runs import Profiling
from infer_bench.workers.timing.loop import Stages
from infer_bench.workers.timing.run_queue import take_off_waits
from tests.fakes import FakeClock, FakeSession

SPEEDSCOPE = {
    "type": "object",
    "required": ["$schema", "profiles", "shared"],
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "shared": {
            "type": "object",
            "required": ["frames"],
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "file": {"type": ["string", "null"]},
                            "line": {"type": ["number", "null"]},
                        },
                    },
                }
            },
        },
        "profiles": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "name", "unit", "startValue", "endValue", "events"],
                "properties": {
                    "type": {"const": "evented"},
                    "unit": {"enum": ["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]},
                    "events": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["type", "at", "frame"],
                            "properties": {
                                "type": {"enum": ["O", "C"]},
                                "at": {"type": "number"},
                                "frame": {"type": "integer", "minimum": 0},
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The part of speedscope's file format that an evented profile uses."""


def heavy(value: int) -> int:
    return sum(i * i for i in range(value))


def light(value: int) -> int:
    return value


STAGES = Stages(light, heavy, light)


def record(profiler: str, form: str = "", count: int = 40) -> ProfilerOutput:
    profiler_ = create_profiler(profiler, 0.0005)
    for _ in range(3):
        assert profiler_.profile(STAGES, cast("list[Request]", [20_000] * count), FakeClock(1)) > 0
    return profiler_.collect(form)


def test_cprofile_counts_are_exact_over_all_runs_and_only_of_the_request() -> None:
    functions = {function.name: function for function in record("cprofile", count=5).functions}
    assert functions["heavy"].calls == 15
    assert functions["light"].calls == 30
    assert functions["<genexpr>"].calls == 15 * 20_001
    # From Python 3.12 on cProfile sees every thread: the one that receives for pytest-xdist may have read meanwhile.
    callers = {caller.name for caller in functions["<genexpr>"].callers if "execnet" not in caller.file}
    assert callers <= {"<built-in method builtins.sum>"}
    assert functions["<genexpr>"].callers
    assert not any("Profiler" in name or name == "profile" for name in functions)


def test_pyinstrument_finds_the_hot_function_and_keeps_the_workers_frames_out() -> None:
    functions = record("pyinstrument").functions
    (heavy_,) = (function for function in functions if function.name == "heavy")
    assert heavy_.cumulative_s > 0.8 * sum(function.own_s for function in functions)
    own = ("profiling/profilers.py", "pyinstrument/profiler.py")
    assert not any(function.file.endswith(own) for function in functions)


def test_speedscope_validates_and_every_frame_that_opens_closes() -> None:
    text = record("pyinstrument", "speedscope").text
    document = json.loads(text)
    jsonschema.validate(document, SPEEDSCOPE)
    frames = len(document["shared"]["frames"])
    for profile in document["profiles"]:
        stack, at = [], profile["startValue"]
        for event in profile["events"]:
            assert event["frame"] < frames
            assert event["at"] >= at
            at = event["at"]
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert stack.pop() == event["frame"]
        assert stack == []


def end_profiler(value: int) -> int:
    sys.setprofile(None)
    return value


def test_a_request_that_ends_the_profiler_is_told() -> None:
    is_ended_by_it = sys.version_info < (3, 12)  # from then on cProfile sets no profile function
    profiling = create_profiler("cprofile", 0.0005)
    profiling.profile(STAGES, cast("list[Request]", [10]), FakeClock(1))
    assert not profiling.was_ended
    profiling.profile(Stages(light, end_profiler, light), cast("list[Request]", [10]), FakeClock(1))
    profiling.profile(STAGES, cast("list[Request]", [10]), FakeClock(1))
    assert profiling.was_ended == is_ended_by_it


@pytest.mark.parametrize("waits", [(100, 700), (None, 700), (100, None), (0, 5_000)])
def test_waiting_for_a_cpu_is_no_time_of_a_chunk(waits: tuple[int | None, int | None]) -> None:
    readings = iter(waits)
    expected = {(100, 700): 400, (0, 5_000): 1}.get(cast("tuple[int, int]", waits), 1_000)
    assert take_off_waits(lambda: 1_000, lambda: next(readings)) == expected


class References(html.parser.HTMLParser):
    references: list[str]
    policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.references += [attributes[key] or "" for key in ("src", "href", "data", "action") if key in attributes]
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"] or ""


def test_the_page_refers_to_nothing_outside_and_may_not() -> None:
    page = record("pyinstrument", "pyinstrument").text
    parser = References()
    parser.references = []
    parser.feed(page)
    assert [one for one in parser.references if not one.startswith(("data:", "#"))] == []
    assert "default-src 'none'" in parser.policy
    assert "http" not in parser.policy
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert not re.search(r"fonts\.(googleapis|gstatic)", page)
    assert "heavy" in page


class NotingSession(FakeSession):
    """Notes the requests that it predicts."""

    values: list[float]

    def preprocess(self, request: Request) -> Any:
        self.values.append(request["a"])
        return super().preprocess(request)


@pytest.mark.parametrize("first", [False, True])
def test_the_same_requests_are_answered_with_and_without_the_profiler(first: bool) -> None:
    session = NotingSession()
    session.values = []
    records = [{"a": float(i), "b": 0.0} for i in range(7)]
    profiling = Profiling(session, records, function=False, clock=FakeClock(1))
    chunk = profiling.run_profiler(RunProfiler(3, "cprofile", 0.001, profiled_first=first))
    assert chunk.requests == 3
    assert session.values == [0.0, 1.0, 2.0] * 2


def event(name: str, provider: str, microseconds: int, category: str = "Node") -> dict[str, Any]:
    return {"cat": category, "name": name, "dur": microseconds, "args": {"op_name": "Add", "provider": provider}}


def test_operators_are_summed_by_node_and_by_the_provider_that_ran_them() -> None:
    events = [
        event("n_1_kernel_time", "CUDAExecutionProvider", 5),
        event("n_1_kernel_time", "CUDAExecutionProvider", 7),
        event("n_1_kernel_time", "CPUExecutionProvider", 1),
        event("n_1_fence_before", "CPUExecutionProvider", 9),
        event("model_run", "", 90, "Session"),
        "no event",
    ]
    assert sum_operators(events) == (
        OperatorTime("n_1", "Add", "CUDAExecutionProvider", 2, 12_000),
        OperatorTime("n_1", "Add", "CPUExecutionProvider", 1, 1_000),
    )


def test_a_node_that_was_interrupted_has_the_time_of_its_other_runs() -> None:
    times = [10] * 38 + [4_000, 4_000]
    events = [event("n_kernel_time", "CPUExecutionProvider", microseconds) for microseconds in times]
    assert sum_operators(events) == (OperatorTime("n", "Add", "CPUExecutionProvider", 40, 400_000),)
    few = [event("n_kernel_time", "CPUExecutionProvider", microseconds) for microseconds in (10, 10, 10, 90)]
    assert sum_operators(few)[0].total_ns == 120_000


def test_a_node_that_holds_a_graph_has_its_own_time_and_every_node_the_shape_it_gives() -> None:
    def run(name: str, start: int, microseconds: int, shape: list[int] | None, thread: int = 1) -> dict[str, Any]:
        part = event(f"{name}_kernel_time", "CPU", microseconds) | {"ts": start, "tid": thread}
        part["args"]["output_type_shape"] = [] if shape is None else [{"float": shape}]
        return part

    events = [
        run("inner", 12, 30, [1, 64]),
        run("deep", 15, 10, []),
        run("inner", 50, 20, [1, 64]),
        run("if", 10, 70, [2]),
        run("after", 80, 5, None),
        run("elsewhere", 20, 40, [1], thread=2),
        run("elsewhere", 90, 40, [3], thread=2),
    ]
    own = {time.name: (time.total_ns // 1000, time.shape) for time in sum_operators(events)}
    assert own == {
        "inner": (40, "1x64"),
        "deep": (10, ""),
        "if": (20, "2"),
        "after": (5, ""),
        "elsewhere": (80, "several"),
    }


def test_the_page_opens_with_the_frames_of_the_user_and_of_libraries() -> None:
    page = record("pyinstrument", "pyinstrument").text
    folding = re.search(r'collapseMode:"custom",collapseCustomHide:(".*?"),collapseCustomShow:(".*?")[,}]', page)
    assert folding is not None
    hide, show = (re.compile(json.loads(text)) for text in folding.groups())
    ours = infer_bench.engines.callable.__file__
    for path in (ours, "<frozen runpy>"):
        assert hide.search(path)
        assert not show.search(path)
    for path in (np.__file__, __file__, asyncio.__file__, "service/infer_bench_service.py", ""):
        assert show.search(path)
