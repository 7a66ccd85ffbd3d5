"""Calls of coroutines: what goes on after it has waited is not called again."""

import asyncio
import time
from typing import Any

import pytest

from infer_bench.engines.callable import CallableSession
from infer_bench.workers.profiling.profilers import CProfile
from infer_bench.workers.timing.loop import Stages

REQUESTS = 20


async def store(key: int) -> float:
    for _ in range(key):
        await asyncio.sleep(0)
    return 1.0


async def numbers() -> Any:
    for i in range(3):
        await asyncio.sleep(0)
        yield i


def busy() -> None:
    """A plain function."""


async def waits_twice(record: dict[str, Any]) -> float:
    await asyncio.sleep(0)
    busy()
    return await store(1)


async def waits_seldom(record: dict[str, Any]) -> float:
    return await store(3 if record["a"] % 2 else 0)


async def never_waits(record: dict[str, Any]) -> float:
    return await store(0)


async def gathers(record: dict[str, Any]) -> float:
    return sum(await asyncio.gather(store(1), store(2)))


async def iterates(record: dict[str, Any]) -> float:
    return float(sum([i async for i in numbers()]))


@pytest.mark.parametrize(
    ("function", "calls"),
    [
        (waits_twice, {"waits_twice": 1, "store": 1, "busy": 1}),
        (waits_seldom, {"waits_seldom": 1, "store": 1}),
        (never_waits, {"never_waits": 1, "store": 1}),
        (gathers, {"gathers": 1, "store": 2}),
        (iterates, {"iterates": 1}),
    ],
)
def test_each_call_is_counted_once(function: Any, calls: dict[str, int]) -> None:
    session = CallableSession(function, "m:f", as_list=False)
    stages, profiler = Stages(session.preprocess, session.predict, session.postprocess), CProfile()
    for _ in range(3):
        profiler.profile(stages, [{"a": i} for i in range(REQUESTS)], time.perf_counter_ns)
    counts = {f.name: f.calls for f in profiler.collect("").functions if f.file == __file__}
    session.close()
    assert {name: counts[name] for name in calls} == {name: 3 * REQUESTS * count for name, count in calls.items()}
