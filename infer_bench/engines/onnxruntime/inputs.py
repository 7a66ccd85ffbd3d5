"""How a request becomes the inputs of an ONNX graph: one tensor of all columns, or one tensor a column."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Request, name_features
from infer_bench.engines.feeds.schema import Schema, is_table, number, numbers, refuse_strangers, require_known
from infer_bench.errors import EngineError
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


def tensors(inputs: Sequence[Any], width: int | None = None) -> list[Tensor]:
    """The graph's inputs; `width` is that of a single input that does not say it. Raises `EngineError` if unknown."""
    found: list[Tensor] = []
    for held in inputs:
        if held.type not in DTYPES:
            raise EngineError(f"the input {held.name!r} is a {held.type}, which no column can fill")
        shape = list(held.shape)
        if width is not None and len(inputs) == 1 and len(shape) == 2 and not isinstance(shape[1], int):
            shape[1] = width
        inner = tuple(shape[1:])
        if not all(isinstance(size, int) for size in inner):
            raise EngineError(f"the input {held.name!r} does not say how many columns it has: {shape}")
        batch = shape[0] if shape and isinstance(shape[0], int) else None
        start = sum(tensor.width for tensor in found)
        found.append(Tensor(held.name, DTYPES[held.type], math.prod(inner), start, inner, batch))
    if not found:
        raise EngineError("the graph has no input")
    return found


def features(found: Sequence[Tensor]) -> tuple[Feature, ...]:
    """The columns: named after inputs of one column each, `input_0`, … for wider ones, `f0`, … for a single tensor."""
    if len(found) == 1 and (found[0].width > 1 or found[0].inner):
        return tuple(Feature(name, _kind(found[0])) for name in name_features(found[0].width))
    listed: list[Feature] = []
    for tensor in found:
        called = [tensor.name] if tensor.width == 1 else [f"{tensor.name}_{i}" for i in range(tensor.width)]
        listed += [Feature(name, _kind(tensor)) for name in called]
    return tuple(listed)


def _kind(tensor: Tensor) -> Kind:
    return _KINDS[np.dtype(tensor.dtype).kind]


def make(
    found: Sequence[Tensor], columns: Sequence[Feature], encoded: Sequence[str], options: Mapping[str, str]
) -> Callable[[Request], Any]:
    """The feed: of a single plain tensor its array, else {input: array}."""
    if len(found) == 1 and found[0].plain:
        feed = feeds.make_feed(feeds.make_schema(columns, options, found[0].dtype, encoded), options["feed"])
        return _checked(found[0], _as_array(feed, found[0].dtype) if options["feed"] == "dataframe" else feed)
    if options["feed"] == "packed":
        raise EngineError("packed fills one float tensor, and this graph takes other inputs", "use feed=ndarray")
    plan = feeds.make_schema(columns, options, np.float64, encoded)
    return _frames(found, plan) if options["feed"] == "dataframe" else _Columns(found, plan)


def _as_array(feed: feeds.Feed, dtype: Any) -> feeds.Feed:
    import pandas as pd

    def to_array(request: Request) -> Any:
        frame = feed(request)
        coded = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
        if coded:
            frame = frame.assign(**{name: frame[name].cat.codes.replace(-1, np.nan) for name in coded})
        return np.ascontiguousarray(frame.to_numpy(dtype=dtype))

    return to_array


def _checked(tensor: Tensor, feed: feeds.Feed) -> feeds.Feed:
    if tensor.batch is None:
        return feed

    def checked(request: Request) -> Any:
        array = feed(request)
        _require_batch(tensor, len(array))
        return array

    return checked


def _require_batch(tensor: Tensor, rows: int) -> None:
    if tensor.batch is not None and tensor.batch != rows:
        raise EngineError(
            f"the model takes batches of exactly {tensor.batch}, and the request has {rows} rows",
            f"use --batch {tensor.batch}, or export the model with a free batch axis",
        )


class _Columns:
    """Request → {input: array}, each filled column by column, of any dtype."""

    def __init__(self, found: Sequence[Tensor], plan: Schema) -> None:
        self._tensors = found
        self._plan = plan

    def __call__(self, request: Request) -> dict[str, Array]:
        """The graph's inputs. Raises `EngineError` for a value that its input cannot hold."""
        table = is_table(request)
        refuse_strangers(self._plan, request)
        if table:
            require_known(self._plan, request)
        rows = len(next(iter(request.values()))) if table else 1
        made = {}
        for tensor in self._tensors:
            _require_batch(tensor, rows)
            block = self._block(tensor, request, rows, table=table)
            made[tensor.name] = block.reshape((rows, *tensor.inner)) if tensor.inner or tensor.batch is None else block
        return made

    def _block(self, tensor: Tensor, request: Request, rows: int, *, table: bool) -> Array:
        block = np.empty((rows, tensor.width), dtype=tensor.dtype)
        for i, name in enumerate(self._plan.names[tensor.start : tensor.start + tensor.width]):
            block[:, i] = self._cells(name, request.get(name, _ABSENT), tensor.dtype, table=table)
        return block

    def _cells(self, name: str, given: Any, dtype: Any, *, table: bool) -> Any:
        if dtype is object:
            return _texts(given, table=table)
        codes = self._plan.codes.get(name)
        values = self._plan.fill if given is _ABSENT else given
        if codes is not None:
            listed = values.tolist() if isinstance(values, np.ndarray) else [values]
            values = np.array([codes.get(value, np.nan) for value in listed])
        elif isinstance(values, np.ndarray):
            values = numbers(name, values)
        else:
            values = number(name, values)
        return _narrowed(name, values, np.dtype(dtype))


_ABSENT = object()


def _texts(given: Any, *, table: bool) -> Any:
    if given is _ABSENT:
        return ""
    if not table:
        return _text(given)
    texts = np.empty(len(given), dtype=object)
    texts[:] = [_text(value) for value in given.tolist()]
    return texts


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _narrowed(name: str, values: Any, dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "iu" and not np.isfinite(values).all():
        raise EngineError(f"column {name!r} is missing, and the model takes integers there", "use fill=zero")
    return np.asarray(values).astype(dtype)


def _frames(found: Sequence[Tensor], plan: Schema) -> Callable[[Request], Any]:
    from infer_bench.engines.feeds.dataframe import FrameFeed

    build, fill = FrameFeed(plan), _Columns(found, plan)

    def from_frame(request: Request) -> Any:
        frame = build(request)
        return fill({name: frame[name].to_numpy() for name in plan.names})

    return from_frame
