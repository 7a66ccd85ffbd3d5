"""Rows on which a converted network must answer as the original does."""

from typing import Any

import numpy as np

from infer_bench.converters.torch.programs import list_inputs
from infer_bench.typing import Array


def probe_rows(program: Any, seed: int = 0) -> dict[str, Array]:
    """Rows [rows, features] in double, of numbers that float32 holds: ordinary, zero, large, missing and infinite.

    A network has no thresholds to aim at. Each column in turn is missing or infinite, up to 64 of them.
    """
    width = int(list_inputs(program)[0].shape[1])
    rng = np.random.default_rng(seed)
    ordinary = rng.normal(size=(500, width)).astype(np.float32).astype(np.float64)
    groups = {"ordinary": ordinary, "one": ordinary[:1], "empty": ordinary[:0], "zero": np.zeros((2, width))}
    groups["large"] = (ordinary[:50] * 1e3).astype(np.float32).astype(np.float64)
    for name, value in (("missing", np.nan), ("infinite", np.inf), ("minus infinite", -np.inf)):
        rows = ordinary[: min(width, 64) + 1].copy()
        rows[np.arange(len(rows) - 1), np.arange(len(rows) - 1)] = value
        rows[-1] = value
        groups[name] = rows
    return groups
