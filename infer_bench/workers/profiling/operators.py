"""Time per operator, from the trace that ONNX Runtime writes when a session profiles itself."""

import contextlib
import json
from pathlib import Path
from typing import Any

from infer_bench.errors import EngineError
from infer_bench.workers.profiling.requests import OperatorTime

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


def sum_operators(events: list[Any]) -> tuple[OperatorTime, ...]:
    """As `read_operators`, from the trace's events; events that are no kernel's run are left out."""
    totals: dict[tuple[str, str, str], list[int]] = {}
    for event in events:
        if not isinstance(event, dict) or event.get("cat") != "Node" or not str(event.get("name")).endswith(_SUFFIX):
            continue
        arguments = event.get("args") or {}
        name = str(event["name"]).removesuffix(_SUFFIX)
        key = (name, str(arguments.get("op_name", "")), str(arguments.get("provider", "")))
        entry = totals.setdefault(key, [0, 0])
        entry[0] += 1
        entry[1] += int(event.get("dur", 0)) * 1000
    return tuple(OperatorTime(*key, calls, total_ns) for key, (calls, total_ns) in totals.items())
