"""Time that passes only when the generator waits, and a server in it that is stopped for a while."""

import heapq
from collections.abc import Callable

from infer_bench.measure.load.recording import Recording

MS = 1_000_000


class VirtualClock:
    """Runs what is due on the way to a time."""

    def __init__(self) -> None:
        self.idle_ns = 0
        self._now = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []

    def now_ns(self) -> int:
        return self._now

    def call_at(self, time_ns: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time_ns, len(self._events), action))

    async def wait_until(self, due_ns: int) -> None:
        while self._events and self._events[0][0] <= due_ns:
            self._now, _, action = heapq.heappop(self._events)
            action()
        self._now = max(self._now, due_ns)


class StallingServer:
    """Takes `service_ns` for each request, and answers none from `stop_ns` until `resume_ns`."""

    def __init__(
        self, recording: Recording, clock: VirtualClock, service_ns: int, stop_ns: int, resume_ns: int
    ) -> None:
        self._recording, self._clock, self._service_ns = recording, clock, service_ns
        self._stop_ns, self._resume_ns = stop_ns, resume_ns
        self._free_ns = 0

    def submit(self, place: int) -> None:
        now = self._clock.now_ns()
        self._recording.sent[place] = now
        begin = max(now, self._free_ns)
        if self._stop_ns <= begin < self._resume_ns:
            begin = self._resume_ns
        self._free_ns = end = begin + self._service_ns
        self._clock.call_at(end, lambda: self._recording.answer(place, end))
