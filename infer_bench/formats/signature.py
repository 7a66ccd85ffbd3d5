"""What an ONNX graph takes and gives, and whether its inputs are the columns of rows or the tensors of a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.errors import ModelError
from infer_bench.formats.input_names import is_batch, is_certain_batch, is_state, is_time
from infer_bench.formats.protobuf import Message, fields, integers, messages, text
from infer_bench.model import TensorInput

DESCRIPTION = "infer_bench.spec"
"""The metadata key under which a converter describes its model."""
TENSORS = "infer_bench.tensors"
"""The metadata key of a converted network: its inputs are tensors, whatever they look like."""
MOST_COLUMNS = 4096
"""A single matrix that is wider is no table."""
_DTYPES = (
    *("", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64"),
    *("object", "bool", "float16", "float64", "uint32", "uint64"),
)
"""By the number that ONNX's `TensorProto.DataType` gives them; of those that follow, NumPy has none that may cross."""
_WIDE_UNSIGNED = ("uint16", "uint32", "uint64")
"""Types that no column has."""
_TREES = "ai.onnx.ml"
_CLASSIFIERS = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")
_IR_VERSION, _GRAPH, _METADATA, _NODES, _INITIALISERS, _INPUTS, _OUTPUTS, _SPARSE = 1, 7, 14, 1, 5, 11, 12, 15
_NAME, _TENSOR_NAME, _OP, _DOMAIN, _KEY = 1, 8, 4, 7, 1
_TYPE, _TENSOR, _ELEMENT, _SHAPE, _DIMENSION, _SIZE, _SYMBOL = 2, 1, 1, 2, 1, 1, 2
_FIRST_WITH_DEFAULTS = 4
"""Before this version of the format every initialiser had to be listed as an input."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The graph's inputs, those of a default last and `optional`; the names of its outputs; what kind of model it is.

    Inputs that are no tensors (sequences, maps) have an empty dtype and no shape. `is_network`: the inputs are tensors,
    not columns, or the outputs are no predictions of rows. `gives_numbers`: some output may be of them.
    """

    inputs: tuple[TensorInput, ...]
    outputs: tuple[str, ...]
    is_network: bool
    gives_numbers: bool = True


def read_signature(data: Any) -> Signature:
    """The signature of a file's bytes, also mapped ones. Raises `ModelError` for bytes that are no ONNX model."""
    model = memoryview(data)
    try:
        graph = next(messages(model, _GRAPH))
        initialisers = _stored_names(graph)
        version = next(iter(integers(model, _IR_VERSION)), 0)
        tensors = [_read_input(value, initialisers) for value in messages(graph, _INPUTS)]
        inputs = [tensor for tensor in tensors if version >= _FIRST_WITH_DEFAULTS or not tensor.optional]
        outputs = list(messages(graph, _OUTPUTS))
        required = [tensor for tensor in inputs if not tensor.optional]
        keys = {_text(entry, _KEY) for entry in messages(model, _METADATA)}
        has_ml_operators = _has_ml_operators(graph)
        gives_numbers = _lists_classes(graph) or not outputs or any(map(_may_be_numbers, outputs))
        is_of_rows = TENSORS not in keys and are_columns(required, has_ml_operators=has_ml_operators)
        is_table = DESCRIPTION in keys or (is_of_rows and gives_numbers)
    except (ValueError, StopIteration) as error:
        raise ModelError(f"the file is no ONNX model: {error or 'it has no graph'}") from None
    inputs.sort(key=lambda tensor: tensor.optional)
    names = tuple(_text(output, _NAME) for output in outputs)
    return Signature(tuple(inputs), names, not is_table, gives_numbers)


def _stored_names(graph: Message) -> set[str]:
    names = {_text(tensor, _TENSOR_NAME) for tensor in messages(graph, _INITIALISERS)}
    sparse = (tensor for pair in messages(graph, _SPARSE) for tensor in messages(pair, 1))  # its values have the name
    return names | {_text(tensor, _TENSOR_NAME) for tensor in sparse}


def _read_input(value: Message, initialisers: set[str]) -> TensorInput:
    name = _text(value, _NAME)
    tensor = next((t for kind in messages(value, _TYPE) for t in messages(kind, _TENSOR)), None)
    if tensor is None:
        return TensorInput(name, "", None, optional=name in initialisers)
    number = next(iter(integers(tensor, _ELEMENT)), 0)
    dtype = _DTYPES[number] if 0 <= number < len(_DTYPES) else ""
    shape = next((_read_shape(shape) for shape in messages(tensor, _SHAPE)), None)
    return TensorInput(name, dtype, shape, find_batch_axis(name, shape), name in initialisers)


