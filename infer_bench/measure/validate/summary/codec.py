"""Values as text that gives the same values back, bit for bit: what a part of a comparison hands to a merge.

Numbers, text, lists, tuples, mappings, arrays and the dataclasses of a comparison, as MessagePack, deflated, in base64.
Nothing else can be in it: reading one runs no code.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import numpy as np

from infer_bench.data import Table
from infer_bench.errors import CannotRun
from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.summary.values import CandidateSummary, ComparisonSummary, LabelSentences
from infer_bench.report.common import ModelInfo, Notice
from infer_bench.report.validate import Cause, ComparedModel, ValidateResult
from infer_bench.request_choices import Fill, RequestChoices
from infer_bench.stats.agreement.comparison import Comparison
from infer_bench.stats.agreement.exact_sum import ExactSum
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.pair_sample import Sample
from infer_bench.stats.agreement.rounding import RoundingTally, SizeTally
from infer_bench.stats.agreement.sketch import Sketch
from infer_bench.stats.agreement.tally import Tally
from infer_bench.stats.agreement.worst_rows import Worst
from infer_bench.typing import ABSENT

_CLASSES = {
    kind.__name__: kind
    for kind in (
        *(CandidateSummary, Cause, Comparison, ComparisonSummary, ComparedModel, DifferingRows, ExactSum),
        *(
            Explanation,
            Fill,
            GroupComparison,
            LabelSentences,
            Limits,
            ModelInfo,
            Notice,
            RequestChoices,
            RoundingTally,
            Sample,
            SizeTally,
            Sketch,
        ),
        *(Table, Tally, ValidateResult, ValidateSettings, Worst),
    )
}
_LARGEST = 2**62
_NUMERIC = "fiub"
_LEVEL = 6


def pack(value: object) -> str:
    """`value` as text."""
    return base64.b64encode(zlib.compress(msgspec.msgpack.encode(_simplify(value)), _LEVEL)).decode()


def unpack(text: str) -> Any:
    """The value. Raises `CannotRun` where the text is damaged or something else."""
    try:
        return _restore(msgspec.msgpack.decode(zlib.decompress(base64.b64decode(text, validate=True))))
    except (
        *(ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError),
        *(binascii.Error, zlib.error, msgspec.DecodeError),
    ) as error:
        raise CannotRun(f"it does not hold a part of a comparison: {error}") from None


def _simplify(value: Any) -> Any:
    """`value` of None, bool, int, float, str, bytes and lists, of which the first item says what the list is."""
    if isinstance(value, np.ndarray):
        return _simplify_array(value)
    if isinstance(value, np.generic):
        return _simplify(value.item())
    if value is None or isinstance(value, bool | float | str | bytes):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else ["int", hex(value)]
    if isinstance(value, tuple | list):
        return ["tuple" if isinstance(value, tuple) else "list", *map(_simplify, value)]
    if isinstance(value, Mapping):
        return ["dict", *([_simplify(key), _simplify(item)] for key, item in value.items())]
    if value is ABSENT:
        return ["absent"]
    if is_dataclass(value) and type(value).__name__ in _CLASSES:
        return [type(value).__name__, *(_simplify(getattr(value, field.name)) for field in fields(value) if field.init)]
    raise TypeError(f"{type(value).__name__} is no part of a comparison")


def _simplify_array(array: Any) -> list[Any]:
    if array.dtype.kind in _NUMERIC:
        return ["array", array.dtype.str, list(array.shape), np.ascontiguousarray(array).tobytes()]
    if array.dtype.kind == "O":
        return ["objects", list(array.shape), *map(_simplify, array.ravel().tolist())]
    return ["strings", array.dtype.str, list(array.shape), *map(_simplify, array.ravel().tolist())]


def _restore(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, *items = value
    if kind in _CLASSES:
        return _CLASSES[kind](*map(_restore, items))
    return _RESTORERS[kind](items)


def _restore_array(items: list[Any]) -> Any:
    dtype, shape, content = items
    if np.dtype(dtype).kind not in _NUMERIC:
        raise ValueError(f"an array of {dtype}")
    return np.frombuffer(content, dtype=dtype).reshape(shape).copy()


def _restore_objects(items: list[Any]) -> Any:
    shape, *objects = items
    array = np.empty(len(objects), dtype=object)
    for place, item in enumerate(objects):
        array[place] = _restore(item)
    return array.reshape(shape)


def _restore_strings(items: list[Any]) -> Any:
    dtype, shape, *texts = items
    return np.array([_restore(text) for text in texts], dtype=dtype).reshape(shape)


_RESTORERS: dict[str, Callable[[list[Any]], Any]] = {
    "absent": lambda _: ABSENT,
    "array": _restore_array,
    "dict": lambda items: {_restore(key): _restore(item) for key, item in items},
    "int": lambda items: int(items[0], 16),
    "list": lambda items: [_restore(item) for item in items],
    "objects": _restore_objects,
    "strings": _restore_strings,
    "tuple": lambda items: tuple(_restore(item) for item in items),
}
