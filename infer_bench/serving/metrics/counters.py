"""The numbers that a process keeps, in memory of its own or shared with others."""

from bisect import bisect_left
from collections.abc import Callable

from infer_bench.model import PHASES, Phase
from infer_bench.serving.faults import KINDS, Kind
from infer_bench.serving.metrics import families
from infer_bench.serving.metrics.families import PHASE_SECONDS, SIZE, MetricFamily, Numbers, place
from infer_bench.serving.paths.dual_path import REASONS, Reason

MEMORY_BYTES = 8 * SIZE
"""What a process needs."""


class Counters:
    """Adds to the numbers in `memory`, by default its own; called by one thread."""

    def __init__(self, memory: Numbers | None = None) -> None:
        self.numbers = memoryview(bytearray(MEMORY_BYTES)).cast("d") if memory is None else memory
        self._requests = {
            (label[0], int(label[1])): place(families.REQUESTS, label) for label in families.REQUESTS.values
        }
        self._errors = {kind: place(families.ERRORS, (kind,)) for kind in KINDS}
        self._fallbacks = {reason: place(families.FALLBACKS, (reason,)) for reason in REASONS}
        self._phases = [(phase, place(families.PHASE, (phase,))) for phase in PHASES]
        timed = families.REQUEST_SECONDS
        self._seconds = {labels[0]: self._histogram(timed, labels) for labels in timed.values}
        self._batch_requests = self._histogram(families.BATCH_REQUESTS)
        self._batch_rows = self._histogram(families.BATCH_ROWS)
        self._queue = place(families.QUEUE)
        self._shadow = [place(f) for f in (families.SHADOWED, families.SHADOW_DIFFERENCES, families.SHADOW_LOST)]
        self.numbers[self._queue] = 0.0  # of a process before this one

    def _histogram(self, family: MetricFamily, labels: tuple[str, ...] = ()) -> Callable[[float], None]:
        numbers, start, buckets = self.numbers, place(family, labels), family.buckets
        end = start + len(buckets) + 1

        def observe(value: float) -> None:
            numbers[start + bisect_left(buckets, value)] += 1.0
            numbers[end] += value

        return observe

    def count_request(self, endpoint: str, status: int, elapsed_ns: int) -> None:
        """A request that was answered."""
        where = self._requests.get((endpoint, status))
        if where is not None:
            self.numbers[where] += 1.0
        if (observe := self._seconds.get(endpoint)) is not None:
            observe(elapsed_ns / 1e9)

    def count_error(self, kind: Kind) -> None:
        """A request that got no prediction."""
        self.numbers[self._errors[kind]] += 1.0

    def count_prediction(self, phases_ns: dict[Phase, int], reason: Reason | None) -> None:
        """A request that got its predictions; `reason` is why the fallback gave them."""
        numbers = self.numbers
        for phase, start in self._phases:
            seconds = phases_ns[phase] / 1e9
            numbers[start + bisect_left(PHASE_SECONDS, seconds)] += 1.0
            numbers[start + len(PHASE_SECONDS) + 1] += seconds
        if reason is not None:
            self.numbers[self._fallbacks[reason]] += 1.0

    def count_batch(self, requests: int, rows: int, waiting: int) -> None:
        """A call of the model, and how many requests wait after it."""
        self._batch_requests(requests)
        self._batch_rows(rows)
        self.numbers[self._queue] = waiting

    def count_shadow(self, rows: int, differences: int) -> None:
        """Rows that both models were asked."""
        self.numbers[self._shadow[0]] += rows
        self.numbers[self._shadow[1]] += differences

    def count_lost_shadow(self) -> None:
        """A request that both models should have been asked."""
        self.numbers[self._shadow[2]] += 1.0
