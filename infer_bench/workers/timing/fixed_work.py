"""A fixed piece of work, like a small request: what a look at the machine's noise times. About 50 µs."""

from collections.abc import Callable, Mapping

import numpy as np

REPEATS = 5
"""So often it is timed before a block: a quarter of a millisecond, beside the 10 ms that a block takes."""
FEATURES = 64
_ROUNDS = 12
_RECORD = {f"f{index}": index / FEATURES for index in range(FEATURES)}
_WEIGHTS = np.linspace(-1.0, 1.0, FEATURES * FEATURES).reshape(FEATURES, FEATURES)


def compute(record: Mapping[str, float]) -> float:
    """A number from a record: a row is made of the dict, and multiplied by a fixed matrix a few times."""
    row = np.array(list(record.values()))
    for _ in range(_ROUNDS):
        row = np.tanh(row @ _WEIGHTS / FEATURES)
    return float(row.sum())


def time_fixed_work(clock: Callable[[], int]) -> int:
    """The median of a few runs of the work, in ns: like a block's own median, it outlasts a single interruption."""
    durations = np.zeros(REPEATS, dtype=np.int64)
    for index in range(REPEATS):
        start = clock()
        compute(_RECORD)
        durations[index] = clock() - start
    return int(np.median(durations))
