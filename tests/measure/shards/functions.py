"""Functions that are compared in workers."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np


def zero(records: Any) -> Any:
    return np.zeros(len(records))


def kill_worker(folder: str, number: int, times: int) -> int:
    """Ten times the number, after so many workers were killed on the way."""
    kills = [name for name in os.listdir(folder) if name.startswith(f"{number}-")]
    if len(kills) < times:
        Path(folder, f"{number}-{len(kills)}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * number
