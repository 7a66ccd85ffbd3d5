"""A model's inputs and outputs as tensors: which there are, and from a request's to rows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime.inputs import DTYPES as ONNX_DTYPES
from infer_bench.model import Feature, TensorInput
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.paths.dual_path import Answer
from infer_bench.serving.paths.served_model import ServedModel
from infer_bench.serving.rows.reader import RowReader
from infer_bench.serving.rows.rows import Rows
from infer_bench.serving.tensors.datatypes import DTYPES, datatype_of, is_numeric
from infer_bench.typing import Array, Floats

PREDICTIONS, LABELS = "predictions", "labels"
_DTYPE_NAMES = frozenset(dtype.name for dtype in DTYPES.values())
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
    ONNX graph of numbers the tensors that it names itself; one without classes gives its output by its own name. A
    network takes its tensors and gives all its outputs, of whatever shape. Any other model takes its columns one by
    one, as (rows,) or (rows, 1), and one that is fed in another way takes nothing else.
    """

    def __init__(self, model: ServedModel, reader: RowReader) -> None:
        self._reader, self._network = reader, model.spec.inputs
        own = _own_tensors(model) if reader.is_matrix else ()
        self._own = () if {spec.name for spec in own} == set(reader.names) else own
        self._own_names = frozenset(spec.name for spec in self._own)
        columns = tuple(TensorSpec(f.name, _datatype(f), (-1, 1)) for f in model.spec.features)
        self.inputs = self._own or columns
        self._columns = {column.name: column for column in columns}
        self._hashed = frozenset(f.name for f in model.spec.features if f.hashed)
        self._labels = _label_datatype(model.spec.classes)
        outputs = [TensorSpec(PREDICTIONS, "FP64", (-1, len(model.spec.outputs)))]
        if self._labels:
            outputs.append(TensorSpec(LABELS, self._labels, (-1,)))
        self._own_output = _own_output(model)
        self.outputs = tuple(outputs) if self._own_output is None else (self._own_output,)
        if self._network:
            self.inputs = tuple(map(_network_input, self._network))
            self.outputs = _network_outputs(model)

    def rows(self, tensors: Mapping[str, Array]) -> Rows:
        """The rows of a request. Raises `RequestFault` for tensors of other names, shapes or datatypes."""
        if not tensors:
            raise self._fault("the request has no input")
        if self._network:
            return self._request_of_network(tensors)
        if not self._own_names.isdisjoint(tensors):
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

    def _request_of_network(self, tensors: Mapping[str, Array]) -> Rows:
        """All tensors as the only record. Raises `RequestFault` for other names, datatypes and numbers of axes."""
        by_name = {tensor.name: tensor for tensor in self._network}
        strangers = [name for name in tensors if name not in by_name]
        missing = [tensor.name for tensor in self._network if tensor.name not in tensors and not tensor.optional]
        if strangers or missing:
            raise self._fault(f"the model has no input {strangers[0]!r}" if strangers else f"{missing[0]!r} is missing")
        for name, array in tensors.items():
            if not _fits(by_name[name], array):
                text = f"the input is {by_name[name]}, and the request has {array.dtype} {list(array.shape)}"
                raise self._fault(text)
        scalars = {name for name, tensor in by_name.items() if tensor.shape == ()}
        record = {name: array.reshape(()) if name in scalars else array for name, array in tensors.items()}
        return Rows((), None, [record])

    def _rows_of_own(self, tensors: Mapping[str, Array]) -> Rows:
        if tensors.keys() != self._own_names:
            strangers = [name for name in tensors if name not in self._own_names]
            missing = [spec.name for spec in self._own if spec.name not in tensors]
            raise self._fault(f"the model has no input {strangers[0]!r}" if strangers else f"{missing[0]!r} is missing")
        blocks = [self._block(spec, tensors[spec.name]) for spec in self._own]
        if len(blocks) == 1:
            return self._reader.read_matrix(blocks[0])
        if len({len(block) for block in blocks}) > 1:
            raise self._fault(f"the inputs have different numbers of rows: {sorted({len(block) for block in blocks})}")
        return self._reader.read_matrix(np.concatenate(blocks, axis=1))

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
        """Any numbers are taken for numbers, since a double holds them; nothing else is taken for another thing.

        But a category that is hashed may be of any type: its text is what the model knows.
        """
        datatype = datatype_of(tensor)
        if spec.name in self._hashed:
            return
        if datatype != spec.datatype and not (is_numeric(datatype) and is_numeric(spec.datatype)):
            raise self._fault(f"input {spec.name!r} is {datatype} instead of {spec.datatype}")

    def _fault(self, message: str) -> RequestFault:
        return RequestFault(400, "columns", message, columns=[spec.name for spec in self.inputs])

    def answer(self, answer: Answer) -> dict[str, Array]:
        """The outputs by name."""
        if answer.outputs is not None:
            return dict(answer.outputs[0])  # its tensors are one record
        if self._own_output is not None:
            rows, inner = len(answer.predictions), self._own_output.shape[1:]
            return {
                self._own_output.name: answer.predictions.astype(DTYPES[self._own_output.datatype]).reshape(
                    rows, *inner
                )
            }
        outputs: dict[str, Array] = {PREDICTIONS: answer.predictions}
        if self._labels and answer.labels is not None:
            outputs[LABELS] = np.array(answer.labels, dtype=DTYPES[self._labels])
        return outputs


