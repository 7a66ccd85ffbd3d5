"""What became of every request, by its place in the schedule."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from math import nan

from infer_bench.measure.load.recorded_answers import MOST_BYTES, AnswerCounts, RecordedAnswer, count_bytes
from infer_bench.model import PHASES

PENDING = 0
"""Stands for a time that has not come."""


class Recording:
    """Times of a clock in ns, by place: due, taken up by the generator, sent, answered.

    A request that ends without a right answer has its kind in `failures`; one that has neither is pending. `phases` are
    the server's own times in µs, NaN where it told none; `received` are the bytes of an answer, `waits` is 1 for a
    request that was due while every connection was busy. `tell_settled` is called with the place of each that ends.
    `answers` counts what was answered by payload; None where that is not kept. They fill `answer_bytes`, and
    `left_out` are those for which there was no room.
    """

    def __init__(self, due: list[int]) -> None:
        size = len(due)
        self.due = due
        self.noticed = array("q", bytes(8 * size))
        self.sent = array("q", bytes(8 * size))
        self.answered = array("q", bytes(8 * size))
        self.failures: dict[int, str] = {}
        self.examples: dict[str, str] = {}
        self.phases = {phase: array("d", [nan]) * size for phase in PHASES}
        self.received = array("q", bytes(8 * size))
        self.waits = array("b", bytes(size))
        self.connects = 0
        self.tell_settled: Callable[[int], object] | None = None
        self.paths: dict[int, str] = {}
        self.answers: AnswerCounts | None = None
        self.answer_bytes = self.left_out = 0

    def extend(self, due_ns: int) -> int:
        """Add a request that is due; returns its place."""
        self.due.append(due_ns)
        for column in (self.noticed, self.sent, self.answered, self.received):
            column.append(PENDING)
        self.waits.append(0)
        for values in self.phases.values():
            values.append(nan)
        return len(self.due) - 1

    def answer(self, place: int, now_ns: int) -> None:
        """A right answer has come."""
        self.answered[place] = now_ns
        if self.tell_settled is not None:
            self.tell_settled(place)

    def fail(self, place: int, kind: str, example: str = "") -> None:
        """It ended without one; the first `example` of a kind is kept."""
        self.failures[place] = kind
        if example and kind not in self.examples:
            self.examples[kind] = example
        if self.tell_settled is not None:
            self.tell_settled(place)

    def keep(self, payload: int, answer: RecordedAnswer) -> None:
        """Count a right answer to a payload."""
        if self.answers is None:
            return
        counts = self.answers.setdefault(payload, Counter())
        if answer not in counts:
            self.answer_bytes += count_bytes(answer)
            if self.answer_bytes > MOST_BYTES:
                self.left_out += 1
                return
        counts[answer] += 1

    def describe(self, place: int, phases: Mapping[str, float], path: str) -> None:
        """What the server says of a right answer: its own times in µs, and which of its models gave it."""
        for phase, values in self.phases.items():
            values[place] = phases.get(phase, nan)
        if path:
            self.paths[place] = path

    def is_settled(self, place: int) -> bool:
        """Whether a request has ended."""
        return self.answered[place] != PENDING or place in self.failures
