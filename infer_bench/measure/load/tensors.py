"""Requests of tensors: those of a file, in the form in which a service says that it takes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infer_bench.data.tensors.files import holds_tensors, load_arrays
from infer_bench.data.tensors.requests import read_requests
from infer_bench.data.tensors.stacking import cut_requests, take_first
from infer_bench.errors import DataError
from infer_bench.measure.settings import DEFAULT_ROWS
from infer_bench.model import TensorInput
from infer_bench.typing import TensorRequest


def holds_requests(path: Path) -> bool:
    """Whether a file, or a folder, holds a network's requests, and not columns of rows."""
    if not holds_tensors(path):
        return False
    if path.is_dir() or path.suffix == ".pb":
        return True
    content = load_arrays(path)
    return not isinstance(content, dict) or any(array.ndim > 1 for array in content.values())


def read_tensors(path: Path, inputs: Sequence[TensorInput]) -> tuple[TensorRequest, ...]:
    """The first requests of a file, as many as take turns. Raises `DataError` for what the service does not take."""
    table = read_requests(path, inputs)
    first = take_first(table, min(table.rows, DEFAULT_ROWS))
    return tuple(cut_requests(first.columns, inputs, 1))


def require_finite_tensors(requests: Sequence[TensorRequest]) -> None:
    """Raise `DataError` for an infinity or NaN, of which JSON knows neither."""
    for place, request in enumerate(requests):
        for name, array in request.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                message = f"{name!r} of request {place:,} is not finite, which JSON cannot carry"
                raise DataError(message, "leave such requests out, or --protocol oip-binary")
