"""Time per operator, from the trace that ONNX Runtime writes when a session profiles itself."""

import contextlib
import json
from pathlib import Path
from typing import Any

from infer_bench.errors import EngineError

_SUFFIX = "_kernel_time"


def operators(path: str) -> list[list[Any]]:
    """Rows of name, type, provider, calls and total ns, a row a node and provider; the trace is deleted.

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
    return rows(events)


def rows(events: list[Any]) -> list[list[Any]]:
    """The rows of `operators`, from the trace's events; events that are no kernel's run are left out."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for event in events:
        if not isinstance(event, dict) or event.get("cat") != "Node" or not str(event.get("name")).endswith(_SUFFIX):
            continue
        arguments = event.get("args") or {}
        name = str(event["name"]).removesuffix(_SUFFIX)
        key = (name, str(arguments.get("op_name", "")), str(arguments.get("provider", "")))
        entry = found.setdefault(key, [0, 0])
        entry[0] += 1
        entry[1] += int(event.get("dur", 0)) * 1000
    return [[*key, *values] for key, values in found.items()]
