"""An open loop: warm-up and measured time in one run of the generator."""

import math
from dataclasses import replace

from infer_bench.measure.load.generator.clock import SpinningClock
from infer_bench.measure.load.generator.event_loop import require_connections, run_in_loop
from infer_bench.measure.load.generator.pool import Pool
from infer_bench.measure.load.generator.schedule import plan_arrivals
from infer_bench.measure.load.generator.sending import send_when_due
from infer_bench.measure.load.outcome.results import Window, build_result
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import LoadResult

_LEAD_NS = 5_000_000
"""Between the last preparation and the first request."""
_NS = 1_000_000_000


class OpenLoad:
    """Requests at a rate, first to warm up, then to be measured; what is known can be read when it was broken off."""

    def __init__(self, service: Service, rate: float, settings: LoadSettings) -> None:
        self._service, self._rate, self._settings = service, rate, replace(settings, rate=rate)
        self.about = f"{rate:,.6g} requests/s"
        self._clock = SpinningClock()
        self._recording: Recording | None = None
        self._first = round(rate * settings.warmup_s)
        self._begin_ns = 0
        self._busy_share: float | None = None

    def run(self) -> None:
        """Send every request and wait for what becomes of it."""
        require_connections(self._settings.connections)
        run_in_loop(self._run)

    async def _run(self) -> None:
        settings, clock = self._settings, self._clock
        recording = Recording([0] * (self._first + round(self._rate * settings.duration_s)))
        recording.answers = None if self._service.expected is None else {}
        pool = Pool(self._service, settings.connections, recording, clock, round(settings.timeout_s * _NS))
        try:
            await pool.open(math.ceil(self._rate))  # an idle connection may be closed before its turn comes
            start_ns = clock.now_ns() + _LEAD_NS
            recording.due = self._plan(start_ns)
            self._recording = recording
            self._begin_ns = start_ns + round(settings.warmup_s * _NS)
            idle_ns = clock.idle_ns
            await send_when_due(recording, clock, pool.submit)
            elapsed_ns = clock.now_ns() - start_ns
            self._busy_share = max(0.0, 1 - (clock.idle_ns - idle_ns) / elapsed_ns)
            await pool.drain()
        finally:
            await pool.close()

    def _plan(self, start_ns: int) -> list[int]:
        """When each request is due, on the clock."""
        settings = self._settings
        warmup_ns, duration_ns = round(settings.warmup_s * _NS), round(settings.duration_s * _NS)
        count = round(self._rate * settings.duration_s)
        warmup = plan_arrivals(self._first, warmup_ns, settings.arrivals, settings.seed + 1)
        times = plan_arrivals(count, duration_ns, settings.arrivals, settings.seed)
        return [*(warmup + start_ns).tolist(), *(times + (start_ns + warmup_ns)).tolist()]

    def build_results(self, is_over: bool) -> tuple[LoadResult, ...]:
        """What was measured; nothing where not one request was."""
        if self._recording is None:
            return ()
        settings = self._settings
        end_ns = self._begin_ns + round(settings.duration_s * _NS)
        if not is_over:
            end_ns = min(end_ns, self._clock.now_ns())
        if end_ns <= self._begin_ns:
            return ()
        window = Window(self._recording, self._service.payloads, self._first, self._begin_ns, end_ns, is_over)
        if not len(window.places):
            return ()
        return (build_result(window, self._service, settings, self._busy_share),)
