"""The feed of a network: named arrays, as it takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.errors import EngineError
from infer_bench.model import TensorInput
from infer_bench.typing import Array


class TensorFeed:
    """A request's arrays, each of its input's whole shape → {input: contiguous array of the input's dtype}.

    An array that is right is handed on and not copied. An `optional` input may be left out; other names than the
    inputs' are passed over.
    """

    def __init__(self, inputs: Sequence[TensorInput]) -> None:
        self.inputs = tuple(inputs)
        self._inputs = [(tensor, tensor.name, np.dtype(tensor.dtype)) for tensor in inputs]

    def __call__(self, request: Request) -> dict[str, Array]:
        """The arrays by input. Raises `EngineError` naming the input that is missing or cannot hold its array."""
        arrays = {}
        for tensor, name, dtype in self._inputs:
            value = request.get(name)
            if type(value) is np.ndarray and value.dtype == dtype and value.flags.c_contiguous:
                arrays[name] = value
            elif value is not None:
                arrays[name] = _as_array(value, tensor, dtype)
            elif not tensor.optional:
                raise EngineError(
                    f"the request lacks the input {name!r}", f"the model takes {list_inputs(self.inputs)}"
                )
        return arrays

    def explain(self, arrays: Mapping[str, Array]) -> str:
        """What input does not fit its declaration; empty where all do."""
        return next((text for tensor in self.inputs if (text := _misfit(tensor, arrays.get(tensor.name)))), "")


def list_inputs(inputs: Sequence[TensorInput]) -> str:
    """The required inputs with their dtypes and shapes."""
    return "; ".join(str(tensor) for tensor in inputs if not tensor.optional)


def _as_array(value: Any, tensor: TensorInput, dtype: np.dtype[Any]) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        raise EngineError(f"the input is {tensor}, and the lists of the request are of different lengths") from None
    if array.dtype.kind in "US" and dtype.kind == "O":
        array = array.astype(str).astype(object)
    if not isinstance(value, np.ndarray) and _is_held(array, dtype):
        return np.asarray(array, dtype=dtype, order="C")
    if array.dtype != dtype and not (array.dtype.kind in "fiub" and np.can_cast(array.dtype, dtype, "same_kind")):
        raise EngineError(f"the input is {tensor}, and the request has {array.dtype} {array.shape}")
    return np.asarray(array, dtype=dtype, order="C")


def _is_held(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether a list is of whole numbers that a dtype of them holds, or of nothing; lists do not say their dtype."""
    if not array.size:
        return True
    if dtype.kind not in "iu" or array.dtype.kind not in "iuf":
        return False
    with np.errstate(invalid="ignore"):
        return bool((array.astype(dtype) == array).all())


def _misfit(tensor: TensorInput, array: Array | None) -> str:
    if array is None or tensor.shape is None:
        return ""
    fits = array.ndim == len(tensor.shape) and all(
        size == length or not isinstance(size, int) for size, length in zip(tensor.shape, array.shape, strict=True)
    )
    return "" if fits else f"the input is {tensor}, and the request has {array.dtype} {array.shape}"
