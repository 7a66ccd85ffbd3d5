"""Outputs that were saved in a file, as the reference of a comparison of networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.errors import DataError
from infer_bench.measure.outputs.names import pair_names
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions
from infer_bench.typing import Array

OutputsOfRequests = Mapping[str, Sequence[Array]]


@dataclass(frozen=True, slots=True, eq=False)
class SavedOutputs:
    """Outputs by name from the file or folder `name`, an array of each request.

    `names` are the file's, with those of the network that they are compared by.
    """

    name: str
    outputs: OutputsOfRequests
    names: Mapping[str, str] = field(default_factory=dict)

    def predictions(self, first: int, count: int) -> NamedPredictions:
        """Those of `count` requests from number `first` on."""
        parts = {name: list(arrays[first : first + count]) for name, arrays in self.outputs.items()}
        return NamedPredictions(parts, np.zeros(count, dtype=np.bool_))


def divide_outputs(
    name: str, arrays: Mapping[str, Array | Sequence[Array]], requests: int, sample: Mapping[str, Array]
) -> SavedOutputs:
    """The saved arrays as those of each request; `sample` are a network's outputs for the first one.

    An array with an axis more than the network's own holds a request an entry. One with as many axes is the only
    request's, or those of all below each other along the axis that is longer. Raises `DataError` where nothing fits.
    """
    names = pair_names(list(sample), list(arrays))
    if not set(names.values()) & set(sample):
        raise DataError(f"{name} has no output of the model: {', '.join(arrays)}", f"it gives: {', '.join(sample)}")
    outputs = {
        names[key]: _divide(f"{key!r} of {name}", array, requests, sample.get(names[key]))
        for key, array in arrays.items()
    }
    return SavedOutputs(name, outputs, names)


def _divide(what: str, array: Array | Sequence[Array], requests: int, sample: Array | None) -> Sequence[Array]:
    if not isinstance(array, np.ndarray):
        if len(array) != requests:
            raise DataError(f"{what} is of {len(array):,} requests, and there are {requests:,}")
        return array
    rank = array.ndim if sample is None else sample.ndim
    if array.ndim == rank + 1 and len(array) == requests:
        return [np.asarray(array[i]) for i in range(requests)]
    if requests == 1:
        return [array.reshape(sample.shape) if sample is not None and _is_same_but_for_ones(array, sample) else array]
    if sample is not None and array.ndim == rank:
        axes = [
            i for i in range(rank) if array.shape[i] == requests * sample.shape[i] and _others_fit(array, sample, i)
        ]
        if axes:
            return np.split(array, requests, axis=axes[0])
    shape = "" if sample is None else f", of which the model gives {sample.shape} each"
    raise DataError(f"{what} has the shape {array.shape} for {requests:,} requests{shape}")


def _others_fit(array: Array, sample: Array, axis: int) -> bool:
    return all(a == b for i, (a, b) in enumerate(zip(array.shape, sample.shape, strict=True)) if i != axis)


def _is_same_but_for_ones(array: Array, sample: Array) -> bool:
    return [size for size in array.shape if size != 1] == [size for size in sample.shape if size != 1]
