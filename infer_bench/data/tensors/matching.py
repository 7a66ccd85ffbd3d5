"""Whether a network can take the requests that were made for another one."""

from collections.abc import Sequence

from infer_bench.data.table import is_ragged
from infer_bench.model import TensorInput
from infer_bench.typing import Array, Columns


def match_requests(columns: Columns, inputs: Sequence[TensorInput]) -> Columns | None:
    """The columns under the names of `inputs`: by name, or by place where no name fits; None where they do not fit.

    Inputs with a default may be missing.
    """
    required = [tensor for tensor in inputs if not tensor.optional]
    if all(tensor.name in columns for tensor in required):
        pairs = [(tensor, columns[tensor.name]) for tensor in inputs if tensor.name in columns]
    elif len(required) == len(columns) and not any(tensor.name in columns for tensor in inputs):
        pairs = list(zip(required, columns.values(), strict=True))
    else:
        return None
    return {tensor.name: column for tensor, column in pairs} if all(_fits(*pair) for pair in pairs) else None


def _fits(tensor: TensorInput, column: Array) -> bool:
    parts = list(column) if is_ragged(column) else [column[0]] if len(column) else []
    shapes = {part.shape if hasattr(part, "shape") else () for part in parts}
    dtypes = {part.dtype.name for part in parts} if is_ragged(column) else {column.dtype.name}
    return dtypes <= {tensor.dtype} and all(_fits_shape(tensor, shape) for shape in shapes)


def _fits_shape(tensor: TensorInput, shape: tuple[int, ...]) -> bool:
    if tensor.shape is None:
        return True
    if len(shape) != len(tensor.shape):
        return False
    return all(size == fixed for size, fixed in zip(shape, tensor.shape, strict=True) if isinstance(fixed, int))
