"""Functions to compare; some never answer, or die at, a negative number: the comparison is then in its middle."""

import os
import threading
from typing import Any


def waits(record: dict[str, Any]) -> float:
    """The number itself; of a negative one nothing, for ever."""
    if record["a"] < 0:
        threading.Event().wait()
    return float(record["a"])


def dies(record: dict[str, Any]) -> float:
    """The number itself; a negative one ends the process."""
    if record["a"] < 0:
        os.abort()
    return float(record["a"])


def doubles(record: dict[str, Any]) -> float:
    """Twice the number."""
    return 2.0 * float(record["a"])


def halves(record: dict[str, Any]) -> float:
    """Always the same."""
    return 0.5
