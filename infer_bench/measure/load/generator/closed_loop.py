"""A closed loop: so many users, each of whom sends a request when the one before is answered."""

import asyncio
import time
from bisect import bisect_left

from infer_bench.measure.load.generator.clock import SpinningClock
from infer_bench.measure.load.generator.event_loop import require_connections, run_in_loop
from infer_bench.measure.load.generator.pool import Pool
from infer_bench.measure.load.outcome.results import Window, build_result
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import MOST_REQUESTS, LoadSettings
from infer_bench.report.load import LoadResult

_NS = 1_000_000_000
_PAUSE_S = 0.01
"""After a request that failed: a service that refuses everything would else be asked without end."""


class ClosedLoad:
    """`concurrency` requests on their way at any time; what is known can be read when it was broken off."""

    def __init__(self, service: Service, concurrency: int, settings: LoadSettings) -> None:
        self._service, self._concurrency, self._settings = service, concurrency, settings
        self._clock = SpinningClock()
        self._recording = Recording([])
        self._recording.answers = None if service.expected is None else {}
        self._begin_ns = self._end_ns = 0
        self._busy_share: float | None = None
        self.about = f"{concurrency:,} at a time"

    def run(self) -> None:
        """Send requests until the time is over, and wait for the last answers."""
        require_connections(self._concurrency)
        run_in_loop(self._run)

    async def _run(self) -> None:
        settings = self._settings
        pool = Pool(self._service, self._concurrency, self._recording, self._clock, round(settings.timeout_s * _NS))
        try:
            await pool.open(self._concurrency)
            span_s = settings.warmup_s + settings.duration_s
            start_ns = self._clock.now_ns()
            self._begin_ns = start_ns + round(settings.warmup_s * _NS)
            self._end_ns = start_ns + round(span_s * _NS)
            cpu_ns = time.process_time_ns()
            self._send_in_turn(pool)
            await asyncio.sleep(span_s)
            self._busy_share = (time.process_time_ns() - cpu_ns) / (self._clock.now_ns() - start_ns)
            await pool.drain()
        finally:
            self._recording.tell_settled = None
            await pool.close()

    def _send_in_turn(self, pool: Pool) -> None:
        """Begin as many requests as there are users; each that ends brings on the next."""
        loop, clock, recording = asyncio.get_running_loop(), self._clock, self._recording

        def send() -> None:
            now_ns = clock.now_ns()
            if now_ns < self._end_ns and len(recording.due) < MOST_REQUESTS:
                place = recording.extend(now_ns)
                recording.noticed[place] = now_ns
                pool.submit(place)

        def go_on(place: int) -> None:
            if place in recording.failures:
                loop.call_later(_PAUSE_S, send)
            else:
                loop.call_soon(send)

        recording.tell_settled = go_on
        for _ in range(self._concurrency):
            send()

    def build_results(self, is_over: bool) -> tuple[LoadResult, ...]:
        """What was measured; nothing where not one request was."""
        recording = self._recording
        end_ns = self._end_ns if is_over else min(self._end_ns, self._clock.now_ns())
        first = bisect_left(recording.due, self._begin_ns)
        if end_ns <= self._begin_ns or first == len(recording.due):
            return ()
        window = Window(recording, self._service.payloads, first, self._begin_ns, end_ns, is_over)
        result = build_result(window, self._service, self._settings, self._busy_share, self._concurrency)
        return (result,) if result.is_measured else ()
