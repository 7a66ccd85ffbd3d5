"""A model's inputs and outputs as tensors: which there are, and from a request's to rows."""

import math
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
from infer_bench.typing import Array, Floats

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

    A model that is fed one array of numbers takes one tensor (rows, columns), its columns in the model's order, and an
    ONNX graph of numbers the tensors that it names itself. Any model takes its columns one by one, as (rows,) or
    (rows, 1), and one that is fed in another way takes nothing else.
    """

    def __init__(self, model: ServedModel, reader: RowReader) -> None:
        self._reader = reader
        own = _own_tensors(model) if reader.is_matrix else ()
        self._own = () if {spec.name for spec in own} == set(reader.names) else own
        columns = tuple(TensorSpec(f.name, _datatype(f), (-1, 1)) for f in model.spec.features)
        self.inputs = self._own or columns
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
        if tensors.keys() & {spec.name for spec in self._own}:
            return self._rows_of_own(tensors)
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

    def _rows_of_own(self, tensors: Mapping[str, Array]) -> Rows:
        strangers = [name for name in tensors if name not in {spec.name for spec in self._own}]
        missing = [spec.name for spec in self._own if spec.name not in tensors]
        if strangers or missing:
            raise self._fault(f"the model has no input {strangers[0]!r}" if strangers else f"{missing[0]!r} is missing")
        blocks = [self._block(spec, tensors[spec.name]) for spec in self._own]
        if len({len(block) for block in blocks}) > 1:
            raise self._fault(f"the inputs have different numbers of rows: {sorted({len(block) for block in blocks})}")
        return self._reader.read_matrix(blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1))

    def _block(self, spec: TensorSpec, tensor: Array) -> Floats:
        """A tensor as columns (rows, columns)."""
        self._check_datatype(spec, tensor)
        if tensor.ndim != len(spec.shape) or tensor.shape[1:] != spec.shape[1:] or not len(tensor):
            expected = ", ".join(map(str, ("rows", *spec.shape[1:])))
            raise self._fault(f"input {spec.name!r} has the shape {list(tensor.shape)} instead of [{expected}]")
        return np.asarray(tensor, dtype=np.float64).reshape(len(tensor), math.prod(spec.shape[1:]))

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


def _own_tensors(model: ServedModel) -> tuple[TensorSpec, ...]:
    """The tensors by which a model is fed."""
    if model.schema is not None:
        datatype = datatype_of(np.empty(0, model.schema.dtype))
        return (TensorSpec(model.input_name, datatype, (-1, len(model.spec.features))),)
    return tuple(TensorSpec(t.name, datatype_of(np.empty(0, t.dtype)), (-1, *t.inner)) for t in model.tensors)


def _datatype(feature: Feature) -> str:
    if feature.kind == "category" and not any(isinstance(v, str) for v in feature.categories):
        return "FP64"
    return datatype_of(np.empty(0, feature.dtype)) if feature.dtype else _KINDS[feature.kind]


def _label_datatype(classes: tuple[Any, ...]) -> str:
    """Of the labels; empty where there are none."""
    kinds = {type(label) for label in classes}
    if not kinds:
        return ""
    return {bool: "BOOL", int: "INT64", float: "FP64"}.get(kinds.pop(), "BYTES") if len(kinds) == 1 else "BYTES"
