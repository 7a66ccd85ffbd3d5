"""joblib's arrays: raw data, or a nested pickle, that stands in the stream behind the object that describes it."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any

from infer_bench.pickles.symbolic import Global, Instance, Symbolic

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DTYPE = "numpy.dtype"


def pass_over(machine: Any, wrapper: Instance) -> Instance:
    """Skip the array's data, or run its nested pickle symbolically; returns a stand-in for the array."""
    state = wrapper.states[0]
    if len(wrapper.states) != 1 or not isinstance(state, dict) or wrapper.args[1:]:
        raise pickle.UnpicklingError("an array that is described twice")
    check_frame(machine)
    if _holds_objects(state["dtype"]):
        return _nested(machine)
    source = machine._source
    if state.get("numpy_array_alignment_bytes") is not None:
        source.skip(int.from_bytes(source.read(1), "little"))
    source.skip(_count(state["shape"]) * _itemsize(state["dtype"]))
    return Instance(Global("numpy.ndarray"))


def check_frame(machine: Any) -> None:
    """The data stands in the file, so a frame that goes on would be read out of order."""
    frame = machine._unframer.current_frame
    if frame is not None and frame.read(1):
        raise pickle.UnpicklingError("an array inside a frame")


def _nested(machine: Any) -> Instance:
    inner = Symbolic(machine._source, machine.names)
    inner.called, inner.oddities = machine.called, machine.oddities
    array = inner.load()
    if inner.arrays:
        raise pickle.UnpicklingError("an array inside an array of objects")
    return array if isinstance(array, Instance) else Instance(None)


def _count(shape: Any) -> int:
    if not isinstance(shape, (tuple, list)) or not all(type(size) is int and size >= 0 for size in shape):
        raise pickle.UnpicklingError("an array without a plain shape")
    return math.prod(shape)


def _arguments(dtype: Any) -> tuple[str, list[Any]]:
    if not (isinstance(dtype, Instance) and dtype.name == _DTYPE and dtype.args and isinstance(dtype.args[0], str)):
        raise pickle.UnpicklingError("an array without a plain dtype")
    return dtype.args[0], dtype.states


def _itemsize(dtype: Any) -> int:
    import numpy as np

    return np.dtype(_arguments(dtype)[0]).itemsize


def _holds_objects(dtype: Any) -> bool:
    """Whether the elements are Python objects, in part or whole; such an array is a nested pickle."""
    code, states = _arguments(dtype)
    if code.lstrip("<>|=").startswith("O"):
        return True
    return any(_state_holds_objects(state) for state in states)


def _state_holds_objects(state: Any) -> bool:
    """`state` is (version, byte order, subarray, names, fields, itemsize, alignment, flags, …)."""
    if not isinstance(state, tuple) or len(state) < 5:
        raise pickle.UnpicklingError("a dtype in an unknown form")
    subarray, fields = state[2], state[4]
    parts = [subarray[0]] if isinstance(subarray, tuple) and subarray else []
    parts += [part[0] for part in fields.values()] if isinstance(fields, dict) else []
    return any(_holds_objects(part) for part in parts)


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
