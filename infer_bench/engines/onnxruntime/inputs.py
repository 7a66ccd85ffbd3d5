"""How a request becomes the inputs of an ONNX graph: one tensor of all columns, or one tensor a column."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Request, make_features
from infer_bench.engines.feeds.schema import Schema, is_table, number, numbers, refuse_strangers, require_known
from infer_bench.errors import EngineError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import Feature, Kind
from infer_bench.typing import Array

DTYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}
_KINDS: Mapping[str, Kind] = {"f": "float", "i": "integer", "u": "integer", "b": "boolean", "O": "string"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input of the graph: `width` columns from `start` on. `inner` is its shape behind the batch axis."""

    name: str
    dtype: Any
    width: int
    start: int
    inner: tuple[int, ...]
    batch: int | None

    @property
    def plain(self) -> bool:
        """True for a (rows, columns) tensor of float32 or float64, which a feed fills as it stands."""
        return len(self.inner) == 1 and np.dtype(self.dtype) in (np.dtype(np.float32), np.dtype(np.float64))


def read_tensors(inputs: Sequence[Any], width: int | None = None) -> list[Tensor]:
    """The graph's inputs; `width` is that of a single input that does not say it. Raises `EngineError` if unknown."""
    tensors: list[Tensor] = []
    for value in inputs:
        if value.type not in DTYPES:
            raise EngineError(f"the input {value.name!r} is a {value.type}, which no column can fill")
        shape = list(value.shape)
        if width is not None and len(inputs) == 1 and len(shape) == 2 and not isinstance(shape[1], int):
            shape[1] = width
        inner = tuple(shape[1:])
        if not all(isinstance(size, int) for size in inner):
            raise EngineError(f"the input {value.name!r} does not say how many columns it has: {shape}")
        batch = shape[0] if shape and isinstance(shape[0], int) else None
        start = sum(tensor.width for tensor in tensors)
        tensors.append(Tensor(value.name, DTYPES[value.type], math.prod(inner), start, inner, batch))
    if not tensors:
        raise EngineError("the graph has no input")
    return tensors


def features(tensors: Sequence[Tensor]) -> tuple[Feature, ...]:
    """The columns: named after inputs of one column each, `input_0`, … for wider ones, `f0`, … for a single tensor."""
    if len(tensors) == 1 and (tensors[0].width > 1 or tensors[0].inner):
        return make_features(tensors[0].width, kind=_kind(tensors[0]))
    columns: list[Feature] = []
    for tensor in tensors:
        names = [tensor.name] if tensor.width == 1 else [f"{tensor.name}_{i}" for i in range(tensor.width)]
        columns += [Feature(name, _kind(tensor), invented=tensor.width > 1) for name in names]
    return tuple(columns)


def with_dtypes(columns: Sequence[Feature], tensors: Sequence[Tensor]) -> tuple[Feature, ...]:
    """The columns, each with the dtype of the tensor that it fills; none for text."""
    dtypes = [np.dtype(tensor.dtype) for tensor in tensors for _ in range(tensor.width)]
    pairs = zip(columns, dtypes, strict=True)
    return tuple(replace(column, dtype="" if dtype.kind == "O" else dtype.name) for column, dtype in pairs)


def with_known_texts(
    columns: Sequence[Feature], tensors: Sequence[Tensor], texts: Mapping[tuple[str, int], tuple[str, ...]]
) -> tuple[Feature, ...]:
    """The columns of text with those that the graph's encoders list, by input and place, as examples."""
    places = [(tensor.name, place) for tensor in tensors for place in range(tensor.width)]
    return tuple(
        replace(column, examples=texts[place]) if column.kind == "string" and place in texts else column
        for column, place in zip(columns, places, strict=True)
    )


def with_positions(
    columns: Sequence[Feature], tensors: Sequence[Tensor], uses: Mapping[str, InputUse]
) -> tuple[Feature, ...]:
    """The columns that look up rows of a table, with that table's positions; of floats too, which a graph may cast."""
    by_column = [uses.get(tensor.name, InputUse()) for tensor in tensors for _ in range(tensor.width)]
    ranges = [None if use.high is None else (use.low, use.high) for use in by_column]
    return tuple(replace(column, positions=own) for column, own in zip(columns, ranges, strict=True))


def _kind(tensor: Tensor) -> Kind:
    return _KINDS[np.dtype(tensor.dtype).kind]


