"""The timing loops: what happens between two stamps, and nothing else.

Stamps go into preallocated lists, the cheapest store there is, and become arrays after the loop. The clock is handed
in, so that a test can count to the nanosecond.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Clock = Callable[[], int]
Times = npt.NDArray[np.int64]
Step = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Stages:
    """The three steps of a request, as a service runs them one after the other."""

    preprocess: Step
    predict: Step
    postprocess: Step

    def __call__(self, request: Any) -> Any:
        """One whole request."""
        return self.postprocess(self.predict(self.preprocess(request)))


@dataclass(frozen=True, slots=True)
class Stamps:
    """Durations in ns, one entry a sample, not corrected for the floor."""

    request: Times
    preprocess: Times
    predict: Times
    postprocess: Times


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
        chosen = [self._requests[(self._next + i) % size] for i in range(count)]
        self._next = (self._next + count) % size
        return chosen


def plain(stages: Stages, requests: Sequence[Any], clock: Clock) -> Times:
    """One stamp after each request; returns durations (requests,) in ns, each with the loop's own cost (`floor`)."""
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    stamps = [0] * (len(requests) + 1)
    stamps[0] = clock()
    for i, request in enumerate(requests, 1):
        postprocess(predict(preprocess(request)))
        stamps[i] = clock()
    return _between(stamps)


def grouped(stages: Stages, requests: Sequence[Any], calls: int, clock: Clock) -> Times:
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
    return _between(stamps)


def stamped(stages: Stages, requests: Sequence[Any], clock: Clock) -> Stamps:
    """Each request with a stamp between its phases; every array is (requests,) in ns."""
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    begun, ready, answered, done = ([0] * len(requests) for _ in range(4))
    for i, request in enumerate(requests):
        t0 = clock()
        inputs = preprocess(request)
        t1 = clock()
        outputs = predict(inputs)
        t2 = clock()
        postprocess(outputs)
        t3 = clock()
        begun[i], ready[i], answered[i], done[i] = t0, t1, t2, t3
    t0s, t1s, t2s, t3s = (np.array(stamps, dtype=np.int64) for stamps in (begun, ready, answered, done))
    return Stamps(t3s - t0s, t1s - t0s, t2s - t1s, t3s - t2s)


def _between(stamps: list[int]) -> Times:
    taken = np.array(stamps, dtype=np.int64)
    return taken[1:] - taken[:-1]


def floor(clock: Clock, samples: int = 2001) -> int:
    """What `plain` and `grouped` read around no request at all: the median in ns, to be taken off every sample."""
    stamps = [0] * (samples + 1)
    stamps[0] = clock()
    for i, _ in enumerate(stamps[1:], 1):
        stamps[i] = clock()
    return int(np.median(_between(stamps)))


def stamp_cost(clock: Clock, samples: int = 2001) -> int:
    """What two stamps next to each other read: the median in ns, to be taken off a phase once, off their sum thrice."""
    taken = [0] * samples
    for i in range(samples):
        start = clock()
        taken[i] = clock() - start
    return int(np.median(np.array(taken, dtype=np.int64)))
