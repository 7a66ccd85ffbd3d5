"""From a model's inputs to the columns that its trees read: categories to codes, casts, missing values, rounding."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Graph
from infer_bench.errors import NotConvertible
from infer_bench.model import Feature
from infer_bench.trees.ensemble import LEAF, MEMBER, Dtype, Ensemble
from infer_bench.typing import Array, Bools, Ints

NUMBER: dict[Dtype, int] = {"float32": 1, "float64": 11}
"""ONNX's element types."""
INT64, STRING = 7, 8


@dataclass(frozen=True, slots=True)
class Inputs:
    """The graph's declared inputs, and the tensor (batch, features) of numbers and codes made of them."""

    infos: tuple[Any, ...]
    tensor: str


def is_text(feature: Feature) -> bool:
    """Whether a column holds strings; raises `NotConvertible` for categories of mixed types."""
    kinds = {isinstance(value, str) for value in feature.categories}
    if len(kinds) > 1:
        raise NotConvertible(
            f"the categories of {feature.name!r} are strings and numbers", "make them all strings and train again"
        )
    return kinds == {True}


def declare_inputs(g: Graph, ensemble: Ensemble, dtype: Dtype, name: str) -> Inputs:
    """Declare one tensor input, or one input a column where a column holds strings; categories become codes."""
    from onnx import helper

    features = ensemble.features
    if not any(is_text(feature) for feature in features):
        infos = (helper.make_tensor_value_info(name, NUMBER[dtype], [None, len(features)]),)
        return Inputs(infos, _encode_columns(g, features, dtype, name))
    if len({feature.name for feature in features}) != len(features):
        raise NotConvertible("two columns have one name", "give them different names and train again")
    columns, values = [], []
    for feature in features:
        _refuse_column(feature)
        kind = STRING if is_text(feature) else NUMBER[dtype]
        columns.append(helper.make_tensor_value_info(feature.name, kind, [None, 1]))
        values.append(_encode(g, feature, dtype, feature.name) if feature.categories else feature.name)
    return Inputs(tuple(columns), g.concat(values))


def _refuse_column(feature: Feature) -> None:
    """Raise `NotConvertible` where an input could not be told from an output, or a category from a missing value."""
    if feature.name in ("label", "probabilities", "prediction", ""):
        raise NotConvertible(f"an input cannot be named {feature.name!r}, as an output is", "rename it and train again")
    if "" in feature.categories:
        raise NotConvertible(
            f"the empty string is a category of {feature.name!r}, and a missing string is the empty string too",
            "name that category otherwise and train again",
        )


def fits(feature: Feature, dtype: Dtype) -> bool:
    """Whether numbers of this dtype tell the column's categories apart."""
    return all(isinstance(value, str) or float(np.dtype(dtype).type(value)) == value for value in feature.categories)


def _encode_columns(g: Graph, features: tuple[Feature, ...], dtype: Dtype, name: str) -> str:
    """The tensor with codes in place of the columns whose categories are numbers; other columns are taken in runs."""
    if not any(feature.categories for feature in features):
        return name
    parts: list[str] = []
    plain: list[int] = []
    for index, feature in enumerate(features):
        if not feature.categories:
            plain.append(index)
            continue
        if plain:
            parts.append(g.take(name, plain))
        parts.append(_encode(g, feature, dtype, g.take(name, [index])))
        plain = []
    return g.concat([*parts, g.take(name, plain)] if plain else parts)


def _encode(g: Graph, feature: Feature, dtype: Dtype, tensor: str) -> str:
    """The position of each value among the categories; NaN for any other."""
    number = np.dtype(dtype).type
    codes = np.arange(len(feature.categories)).astype(number)
    if is_text(feature):
        keys: dict[str, Any] = {"keys_strings": [str(value) for value in feature.categories]}
    else:
        keys = {"keys_tensor": _make_tensor(_list_numbers(feature, dtype))}
    g.domains["ai.onnx.ml"] = g.opset_ml
    if g.opset_ml >= 4:
        if "keys_strings" in keys:
            keys = {"keys_tensor": _make_strings(keys["keys_strings"])}
        default = _make_tensor(np.array([np.nan], dtype=number))
        return g.op(
            "LabelEncoder",
            tensor,
            domain="ai.onnx.ml",
            **keys,
            values_tensor=_make_tensor(codes),
            default_tensor=default,
        )
    if "keys_tensor" in keys:
        keys = {"keys_floats": _list_numbers(feature, "float32").tolist()}
        tensor = g.op("Cast", tensor, to=1) if dtype == "float64" else tensor
    codes_tensor = g.op(
        "LabelEncoder",
        tensor,
        domain="ai.onnx.ml",
        **keys,
        values_floats=codes.tolist(),
        default_float=float("nan"),
    )
    return g.op("Cast", codes_tensor, to=11) if dtype == "float64" else codes_tensor