def _read_shape(shape: Message) -> tuple[int | str | None, ...]:
    return tuple(read_size(dimension) for dimension in messages(shape, _DIMENSION))


def read_size(dimension: Message) -> int | str | None:
    """A fixed size, a symbol, or None where the axis is free and has no name of its own."""
    symbol = _text(dimension, _SYMBOL)
    if symbol.strip() not in ("", "?", "-1", "None"):
        return symbol
    size = next(iter(integers(dimension, _SIZE)), None)
    has_size = any(number == _SIZE for number, _, _ in fields(dimension))
    return size if has_size and size is not None and size >= 0 else None


def find_batch_axis(name: str, shape: Sequence[int | str | None] | None) -> int | None:
    """The axis along which requests are stacked: one that is called so, else the first where that is free.

    Never a time axis. A state's is its only free axis, which is rarely the first one. None where there is none.
    """
    free = [axis for axis, size in enumerate(shape or ()) if not isinstance(size, int)]
    named = [axis for axis in free if shape is not None and _is_named_batch(name, shape, axis)]
    if named:
        return named[0]
    if shape is None or not free or (is_state(name) and len(free) > 1):
        return None
    return free[0] if (free[0] == 0 or is_state(name)) and not is_time(shape[free[0]]) else None


def _is_named_batch(name: str, shape: Sequence[int | str | None], axis: int) -> bool:
    if is_certain_batch(shape[axis]):
        return True
    return is_batch(shape[axis]) and (axis == 0 or is_time(shape[0]) or is_state(name))


def _has_ml_operators(graph: Message) -> bool:
    return any(_text(node, _DOMAIN) == _TREES for node in messages(graph, _NODES))


def _lists_classes(graph: Message) -> bool:
    """Whether a classifier of rows says which labels there are: of others whole numbers and texts may be any."""
    return any(_text(node, _OP) in _CLASSIFIERS for node in messages(graph, _NODES))


def are_columns(inputs: Sequence[TensorInput], *, has_ml_operators: bool = False) -> bool:
    """Whether each input is a column, or a matrix of them, alone or beside a column.

    Operators of `ai.onnx.ml` work on rows, so that with them several matrices are columns too, and whole numbers.
    """
    shapes = [tensor.shape for tensor in inputs]
    if not inputs or any(shape is None or len(shape) not in (1, 2) for shape in shapes):
        return False
    if any(tensor.dtype in _WIDE_UNSIGNED for tensor in inputs):
        return False
    if any(shape and is_time(shape[0]) for shape in shapes):
        return False
    if has_ml_operators:
        return len(inputs) == 1 or all(shape and isinstance((1, *shape[1:])[-1], int) for shape in shapes)
    columns = [tensor for tensor in inputs if _is_column(tensor, alone=len(inputs) == 1)]
    others = [tensor for tensor in inputs if tensor not in columns]
    return all(map(_is_matrix, others)) and (len(inputs) == 1 or bool(columns))


def _may_be_numbers(output: Message) -> bool:
    """Whether it is a tensor of floats, or of a type that nobody says.

    Whole numbers, truth values and text are places, masks and names; sequences have as many parts as they like.
    """
    kind = next(messages(output, _TYPE), None)
    if kind is None:
        return True
    numbers = [number for tensor in messages(kind, _TENSOR) for number in integers(tensor, _ELEMENT)]
    return any(number >= len(_DTYPES) or _DTYPES[number].startswith("float") for number in numbers)


def _is_matrix(tensor: TensorInput) -> bool:
    """Floats, a fixed number of them a request, as many as a table may have columns."""
    width = (tensor.shape or ())[-1]
    is_wide = tensor.shape is not None and len(tensor.shape) == 2 and isinstance(width, int)
    return is_wide and tensor.dtype.startswith("float") and 1 <= int(width or 0) <= MOST_COLUMNS


def _is_column(tensor: TensorInput, *, alone: bool) -> bool:
    """One value a request: a free axis, and no other or one of size 1."""
    shape = tensor.shape or ()
    if isinstance(shape[0], int) or shape[1:] not in ((), (1,)):
        return False
    return len(shape) == 2 or is_batch(shape[0]) or tensor.dtype == "object" or not alone


def _text(message: Message, number: int) -> str:
    return next(map(text, messages(message, number)), "")