def _fits(tensor: TensorInput, array: Array) -> bool:
    """A scalar comes as one of one element, since the protocol has none."""
    if array.dtype != np.dtype(tensor.dtype):
        return False
    shape = tensor.shape
    return shape is None or array.ndim == len(shape) or (shape == () and array.size == 1)


def _network_input(tensor: TensorInput) -> TensorSpec:
    """Axes that are free are -1; so is the only one of a tensor of any rank."""
    sizes = (None,) if tensor.shape is None else tensor.shape
    shape = tuple(size if isinstance(size, int) else -1 for size in sizes)
    return TensorSpec(tensor.name, datatype_of(np.empty(0, tensor.dtype)), shape)


def _network_outputs(model: ServedModel) -> tuple[TensorSpec, ...]:
    """As the file declares them, which a run may belie, or as a run has shown them."""
    declared = {tensor.name: tensor for tensor in model.declared_outputs}
    if declared:
        names = model.spec.output_names or declared
        return tuple(_network_input(declared[name]) for name in names if name in declared)
    library = getattr(model.session, "library_session", None)
    library_outputs = {value.name: value for value in library.get_outputs()} if library is not None else {}
    return tuple(_network_output(name, library_outputs.get(name)) for name in model.spec.output_names)


def _network_output(name: str, value: Any) -> TensorSpec:
    dtype, shape = (np.dtype(np.float32), (None,)) if value is None else (_read_dtype(value.type), value.shape or ())
    return TensorSpec(name, datatype_of(np.empty(0, dtype)), tuple(s if isinstance(s, int) else -1 for s in shape))


def _read_dtype(kind: str) -> np.dtype[Any]:
    """Of `tensor(float)`, and of the tensors of a sequence; float32 where it is a map of numbers."""
    name = kind.rpartition("tensor(")[2].partition(")")[0]
    dtype_name = {"float": "float32", "double": "float64", "string": "object"}.get(name, name)
    return np.dtype(dtype_name if dtype_name in _DTYPE_NAMES else "float32")


def _own_output(model: ServedModel) -> TensorSpec | None:
    """The output of a graph that no converter of rows made; of (rows, columns) where its own shape is not known."""
    value = getattr(model.session, "own_output", None)
    if value is None or value.type not in ONNX_DTYPES:
        return None
    shape, columns = tuple(value.shape[1:]), len(model.spec.outputs)
    is_known = bool(value.shape) and all(isinstance(size, int) for size in shape) and math.prod(shape) == columns
    datatype = datatype_of(np.empty(0, ONNX_DTYPES[value.type]))
    return TensorSpec(value.name, datatype, (-1, *(shape if is_known else (columns,))))


def _own_tensors(model: ServedModel) -> tuple[TensorSpec, ...]:
    """The tensors by which a model is fed."""
    if model.schema is not None:
        datatype = datatype_of(np.empty(0, model.schema.dtype))
        return (TensorSpec(model.input_name, datatype, (-1, len(model.spec.features))),)
    return tuple(TensorSpec(t.name, datatype_of(np.empty(0, t.dtype)), (-1, *t.inner)) for t in model.tensors)


def _datatype(feature: Feature) -> str:
    if feature.hashed:
        return "BYTES"
    if feature.kind == "category" and not any(isinstance(v, str) for v in feature.categories):
        return "FP64"
    return datatype_of(np.empty(0, feature.dtype)) if feature.dtype else _KINDS[feature.kind]


def _label_datatype(classes: tuple[Any, ...]) -> str:
    """Of the labels; empty where there are none."""
    kinds = {type(label) for label in classes}
    if not kinds:
        return ""
    return {bool: "BOOL", int: "INT64", float: "FP64"}.get(kinds.pop(), "BYTES") if len(kinds) == 1 else "BYTES"
