"""Between two trials: a service that was asked too much works off what it has taken in, whoever still waits."""

import asyncio

from infer_bench.measure.load.generator.clock import SpinningClock
from infer_bench.measure.load.generator.event_loop import run_in_loop
from infer_bench.measure.load.generator.pool import Pool
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service

LONGEST_S = 60.0
MOST_FAILURES = 10
"""A service that answers so often, and not right, has nothing to work off."""
PAUSE_S = 0.1
"""After a request that failed."""


def await_recovery(service: Service, limit_ns: float) -> None:
    """Ask one request after the other until one is answered within the limit, for a minute at the most."""
    run_in_loop(lambda: _ask_until(service, limit_ns))


async def _ask_until(service: Service, limit_ns: float) -> None:
    clock, recording = SpinningClock(), Recording([])
    longest_ns = round(LONGEST_S * 1e9)
    end_ns = clock.now_ns() + longest_ns
    pool = Pool(service, 1, recording, clock, longest_ns)
    try:
        while clock.now_ns() < end_ns and len(recording.failures) < MOST_FAILURES:
            place = recording.extend(clock.now_ns())
            pool.submit(place)
            await pool.drain()
            if place in recording.failures:
                await asyncio.sleep(PAUSE_S)
            elif recording.answered[place] - recording.due[place] < limit_ns:
                return
    finally:
        await pool.close()
