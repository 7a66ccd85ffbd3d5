"""Answers as they are kept while a load runs: so that those that are the same are told from others at once."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from infer_bench.typing import Array

MOST_BYTES = 256 << 20
"""So much memory do the answers fill that are kept."""
_NUMBER_BYTES = 32
"""What a float in a tuple takes, and a text beside its letters."""


class RecordedTensor(NamedTuple):
    """An output: its name, NumPy's name of its dtype, its shape, and its bytes, or of text its elements."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    content: bytes | tuple[str, ...]

    @property
    def array(self) -> Array:
        """The tensor."""
        if isinstance(self.content, bytes):
            return np.frombuffer(self.content, dtype=self.dtype).reshape(self.shape)
        texts = np.empty(len(self.content), dtype=object)
        texts[:] = self.content
        return texts.reshape(self.shape)


RecordedAnswer = tuple[float, ...] | tuple[RecordedTensor, ...]
AnswerCounts = dict[int, Counter[RecordedAnswer]]
"""Payload → each answer that was given to it, as its numbers in order or its tensors, and how often."""


def flatten_answer(predictions: Any) -> tuple[float, ...]:
    """The numbers of an answer in order; null is NaN."""
    return tuple(np.asarray(predictions, dtype=np.float64).ravel().tolist())


def record_outputs(outputs: Mapping[str, Array]) -> tuple[RecordedTensor, ...]:
    """All tensors of an answer."""
    return tuple(RecordedTensor(name, array.dtype.str, array.shape, _content(array)) for name, array in outputs.items())


def _content(array: Array) -> bytes | tuple[str, ...]:
    return tuple(map(str, array.ravel().tolist())) if array.dtype == object else array.tobytes()


def count_bytes(answer: RecordedAnswer) -> int:
    """About how much memory an answer fills."""
    return sum(map(_part_bytes, answer))


def _part_bytes(part: float | RecordedTensor) -> int:
    if not isinstance(part, RecordedTensor):
        return _NUMBER_BYTES
    if isinstance(part.content, bytes):
        return len(part.content)
    return sum(_NUMBER_BYTES + len(text) for text in part.content)
