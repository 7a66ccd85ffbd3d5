"""A user's function that takes its process down with it."""

import os
import signal
from typing import Any


def answer(record: dict[str, Any]) -> float:
    """Die as a native library does."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0.0
