"""What the profilers record: exact counts, a speedscope file after its schema, a page that needs no network."""

import html.parser
import json
import re
from typing import Any, cast

import jsonschema
import pytest

from infer_bench.engines.base import Request
from infer_bench.workers.profiling.operators import rows
from infer_bench.workers.profiling.profilers import make
from infer_bench.workers.profiling.runs import Profiling
from infer_bench.workers.timing.loop import Stages
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


def recorded(profiler: str, form: str = "", count: int = 40) -> dict[str, Any]:
    recorder = make(profiler, 0.0005)
    for _ in range(3):
        assert recorder.run(STAGES, cast("list[Request]", [20_000] * count), FakeClock(1)) > 0
    return recorder.gathered(form)


def test_cprofile_counts_are_exact_over_all_runs_and_only_of_the_request() -> None:
    found = {row[2]: row for row in recorded("cprofile", count=5)["functions"]}
    assert found["heavy"][4] == 15
    assert found["light"][4] == 30
    assert found["<genexpr>"][4] == 15 * 20_001
    assert found["<genexpr>"][7][0][2] == "<built-in method builtins.sum>"
    assert not any("Profiler" in name or name == "run" for name in found)


def test_pyinstrument_finds_the_hot_function_and_keeps_the_workers_frames_out() -> None:
    found = recorded("pyinstrument")
    rows_ = {row[2]: row for row in found["functions"]}
    assert rows_["heavy"][4] > 0.8 * sum(row[3] for row in found["functions"])
    own = ("workers/recorders.py", "pyinstrument/profiler.py")
    assert not any(row[0].endswith(own) for row in found["functions"])


def test_speedscope_validates_and_every_frame_that_opens_closes() -> None:
    text = recorded("pyinstrument", "speedscope")["text"]
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


class References(html.parser.HTMLParser):
    found: list[str]
    policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.found += [held[key] or "" for key in ("src", "href", "data", "action") if key in held]
        if held.get("http-equiv") == "Content-Security-Policy":
            self.policy = held["content"] or ""


def test_the_page_refers_to_nothing_outside_and_may_not() -> None:
    page = recorded("pyinstrument", "html")["text"]
    parser = References()
    parser.found = []
    parser.feed(page)
    assert [one for one in parser.found if not one.startswith(("data:", "#"))] == []
    assert "default-src 'none'" in parser.policy
    assert "http" not in parser.policy
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert not re.search(r"fonts\.(googleapis|gstatic)", page)
    assert "heavy" in page


class Asked(FakeSession):
    """Notes what it is asked."""

    asked: list[float]

    def preprocess(self, request: Request) -> Any:
        self.asked.append(request["a"])
        return super().preprocess(request)


@pytest.mark.parametrize("first", [False, True])
def test_the_same_requests_are_answered_with_and_without_the_profiler(first: bool) -> None:
    session = Asked()
    session.asked = []
    records = [{"a": float(i), "b": 0.0} for i in range(7)]
    profiling = Profiling(session, records, function=False, clock=FakeClock(1))
    reply = profiling.answer({"what": "record", "samples": 3, "profiler": "cprofile", "profiled_first": first})
    assert reply.fields["requests"] == 3
    assert session.asked == [0.0, 1.0, 2.0] * 2


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
    assert rows(events) == [
        ["n_1", "Add", "CUDAExecutionProvider", 2, 12_000],
        ["n_1", "Add", "CPUExecutionProvider", 1, 1_000],
    ]
