"""The timing loops: what happens between two stamps, and nothing else.

Samples go into preallocated lists, the cheapest store there is (about 90 ns a sample with both stamps); the clock is
handed in, so that a test can count to the nanosecond.
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

    def take(self, count: int) -> list[Any]:
        """The next `count` requests."""
        size = len(self._requests)
        chosen = [self._requests[(self._next + i) % size] for i in range(count)]
        self._next = (self._next + count) % size
        return chosen


def plain(stages: Stages, requests: Sequence[Any], clock: Clock) -> Times:
    """Each request between two stamps; returns durations (requests,) in ns."""
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    taken = [0] * len(requests)
    for i, request in enumerate(requests):
        start = clock()
        postprocess(predict(preprocess(request)))
        taken[i] = clock() - start
    return np.array(taken, dtype=np.int64)


def grouped(stages: Stages, requests: Sequence[Any], calls: int, clock: Clock) -> Times:
    """`calls` requests between two stamps, for calls so short that the stamps would distort them.

    Returns sums over `calls` requests (len(requests) // calls,) in ns.
    """
    preprocess, predict, postprocess = stages.preprocess, stages.predict, stages.postprocess
    samples = len(requests) // calls
    taken = [0] * samples
    for i in range(samples):
        group = requests[i * calls : (i + 1) * calls]
        start = clock()
        for request in group:
            postprocess(predict(preprocess(request)))
        taken[i] = clock() - start
    return np.array(taken, dtype=np.int64)


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


def floor(clock: Clock, samples: int = 2001) -> int:
    """What two stamps with nothing between them read: the median in ns, to be taken off every duration."""
    taken = [0] * samples
    for i in range(samples):
        start = clock()
        taken[i] = clock() - start
    return int(np.median(np.array(taken, dtype=np.int64)))
