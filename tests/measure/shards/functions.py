"""Functions that are compared in workers."""

from typing import Any

import numpy as np


def zero(records: Any) -> Any:
    return np.zeros(len(records))
