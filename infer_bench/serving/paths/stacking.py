"""Requests of a network joined along their batch axes, and its outputs cut apart again."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.errors import EngineError
from infer_bench.serving.rows.rows import Rows, StackableRequest
from infer_bench.typing import Array, TensorRequest

MOST_BYTES = 8 << 20
"""So many do the inputs and outputs of requests fill that go together."""
ALONE = StackableRequest({}, None, 1, 1)


@dataclass(frozen=True, slots=True)
class Stacking:
    """How a network's requests go together: the batch axis of each input and of each output, by name.

    `feed` makes arrays of a record. At the most `most_rows` go together, each entry along the axis being a row, and
    fewer where `MOST_BYTES` are full, of which the outputs are `output_share` times as many as the inputs. `row_ns` is
    what a call of one row took.
    """

    feed: TensorFeed
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    most_rows: int
    output_share: float
    row_ns: float

    def prepare(self, rows: Rows) -> StackableRequest:
        """The request as one that may go along with others; `ALONE` where it may not, and is refused there if at all.

        Every input must be there, and all must have as many entries.
        """
        if len(rows.records) != 1:
            return ALONE
        try:
            arrays = self.feed(TensorRequest(rows.records[0]))
        except EngineError:
            return ALONE
        count = self._count(arrays)
        if not count:
            return ALONE
        shapes = tuple(_without(arrays[name].shape, axis) for name, axis in self.inputs.items())
        row_bytes = sum(array.nbytes for array in arrays.values()) / count * (1.0 + self.output_share)
        return StackableRequest(arrays, shapes, count, min(self.most_rows, int(MOST_BYTES / max(1.0, row_bytes))))

    def _count(self, arrays: Mapping[str, Array]) -> int:
        """How many entries all inputs have; 0 where they have not as many."""
        if arrays.keys() != self.inputs.keys():
            return 0
        counts = {_size(arrays[name], axis) for name, axis in self.inputs.items()}
        return counts.pop() if len(counts) == 1 else 0

    def join(self, requests: Sequence[Mapping[str, Array]]) -> TensorRequest:
        """Several as one. Raises `EngineError` where they are not of one shape."""
        try:
            return TensorRequest(
                {name: np.concatenate([r[name] for r in requests], axis) for name, axis in self.inputs.items()}
            )
        except ValueError:
            raise EngineError("the requests have other shapes") from None

    def split(self, outputs: Mapping[str, Array], counts: Sequence[int]) -> list[dict[str, Array]]:
        """Copies of the parts that are of requests with so many entries. Raises `EngineError` for other shapes."""
        if outputs.keys() != self.outputs.keys():
            raise EngineError("the network gives other outputs for several requests")
        parts: list[dict[str, Array]] = [{} for _ in counts]
        ends = list(itertools.accumulate(counts))
        for name, array in outputs.items():
            axis = self.outputs[name]
            if _size(array, axis) != ends[-1]:
                raise EngineError(f"the output {name!r} cannot be cut apart by request")
            for part, start, end in zip(parts, [0, *ends], ends, strict=False):
                place = (*[slice(None)] * axis, slice(start, end))
                part[name] = np.array(array[place])
        return parts


def _size(array: Array, axis: int) -> int:
    return array.shape[axis] if axis < array.ndim else 0


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
