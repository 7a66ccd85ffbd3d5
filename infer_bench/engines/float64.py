"""A float32 network in float64: what its predictions would be without rounding."""

import zlib
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.errors import EngineError
from infer_bench.typing import Array, Floats

HALF_ULP = 2.0**-24
"""Of a float32, as a share of it."""


class Float64Session(Protocol):
    """A session of a network that can also be computed in float64."""

    def preprocess(self, request: Request) -> Any:
        """See `Session`."""

    def predict_in_float64(self, inputs: Any) -> Floats:
        """The canonical output (rows, outputs), computed in float64; float `inputs` are float64, others as ever.

        Raises `EngineError` where the network has no such form.
        """


def require_float64(session: Any) -> Float64Session:
    """The session, if it is one of a network. Raises `EngineError` for any other."""
    if not hasattr(session, "predict_in_float64"):
        raise EngineError("the engine has no float64 form of the model")
    network: Float64Session = session
    return network


def widen(inputs: Any) -> Any:
    """Arrays of floats as float64, others as they are; `inputs` is an array, a mapping of arrays or a DataFrame."""
    if _is_frame(inputs):
        return inputs
    if isinstance(inputs, Mapping):
        return {name: widen(values) for name, values in inputs.items()}
    array = np.asarray(inputs)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def nudge(inputs: Any) -> Any:
    """`inputs` in float64, each number moved up or down by half an ulp of float32, always the same way."""
    if _is_frame(inputs):
        return inputs.assign(**{n: nudge(c.to_numpy()) for n, c in inputs.items() if c.dtype.kind == "f"})
    if isinstance(inputs, Mapping):
        return {name: nudge(values) for name, values in inputs.items()}
    array = widen(inputs)
    if array.dtype.kind != "f":
        return array
    signs = np.random.default_rng(zlib.crc32(str(array.shape).encode())).choice([-1.0, 1.0], array.shape)
    with np.errstate(all="ignore"):
        return array * (1.0 + signs * HALF_ULP)


def sizes(inputs: Any, rows: int) -> Floats:
    """The largest finite magnitude in each request (rows,); 0 without numbers."""
    named = inputs if isinstance(inputs, Mapping) else dict(inputs.items()) if _is_frame(inputs) else {"": inputs}
    arrays = list(named.values())
    largest = np.zeros(rows)
    for array in map(np.asarray, arrays):
        if array.dtype.kind in "fiu" and array.ndim and len(array) == rows and array.size:
            largest = np.maximum(largest, _magnitudes(array.reshape(rows, -1)))
    return largest


def _is_frame(inputs: Any) -> bool:
    """A table of pandas."""
    return hasattr(inputs, "assign") and hasattr(inputs, "columns")


def _magnitudes(array: Array) -> Floats:
    numbers = np.abs(array.astype(np.float64))
    return np.asarray(np.where(np.isfinite(numbers), numbers, 0.0).max(axis=1))
