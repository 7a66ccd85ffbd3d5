"""A clock that waits to the microsecond, and knows how much of its time it waited."""

import asyncio
import time
from typing import Protocol

SPIN_NS = 2_000_000
"""Below this the loop is spun: timers of libuv are 1 ms coarse, and a wake-up comes late."""


class Clock(Protocol):
    """Where the generator gets its time from."""

    idle_ns: int
    """Time spent waiting while nothing else was done."""

    def now_ns(self) -> int:
        """Nanoseconds of any origin that never go back."""

    async def wait_until(self, due_ns: int) -> None:
        """Let answers be read until then; at least once."""


class SpinningClock:
    """The machine's clock. `events` is counted up by whoever does something in between."""

    def __init__(self) -> None:
        self.idle_ns = 0
        self.events = 0
        self.now_ns = time.perf_counter_ns

    async def wait_until(self, due_ns: int) -> None:
        """Sleep, then spin; a turn of the loop in which nothing happened counts as idle."""
        before = self.now_ns()
        while True:
            events, left = self.events, due_ns - before
            await asyncio.sleep((left - SPIN_NS) / 1e9 if left > SPIN_NS else 0)
            now = self.now_ns()
            if self.events == events or left > SPIN_NS:
                self.idle_ns += now - before
            if now >= due_ns:
                return
            before = now
