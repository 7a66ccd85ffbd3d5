"""Time per operator, from the trace that ONNX Runtime writes when a session profiles itself."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infer_bench.errors import EngineError
from infer_bench.workers.profiling.requests import OperatorTime

LONGEST = 0.05
LEAST_RUNS = 5
"""Of fewer runs of a node all count."""
_SUFFIX = "_kernel_time"


def read_operators(path: str) -> tuple[OperatorTime, ...]:
    """The time of each node on each provider; the trace is deleted.

    ONNX Runtime writes whole microseconds. Raises `EngineError` for a trace that is no such list of events.
    """
    try:
        events = json.loads(Path(path).read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError) as error:
        raise EngineError(f"ONNX Runtime's profile cannot be read: {error}") from None
    finally:
        with contextlib.suppress(OSError):
            Path(path).unlink()
    if not isinstance(events, list):
        raise EngineError("ONNX Runtime's profile is not understood")
    return sum_operators(events)


def sum_operators(events: Sequence[Any]) -> tuple[OperatorTime, ...]:
    """As `read_operators`, from the trace's events; events that are no kernel's run are left out.

    The time of a node that holds a graph (If, Loop, Scan) is its own, without that of the nodes within. The longest
    twentieth of a node's runs is taken to be as long as the others: a node that was interrupted for a few milliseconds
    would else have a share of the request that is the machine's.
    """
    runs_us: dict[tuple[str, str, str], list[int]] = {}
    shapes: dict[tuple[str, str, str], set[str]] = {}
    runs = [event for event in events if _is_kernel_run(event)]
    for event, own_us in zip(runs, _own_times(runs), strict=True):
        arguments = event.get("args") or {}
        name = str(event["name"]).removesuffix(_SUFFIX)
        key = (name, str(arguments.get("op_name", "")), str(arguments.get("provider", "")))
        runs_us.setdefault(key, []).append(own_us)
        shapes.setdefault(key, set()).add(_output_shape(arguments.get("output_type_shape")))
    return tuple(
        OperatorTime(*key, len(own), _sum_typical_ns(own), shapes[key].pop() if len(shapes[key]) == 1 else "several")
        for key, own in runs_us.items()
    )


def _sum_typical_ns(runs_us: Sequence[int]) -> int:
    """As many runs as there are, each of the mean of those that are not among the longest."""
    count = len(runs_us)
    typical = sorted(runs_us)[: count - (max(1, round(count * LONGEST)) if count >= LEAST_RUNS else 0)]
    return round(sum(typical) * 1000 * count / len(typical))


def _is_kernel_run(event: Any) -> bool:
    return isinstance(event, dict) and event.get("cat") == "Node" and str(event.get("name")).endswith(_SUFFIX)


def _own_times(events: Sequence[Any]) -> list[int]:
    """The microseconds of each run without those of the runs that lie within it on the same thread."""
    spans = [(str(event.get("tid")), int(event.get("ts", 0)), int(event.get("dur", 0))) for event in events]
    own = [duration for _, _, duration in spans]
    enclosing: list[tuple[str, int, int]] = []
    placed = [i for i, event in enumerate(events) if "ts" in event]
    for i in sorted(placed, key=lambda i: (spans[i][0], spans[i][1], -spans[i][2])):
        thread, start, duration = spans[i]
        while enclosing and not _lies_within(spans[i], enclosing[-1]):
            enclosing.pop()
        if enclosing:
            own[enclosing[-1][2]] -= duration
        enclosing.append((thread, start + duration, i))
    return [max(0, duration) for duration in own]


def _lies_within(span: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    """Whether a run (thread, start, duration) lies within one (thread, end, …) that began no later."""
    thread, start, duration = span
    return other[0] == thread and start < other[1] and start + duration <= other[1]


def _output_shape(types: Any) -> str:
    """Of the first output, as in `1x64x112x112`; empty for a scalar and where the trace does not say it."""
    first = types[0] if isinstance(types, list) and types else None
    shape = next(iter(first.values()), None) if isinstance(first, dict) else None
    return "x".join(map(str, shape)) if isinstance(shape, list) else ""
