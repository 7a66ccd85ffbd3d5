"""Sends each request when it is due, whatever has become of those before it."""

from collections.abc import Callable

from infer_bench.measure.load.generator.clock import Clock
from infer_bench.measure.load.recording import Recording

_BURST = 16
"""Requests sent late, one after the other, before answers are read again."""


async def send_when_due(recording: Recording, clock: Clock, submit: Callable[[int], None]) -> None:
    """Hand every place of the schedule to `submit` when it is due, and note when that was."""
    for place, due_ns in enumerate(recording.due):
        if clock.now_ns() < due_ns or not place % _BURST:
            await clock.wait_until(due_ns)
        recording.noticed[place] = clock.now_ns()
        submit(place)
