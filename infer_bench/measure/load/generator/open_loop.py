"""An open loop: warm-up and measured time in one run of the generator."""

import math
from dataclasses import replace

from infer_bench.measure.load.generator.clock import SpinningClock
from infer_bench.measure.load.generator.event_loop import require_connections, run_in_loop
from infer_bench.measure.load.generator.pool import Pool
from infer_bench.measure.load.generator.schedule import Schedule, plan_schedule
from infer_bench.measure.load.generator.sending import send_when_due
from infer_bench.measure.load.outcome.results import Window, build_result
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import LoadResult

_LEAD_NS = 5_000_000
"""Between the last preparation and the first request."""
_NS = 1_000_000_000


class Sender:
    """Sends a schedule, or a worker's share of one. `recording` is None until the first request is due."""

    def __init__(self, service: Service, settings: LoadSettings, schedule: Schedule) -> None:
        self._service, self._settings, self._schedule = service, settings, schedule
        self.clock = SpinningClock()
        self.recording: Recording | None = None
        self.start_ns = 0
        self.busy_share: float | None = None

    def run(self, start_ns: int | None = None, *, keeps_answers: bool = False) -> None:
        """Send every request and wait for what becomes of it; `start_ns` is a time of the clock, or None for now."""
        require_connections(self._settings.connections)
        run_in_loop(lambda: self._run(start_ns, keeps_answers))

    async def _run(self, start_ns: int | None, keeps_answers: bool) -> None:
        settings, clock, times = self._settings, self.clock, self._schedule.times
        recording = Recording([0] * len(times))
        recording.answers = {} if keeps_answers else None
        pool = Pool(self._service, settings.connections, recording, clock, round(settings.timeout_s * _NS))
        try:
            await pool.open(math.ceil(settings.rate or 1))  # an idle connection may be closed before its turn comes
            self.start_ns = clock.now_ns() + _LEAD_NS if start_ns is None else start_ns
            recording.due = (times + self.start_ns).tolist()
            self.recording = recording
            await clock.wait_until(self.start_ns)
            idle_ns, begin_ns = clock.idle_ns, clock.now_ns()
            await send_when_due(recording, clock, pool.submit)
            if len(times):
                self.busy_share = max(0.0, 1 - (clock.idle_ns - idle_ns) / max(1, clock.now_ns() - begin_ns))
            await pool.drain()
        finally:
            await pool.close()


class OpenLoad:
    """Requests at a rate, first to warm up, then to be measured; what is known can be read when it was broken off."""

    def __init__(self, service: Service, rate: float, settings: LoadSettings) -> None:
        self._service, self._settings = service, replace(settings, rate=rate)
        self.about = f"{rate:,.6g} requests/s"
        self._schedule = plan_schedule(self._settings)
        self._sender = Sender(service, self._settings, self._schedule)

    def run(self) -> None:
        """Send every request and wait for what becomes of it."""
        self._sender.run(keeps_answers=self._service.expected is not None)

    def build_results(self, is_over: bool) -> tuple[LoadResult, ...]:
        """What was measured; nothing where not one request was."""
        settings, sender = self._settings, self._sender
        if sender.recording is None:
            return ()
        begin_ns = sender.start_ns + round(settings.warmup_s * _NS)
        end_ns = begin_ns + round(settings.duration_s * _NS)
        if not is_over:
            end_ns = min(end_ns, sender.clock.now_ns())
        if end_ns <= begin_ns:
            return ()
        payloads, first = self._service.payloads, self._schedule.warmup
        window = Window(sender.recording, payloads, first, begin_ns, end_ns, is_over)
        if not len(window.places):
            return ()
        return (build_result(window, self._service, settings, sender.busy_share),)
