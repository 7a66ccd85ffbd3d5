"""joblib's arrays: raw data, or a nested pickle, that stands in the stream behind the object that describes it."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any

from infer_bench.formats.pickles.dtypes import holds_objects, is_dtype, itemsize
from infer_bench.formats.pickles.values import Global, Instance

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def pass_over(machine: Any, wrapper: Instance) -> Instance:
    """Skip the array's data, or run its nested pickle symbolically; returns a stand-in for the array."""
    state = wrapper.states[0]
    if len(wrapper.states) != 1 or not isinstance(state, dict) or wrapper.args[1:]:
        raise pickle.UnpicklingError("an array that is described twice")
    if not is_dtype(state["dtype"]):
        raise pickle.UnpicklingError("an array without a plain dtype")
    check_frame(machine)
    if holds_objects(state["dtype"]):
        return _nested(machine)
    source = machine._source
    if state.get("numpy_array_alignment_bytes") is not None:
        source.skip(int.from_bytes(source.read(1), "little"))
    source.skip(_count(state["shape"]) * itemsize(state["dtype"]))
    return Instance(Global("numpy.ndarray"))


def check_frame(machine: Any) -> None:
    """The data stands in the file, so a frame that goes on would be read out of order."""
    frame = machine._unframer.current_frame
    if frame is not None and frame.read(1):
        raise pickle.UnpicklingError("an array inside a frame")


def _nested(machine: Any) -> Instance:
    inner = machine.nested()
    array = inner.load()
    if inner.arrays:
        raise pickle.UnpicklingError("an array inside an array of objects")
    return array if isinstance(array, Instance) else Instance(None)


def _count(shape: Any) -> int:
    if not isinstance(shape, (tuple, list)) or not all(type(size) is int and size >= 0 for size in shape):
        raise pickle.UnpicklingError("an array without a plain shape")
    return math.prod(shape)


class ArrayData:
    """Stands for joblib's `NumpyArrayWrapper` when a file is really loaded: the attributes of its pickled state."""

    subclass: type[npt.NDArray[Any]]
    shape: tuple[int, ...]
    order: str
    dtype: np.dtype[Any]
    numpy_array_alignment_bytes: int | None = None

    def read(self, source: Any) -> npt.NDArray[Any]:
        """The array, from the raw data at the file's position, in the machine's byte order."""
        import numpy as np

        if self.numpy_array_alignment_bytes is not None:
            source.skip(int.from_bytes(source.read(1), "little"))
        data = source.read(math.prod(self.shape) * self.dtype.itemsize)
        flat = np.frombuffer(bytearray(data), dtype=self.dtype)
        array = flat.reshape(self.shape[::-1]).transpose() if self.order == "F" else flat.reshape(self.shape)
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        return native if self.subclass in (np.ndarray, np.memmap) else native.view(self.subclass)
