"""A model's inputs and outputs as tensors: which there are, and from a request's to rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.model import Feature
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.paths.dual_path import Answer
from infer_bench.serving.paths.served_model import ServedModel
from infer_bench.serving.rows.reader import RowReader
from infer_bench.serving.rows.rows import Rows
from infer_bench.serving.tensors.datatypes import DTYPES, datatype_of, is_numeric
from infer_bench.typing import Array

PREDICTIONS, LABELS = "predictions", "labels"
_KINDS = {"float": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES", "string": "BYTES"}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor's name, its datatype and its shape, whose first axis, -1, is the rows."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def describe(self) -> dict[str, Any]:
        """As the protocol says it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


class TensorSchema:
    """What a model takes and gives.

    A model that is fed one array of numbers takes one tensor (rows, columns), in the model's order, or its columns one
    by one, as (rows,) or (rows, 1); any other model takes its columns.
    """

    def __init__(self, model: ServedModel, reader: RowReader) -> None:
        self._reader = reader
        schema = model.schema
        features = model.spec.features
        self._matrix: TensorSpec | None = None
        if reader.is_matrix and schema is not None:
            datatype = datatype_of(np.empty(0, schema.dtype))
            self._matrix = TensorSpec(model.input_name, datatype, (-1, len(features)))
        columns = tuple(TensorSpec(f.name, _datatype(f), (-1, 1)) for f in features)
        self.inputs = columns if self._matrix is None else (self._matrix,)
        self._columns = {column.name: column for column in columns}
        self._labels = _label_datatype(model.spec.classes)
        outputs = [TensorSpec(PREDICTIONS, "FP64", (-1, len(model.spec.outputs)))]
        if self._labels:
            outputs.append(TensorSpec(LABELS, self._labels, (-1,)))
        self.outputs = tuple(outputs)

    def rows(self, tensors: Mapping[str, Array]) -> Rows:
        """The rows of a request. Raises `RequestFault` for tensors of other names, shapes or datatypes."""
        if not tensors:
            raise self._fault("the request has no input")
        if self._matrix is not None and self._matrix.name in tensors:
            return self._rows_of_matrix(self._matrix, tensors)
        strangers = [name for name in tensors if self._columns and name not in self._columns]
        if strangers:
            raise self._fault(f"the model has no input {strangers[0]!r}")
        columns = {name: self._column(name, tensor) for name, tensor in tensors.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise self._fault(f"the inputs have different numbers of rows: {sorted(set(lengths.values()))}")
        if not next(iter(lengths.values())):
            raise self._fault("the request has no rows")
        return self._reader.read_columns(columns)

    def _rows_of_matrix(self, spec: TensorSpec, tensors: Mapping[str, Array]) -> Rows:
        tensor = tensors[spec.name]
        if len(tensors) > 1:
            raise self._fault(f"beside {spec.name!r} there is no other input")
        self._check_datatype(spec, tensor)
        if tensor.ndim != 2 or tensor.shape[1] != spec.shape[1] or not len(tensor):
            shape = list(tensor.shape)
            raise self._fault(f"input {spec.name!r} has the shape {shape} instead of [rows, {spec.shape[1]}]")
        return self._reader.read_matrix(np.asarray(tensor, dtype=np.float64))

    def _column(self, name: str, tensor: Array) -> Array:
        if tensor.ndim > 2 or (tensor.ndim == 2 and tensor.shape[1] != 1):
            raise self._fault(f"input {name!r} has the shape {list(tensor.shape)} instead of [rows, 1]")
        if name in self._columns:
            self._check_datatype(self._columns[name], tensor)
        return tensor.reshape(-1)

    def _check_datatype(self, spec: TensorSpec, tensor: Array) -> None:
        """Any numbers are taken for numbers, since a double holds them; nothing else is taken for another thing."""
        datatype = datatype_of(tensor)
        if datatype != spec.datatype and not (is_numeric(datatype) and is_numeric(spec.datatype)):
            raise self._fault(f"input {spec.name!r} is {datatype} instead of {spec.datatype}")

    def _fault(self, message: str) -> RequestFault:
        return RequestFault(400, "columns", message, columns=[spec.name for spec in self.inputs])

    def answer(self, answer: Answer) -> dict[str, Array]:
        """The outputs by name."""
        outputs: dict[str, Array] = {PREDICTIONS: answer.predictions}
        if self._labels and answer.labels is not None:
            outputs[LABELS] = np.array(answer.labels, dtype=DTYPES[self._labels])
        return outputs


def _datatype(feature: Feature) -> str:
    if feature.kind == "category" and not any(isinstance(v, str) for v in feature.categories):
        return "FP64"
    return _KINDS[feature.kind]


def _label_datatype(classes: tuple[Any, ...]) -> str:
    """Of the labels; empty where there are none."""
    kinds = {type(label) for label in classes}
    if not kinds:
        return ""
    return {bool: "BOOL", int: "INT64", float: "FP64"}.get(kinds.pop(), "BYTES") if len(kinds) == 1 else "BYTES"