def make_feed(
    tensors: Sequence[Tensor], columns: Sequence[Feature], categorical: Sequence[str], options: Mapping[str, str]
) -> Callable[[Request], Any]:
    """The feed: of a single plain tensor its array, else {input: array}."""
    if len(tensors) == 1 and tensors[0].plain:
        feed = feeds.make_feed(feeds.make_schema(columns, options, tensors[0].dtype, categorical), options["feed"])
        return _with_batch_check(
            tensors[0], _as_array(feed, tensors[0].dtype) if options["feed"] == "dataframe" else feed
        )
    if options["feed"] == "packed":
        raise EngineError("packed fills one float tensor, and this graph takes other inputs", "use feed=ndarray")
    plan = feeds.make_schema(columns, options, np.float64, categorical)
    return _frames(tensors, plan) if options["feed"] == "dataframe" else _Columns(tensors, plan)


def _as_array(feed: feeds.Feed, dtype: Any) -> feeds.Feed:
    import pandas as pd

    def to_array(request: Request) -> Any:
        frame = feed(request)
        coded = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
        if coded:
            frame = frame.assign(**{name: frame[name].cat.codes.replace(-1, np.nan) for name in coded})
        return np.ascontiguousarray(frame.to_numpy(dtype=dtype))

    return to_array


def _with_batch_check(tensor: Tensor, feed: feeds.Feed) -> feeds.Feed:
    if tensor.batch is None:
        return feed

    def check_and_feed(request: Request) -> Any:
        array = feed(request)
        _require_batch(tensor, len(array))
        return array

    return check_and_feed


def _require_batch(tensor: Tensor, rows: int) -> None:
    if tensor.batch is not None and tensor.batch != rows:
        raise EngineError(
            f"the model takes batches of exactly {tensor.batch}, and the request has {rows} rows",
            f"use --batch {tensor.batch}, or export the model with a free batch axis",
        )


class _Columns:
    """Request → {input: array}, each filled column by column, of any dtype."""

    def __init__(self, tensors: Sequence[Tensor], plan: Schema) -> None:
        self._tensors = tensors
        self._plan = plan

    def __call__(self, request: Request) -> dict[str, Array]:
        """The graph's inputs. Raises `EngineError` for a value that its input cannot hold."""
        table = is_table(request)
        refuse_strangers(self._plan, request)
        if table:
            require_known(self._plan, request)
        rows = len(next(iter(request.values()))) if table else 1
        arrays = {}
        for tensor in self._tensors:
            _require_batch(tensor, rows)
            block = self._block(tensor, request, rows, table=table)
            arrays[tensor.name] = (
                block.reshape((rows, *tensor.inner)) if tensor.inner or tensor.batch is None else block
            )
        return arrays

    def _block(self, tensor: Tensor, request: Request, rows: int, *, table: bool) -> Array:
        block = np.empty((rows, tensor.width), dtype=tensor.dtype)
        for i, name in enumerate(self._plan.names[tensor.start : tensor.start + tensor.width]):
            block[:, i] = self._cells(name, request.get(name, _ABSENT), tensor.dtype, table=table)
        return block

    def _cells(self, name: str, value: Any, dtype: Any, *, table: bool) -> Any:
        if dtype is object:
            return _texts(value, table=table)
        codes = self._plan.codes.get(name)
        values = self._plan.fill if value is _ABSENT else value
        if codes is not None:
            categories = values.tolist() if isinstance(values, np.ndarray) else [values]
            values = np.array([codes.get(value, np.nan) for value in categories])
        elif isinstance(values, np.ndarray):
            values = numbers(name, values)
        else:
            values = number(name, values)
        return _narrow(name, values, np.dtype(dtype))


_ABSENT = object()


def _texts(value: Any, *, table: bool) -> Any:
    if value is _ABSENT:
        return ""
    if not table:
        return _text(value)
    texts = np.empty(len(value), dtype=object)
    texts[:] = [_text(text_) for text_ in value.tolist()]
    return texts


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _narrow(name: str, values: Any, dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "iu" and not np.isfinite(values).all():
        raise EngineError(f"column {name!r} is missing, and the model takes integers there", "use fill=zero")
    return np.asarray(values).astype(dtype)


def _frames(tensors: Sequence[Tensor], plan: Schema) -> Callable[[Request], Any]:
    from infer_bench.engines.feeds.dataframe import FrameFeed

    build, fill = FrameFeed(plan), _Columns(tensors, plan)

    def from_frame(request: Request) -> Any:
        frame = build(request)
        return fill({name: frame[name].to_numpy() for name in plan.names})

    return from_frame
