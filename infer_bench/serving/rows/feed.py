"""From the rows of several requests to one input of a session."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.engines.feeds.ndarray import NDArrayFeed
from infer_bench.engines.feeds.schema import Schema
from infer_bench.engines.onnxruntime.inputs import Tensor
from infer_bench.errors import EngineError
from infer_bench.model import Feature
from infer_bench.serving.rows.reader import NUMBERS
from infer_bench.serving.rows.rows import Record, Rows, as_numbers, rename
from infer_bench.typing import Array, Floats


def array_schema(session: Session) -> Schema | None:
    """The columns of a session that is fed one array of numbers; None for one that is fed in any other way."""
    feed: Any = session.preprocess
    return feed.schema if isinstance(feed, NDArrayFeed) and not feed.schema.codes else None


def number_tensors(session: Session) -> tuple[Tensor, ...]:
    """The tensors of an ONNX graph that takes nothing but numbers; none of any other session."""
    tensors = tuple(getattr(session, "tensors", ()))
    numeric = all(feature.kind in NUMBERS for feature in session.spec.features)
    return tensors if numeric and not any(tensor.dtype is object for tensor in tensors) else ()


class BatchFeed:
    """The feed of a session for the rows of several requests at once.

    Numbers for an array, or for an ONNX graph's tensors, are joined as they are; everything else goes through the
    session's own feed: one record as a record, several as a table.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._schema = array_schema(session)
        self._tensors = number_tensors(session)
        self._names, self._named = session.spec.feature_names, session.spec.named
        self.takes_numbers = self._schema is not None or bool(self._tensors)
        """Whether rows are joined as numbers."""

    def inputs(self, batch: Sequence[Rows]) -> Any:
        """What the session predicts. Raises `EngineError` for rows that do not fit it."""
        own = [rename(rows, self._names, named=self._named) for rows in batch]
        if not self.takes_numbers:
            records = [record for rows in own for record in rows.as_records()]
            return self._session.preprocess(records[0] if len(records) == 1 else self._table(records))
        matrices = [as_numbers(rows, self._names) for rows in own]
        matrix = matrices[0] if len(matrices) == 1 else np.concatenate(matrices)
        if self._schema is not None:
            return _narrow(matrix, self._schema.dtype)
        blocks = {tensor.name: self._block(matrix, tensor) for tensor in self._tensors}
        return blocks[self._tensors[0].name] if len(blocks) == 1 and self._tensors[0].plain else blocks

    def _block(self, matrix: Floats, tensor: Tensor) -> Array:
        columns = slice(tensor.start, tensor.start + tensor.width)
        block = matrix[:, columns]
        if np.dtype(tensor.dtype).kind not in "f" and not np.isfinite(block).all():
            name = self._names[columns][int(np.argwhere(~np.isfinite(block))[0, 1])]
            raise EngineError(f"column {name!r} is missing, and the model takes none that are")
        block = _narrow(block, tensor.dtype)
        return block.reshape((len(block), *tensor.inner)) if tensor.inner or tensor.batch is None else block

    def _table(self, records: Sequence[Record]) -> dict[str, Array]:
        features = self._session.spec.features or [Feature(name, "string") for name in _keys(records)]
        present = [feature for feature in features if any(feature.name in record for record in records)]
        return {f.name: _column(f, [record.get(f.name) for record in records]) for f in present}


def _keys(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def _column(feature: Feature, values: list[Any]) -> Array:
    """The column as the engines' tables hold it: float64 where it is numbers, else objects."""
    kinds = {type(value) for value in values}
    if feature.kind in ("float", "integer", "boolean") or kinds <= {int, float, type(None)}:
        if kinds == {int}:
            return np.array(values, dtype=np.int64) if all(-(2**63) <= v < 2**63 for v in values) else _floats(values)
        return np.array(values, dtype=np.bool_) if kinds == {bool} else _floats(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _narrow(matrix: Floats, dtype: Any) -> Array:
    if matrix.dtype == dtype:
        return np.ascontiguousarray(matrix)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(matrix, dtype=dtype)


def _floats(values: list[Any]) -> Array:
    return np.array(values, dtype=np.float64)
