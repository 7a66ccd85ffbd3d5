"""A fixed piece of work, like a small request: what a look at the machine's noise times. About 50 µs."""

from collections.abc import Mapping

import numpy as np

FEATURES = 64
_ROUNDS = 12
_WEIGHTS = np.linspace(-1.0, 1.0, FEATURES * FEATURES).reshape(FEATURES, FEATURES)


def compute(record: Mapping[str, float]) -> float:
    """A number from a record: a row is made of the dict, and multiplied by a fixed matrix a few times."""
    row = np.array(list(record.values()))
    for _ in range(_ROUNDS):
        row = np.tanh(row @ _WEIGHTS / FEATURES)
    return float(row.sum())
