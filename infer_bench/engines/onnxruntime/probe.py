"""What a graph does not declare of its output, told by running it on rows of small numbers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime.inputs import Tensor
from infer_bench.stats.agreement.probability_pair import is_pair
from infer_bench.typing import Array

_FEW = 4


def probe_width(session: Any, name: str, inputs: Sequence[Tensor]) -> int:
    """The output's width on one row (or one batch) of zeros; 1 when the graph does not take it."""
    output = _run(session, name, {tensor.name: _rows(tensor, 1, 0.0) for tensor in inputs})
    return int(np.prod(output.shape[1:])) if output is not None and output.ndim > 1 else 1


def gives_pair(session: Any, name: str, inputs: Sequence[Tensor]) -> bool:
    """Whether an output of two numbers a row is a pair as two classes have; True when the graph does not take rows."""
    output = _run(session, name, {tensor.name: _rows(tensor, _FEW, 1.0) for tensor in inputs})
    if output is None or output.dtype.kind != "f" or output.ndim != 2 or output.shape[1] != 2:
        return True
    return bool(is_pair(output.astype(np.float64)).all())


def _rows(tensor: Tensor, count: int, scale: float) -> Array:
    """Rows, as many as a fixed batch asks, of numbers from -scale to 2 · scale."""
    shape = (tensor.batch or count, *tensor.inner)
    numbers = (np.linspace(-1.0, 2.0, math.prod(shape)) * scale + 0.0).reshape(shape)
    if tensor.dtype is object:
        return numbers.astype(str).astype(object)
    return (np.abs(numbers) if np.dtype(tensor.dtype).kind == "u" else numbers).astype(tensor.dtype)


def _run(session: Any, name: str, rows: dict[str, Array]) -> Array | None:
    try:
        return np.asarray(session.run([name], rows)[0])
    except Exception:  # noqa: BLE001 - whatever ONNX Runtime raises: the first real request will say it
        return None