def _list_numbers(feature: Feature, dtype: Dtype) -> Array:
    if not fits(feature, "float64"):
        raise NotConvertible(f"a category of {feature.name!r} is a whole number that no double holds", "use strings")
    if not fits(feature, dtype):
        raise NotConvertible(
            f"a category of {feature.name!r} is no {dtype}", "leave --precision and --opset-ml out, for a double input"
        )
    return np.array([float(value) for value in feature.categories]).astype(dtype)


def _make_tensor(values: Array) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(values, "t")


def _make_strings(values: list[str]) -> Any:
    from onnx import helper

    return helper.make_tensor("t", STRING, [len(values)], [value.encode() for value in values])


def read_columns(g: Graph, ensemble: Ensemble, tensor: str, input_dtype: Dtype, dtype: Dtype) -> tuple[str, Ints]:
    """The tensor that the trees read, in `dtype`, and the column of it that each node reads (nodes,).

    A feature that some nodes read as it is and others after rounding, or with zeros made NaN, becomes several columns.
    """
    tensor = cast_rows(g, ensemble, tensor, input_dtype, dtype)
    nodes, inner = ensemble.nodes, ensemble.nodes.mode != LEAF
    kind = np.where(nodes.mode == MEMBER, 2 if ensemble.rounding != "none" else 0, 0) + nodes.zero_missing
    if not kind[inner].any():
        return tensor, np.where(inner, nodes.feature, 0)
    pairs = np.unique(np.stack((nodes.feature[inner], kind[inner]), axis=1), axis=0)
    features, kinds = _lay_out(pairs, len(ensemble.features))
    if len(features) > len(ensemble.features):
        tensor = g.take(tensor, features)
    tensor = _mask_zeros(g, ensemble, tensor, kinds == 1, dtype)
    tensor = _round(g, ensemble, tensor, kinds == 2, dtype)
    place = {(int(f), int(k)): i for i, (f, k) in reversed(list(enumerate(zip(features, kinds, strict=True))))}
    table = np.zeros((len(ensemble.features), 3), dtype=np.int64)
    for (feature, which), at in place.items():
        table[feature, which] = at
    return tensor, np.where(inner, table[np.where(inner, nodes.feature, 0), kind], 0)


def _lay_out(pairs: Ints, count: int) -> tuple[Ints, Ints]:
    """Each column's feature and kind: the features in order, each with its first kind, then the further kinds."""
    first = np.ones(len(pairs), np.bool_)
    first[1:] = pairs[1:, 0] != pairs[:-1, 0]
    kinds = np.zeros(count, dtype=np.int64)
    kinds[pairs[first, 0]] = pairs[first, 1]
    more = pairs[~first]
    return np.concatenate((np.arange(count), more[:, 0])), np.concatenate((kinds, more[:, 1]))


def cast_rows(g: Graph, ensemble: Ensemble, tensor: str, input_dtype: Dtype, dtype: Dtype) -> str:
    """The tensor in `dtype`, by way of the dtype that the source library compares in; missing values NaN."""
    now = input_dtype
    if ensemble.row_dtype == "float32" and now == "float64":
        tensor, now = g.op("Cast", tensor, to=1), "float32"
    if ensemble.missing_value is not None:
        kind = np.dtype(now)
        value = np.dtype(ensemble.row_dtype).type(ensemble.missing_value)
        tensor = g.op("Where", g.op("Equal", tensor, g.const(value, kind)), g.const(np.nan, kind), tensor)
    return g.op("Cast", tensor, to=NUMBER[dtype]) if now != dtype else tensor


def _mask_zeros(g: Graph, ensemble: Ensemble, tensor: str, mask: Bools, dtype: Dtype) -> str:
    if not mask.any():
        return tensor
    near = g.op("LessOrEqual", g.op("Abs", tensor), g.const(ensemble.zero_band, np.dtype(dtype)))
    if not mask.all():
        near = g.op("And", near, g.const(mask[None, :], np.bool_))
    return g.op("Where", near, g.const(np.nan, np.dtype(dtype)), tensor)


def _round(g: Graph, ensemble: Ensemble, tensor: str, mask: Bools, dtype: Dtype) -> str:
    if not mask.any():
        return tensor
    down = g.op("Floor", tensor)
    if ensemble.rounding == "truncate":
        negative = g.op("Less", tensor, g.const(0.0, np.dtype(dtype)))
        down = g.op("Where", negative, g.op("Ceil", tensor), down)
    return down if mask.all() else g.op("Where", g.const(mask[None, :], np.bool_), down, tensor)
