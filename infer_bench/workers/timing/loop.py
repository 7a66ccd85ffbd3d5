"""The timing loops: what happens between two stamps, and nothing else.

Stamps go into preallocated lists, the cheapest store there is, and become arrays after the loop. The clock is handed
in, so that a test can count to the nanosecond.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.typing import Samples

Clock = Callable[[], int]
Step = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Stages:
    """The three steps of a request, as a service runs them one after the other."""

    preprocess: Step
    predict: Step
    postprocess: Step

    @classmethod
    def of(cls, session: Any, *, tensors: bool) -> "Stages":
        """Those of a session for requests of rows or of `tensors`.

        What a service makes of a network's outputs is not known: they are handed on by name. A user's function is the
        service: what it returns is the answer, and reading the numbers in it is no part of the request.
        """
        convert = session.named_outputs if tensors else session.postprocess
        end_with = getattr(session, "end_with", None)
        return cls(session.preprocess, session.predict, convert if end_with is None else end_with(convert))

    def __call__(self, request: Any) -> Any:
        """One whole request."""
        return self.postprocess(self.predict(self.preprocess(request)))


@dataclass(frozen=True, slots=True, eq=False)
class PhaseSamples:
    """Durations in ns, one entry a sample, not corrected for the floor."""

    request: Samples
    preprocess: Samples
    predict: Samples
    postprocess: Samples


class Cycle:
    """Hands out the requests in turn, across blocks, so that no block starts again from the first row."""

    def __init__(self, requests: Sequence[Any]) -> None:
        if not requests:
            raise ValueError("a cycle needs at least one request")
        self._requests = requests
        self._next = 0

    def seek(self, place: int) -> None:
        """Go on from the request at `place`, counted around."""
        self._next = place % len(self._requests)

    def take(self, count: int) -> list[Any]:
        """The next `count` requests."""
        size = len(self._requests)
        first, self._next = self._next, (self._next + count) % size
        return [self._requests[(first + i) % size] for i in range(count)]


def time_calls(stages: Stages, requests: Sequence[Any], clock: Clock) -> Samples:
    """One stamp after each request; returns durations (requests,) in ns, the loop's own cost included."""
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    stamps = [0] * (len(requests) + 1)
    stamps[0] = clock()
    for i, request in enumerate(requests, 1):
        postprocess(predict(preprocess(request)))
        stamps[i] = clock()
    return _durations(stamps)


def time_groups(stages: Stages, requests: Sequence[Any], calls: int, clock: Clock) -> Samples:
    """One stamp after every `calls` requests, for calls so short that a stamp each would distort them.

    Returns sums over `calls` requests (len(requests) // calls,) in ns.
    """
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    groups = [requests[start : start + calls] for start in range(0, len(requests) - calls + 1, calls)]
    stamps = [0] * (len(groups) + 1)
    stamps[0] = clock()
    for i, group in enumerate(groups, 1):
        for request in group:
            postprocess(predict(preprocess(request)))
        stamps[i] = clock()
    return _durations(stamps)


def time_phases(stages: Stages, requests: Sequence[Any], clock: Clock) -> PhaseSamples:
    """Each request with a stamp between its phases; every array is (requests,) in ns."""
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    t0s, t1s, t2s, t3s = ([0] * len(requests) for _ in range(4))
    for i, request in enumerate(requests):
        t0 = clock()
        inputs = preprocess(request)
        t1 = clock()
        outputs = predict(inputs)
        t2 = clock()
        postprocess(outputs)
        t3 = clock()
        t0s[i], t1s[i], t2s[i], t3s[i] = t0, t1, t2, t3
    stamps = np.array((t0s, t1s, t2s, t3s), dtype=np.int64)
    return PhaseSamples(stamps[3] - stamps[0], *np.diff(stamps, axis=0))


def _durations(stamps: list[int]) -> Samples:
    times = np.array(stamps, dtype=np.int64)
    return times[1:] - times[:-1]


def measure_floor(clock: Clock, samples: int = 2001) -> int:
    """What `time_calls` and `time_groups` read around no request at all, the median in ns, to be taken off a sample."""
    stamps = [0] * (samples + 1)
    stamps[0] = clock()
    for i, _ in enumerate(stamps[1:], 1):
        stamps[i] = clock()
    return int(np.median(_durations(stamps)))


def measure_stamp_cost(clock: Clock, samples: int = 2001) -> int:
    """What two stamps next to each other read: the median in ns, to be taken off a phase once, off their sum thrice."""
    costs = [0] * samples
    for i in range(samples):
        start = clock()
        costs[i] = clock() - start
    return int(np.median(np.array(costs, dtype=np.int64)))
