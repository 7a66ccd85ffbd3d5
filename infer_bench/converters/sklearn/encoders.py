"""scikit-learn's encoders and imputers. A missing string is the empty string in ONNX, which has no other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Block, Finiteness, Frame, Graph
from infer_bench.converters.sklearn.registry import refuse_rows, register_transformer
from infer_bench.converters.sklearn.storage import encoder_storage
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name
from infer_bench.typing import Array


def is_missing(value: Any) -> bool:
    """None, NaN and pandas.NA."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def is_text(values: Array) -> bool:
    """Whether the known values of a column are strings; raises `NotConvertible` for a mixture with numbers."""
    present = [value for value in np.asarray(values, dtype=object).ravel() if not is_missing(value)]
    strings = sum(isinstance(value, str) for value in present)
    if strings and strings != len(present):
        raise NotConvertible("a column mixes strings and numbers", "make it all strings and fit again")
    if not strings and any(not isinstance(value, (int, float, bool, np.number, np.bool_)) for value in present):
        raise NotConvertible("a column holds neither numbers nor strings", "turn it into one of both and fit again")
    return strings > 0


def to_text(values: Array) -> list[str]:
    """The known strings, the missing one as ""; raises `NotConvertible` when "" would have two meanings."""
    texts = ["" if is_missing(value) else str(value) for value in values]
    if len(set(texts)) != len(texts):
        raise NotConvertible('missing values and "" are different categories of one column', "fill the missing ones")
    return texts


def to_numbers(values: Array) -> Array:
    """The known numbers as double, missing ones as NaN; raises `NotConvertible` when double cannot hold them."""
    numbers = np.array([np.nan if is_missing(value) else float(value) for value in values], dtype=np.float64)
    if any(isinstance(v, (int, np.integer)) and int(n) != int(v) for n, v in zip(numbers, values, strict=True)):
        raise NotConvertible("a category is an integer beyond 2**53", "encode it as a string")
    return numbers


def look_up(g: Graph, column: Block, categories: Array, table: Array, strict: bool) -> str:
    """The row of `table` (len(categories) + 1, width) that belongs to each value; the last row is for unknown values.

    With `strict`, rows of unknown values are refused.
    """
    if column.text != is_text(categories) and len(categories):
        raise NotConvertible(
            f"a column of {'strings' if column.text else 'numbers'} meets an encoder of the other kind",
            "fit the encoder on the values that it will be given",
        )
    if column.text:
        match = g.op("Equal", column.tensor, g.const([to_text(categories)], str))
    else:
        numbers = to_numbers(categories)
        match = g.op("Equal", column.tensor, g.const(numbers[None, :]))
        if np.isnan(numbers).any():
            both = g.op("And", g.op("IsNaN", column.tensor), g.const(np.isnan(numbers)[None, :], np.bool_))
            match = g.op("Or", match, both)
    with_unknown = g.op("Pad", g.op("Cast", match, to=1), g.ints(0, 0, 0, 1), g.const(np.float32(1), np.float32))
    code = g.argmax(with_unknown)
    if strict:
        refuse_rows(g, g.op("Equal", g.op("Reshape", code, g.ints(-1, 1)), g.ints(len(categories))))
    return g.op("Gather", g.const(table), code, axis=0)


def _make_hot_table(encoder: Any, index: int) -> Array:
    """What OneHotEncoder gives for each known value of a column, and for an unknown one."""
    count = len(encoder.categories_[index])
    codes, infrequent = np.arange(count), None
    mappings = getattr(encoder, "_default_to_infrequent_mappings", None)
    if mappings is not None and mappings[index] is not None:
        codes = np.asarray(mappings[index])
        infrequent = int(codes[encoder._infrequent_indices[index][0]])
    width = int(codes.max()) + 1
    rows = np.eye(width)[codes]
    last = np.zeros(width)
    if infrequent is not None and encoder.handle_unknown in ("infrequent_if_exist", "warn"):
        last = np.eye(width)[infrequent]
    table = np.vstack([rows, last])
    drop = encoder._drop_idx_after_grouping
    return table if drop is None or drop[index] is None else np.delete(table, int(drop[index]), axis=1)


def _encode(g: Graph, encoder: Any, frame: Frame, tables: Sequence[Array]) -> Frame:
    categories, strict = encoder.categories_, getattr(encoder, "handle_unknown", "") == "error"
    if frame.width != len(categories):
        raise NotConvertible("an encoder is given another number of columns than it was fitted on")
    parts = [
        look_up(g, column, values, table, strict)
        for column, values, table in zip(frame.columns(g), categories, tables, strict=True)
        if table.shape[1]
    ]
    width = sum(table.shape[1] for table in tables)
    level = Finiteness.NO_INFINITY if any(np.isnan(table).any() for table in tables) else Finiteness.FINITE
    return Frame((Block(g.concat(parts), width),) if parts else (), (), level)


@register_transformer("OneHotEncoder", keeps=False)
def _write_one_hot(g: Graph, encoder: Any, frame: Frame) -> Frame:
    tables = [_make_hot_table(encoder, i) for i in range(len(encoder.categories_))]
    return replace(_encode(g, encoder, frame, tables), storage=encoder_storage(encoder))


@register_transformer("OrdinalEncoder", keeps=False)
def _write_ordinal(g: Graph, encoder: Any, frame: Frame) -> Frame:
    return _encode(g, encoder, frame, [_make_ordinal_table(encoder, i) for i in range(len(encoder.categories_))])


def _make_ordinal_table(encoder: Any, index: int) -> Array:
    codes = np.arange(len(encoder.categories_[index]), dtype=np.float64)
    mappings = getattr(encoder, "_default_to_infrequent_mappings", None)
    missing = getattr(encoder, "_missing_indices", {}).get(index)
    unknown = 0.0
    if mappings is not None and mappings[index] is not None:
        by_group = np.asarray(mappings[index], dtype=np.float64)  # without an entry for the missing value
        codes = by_group if missing is None else np.insert(by_group, missing, 0.0)
        if encoder.handle_unknown == "infrequent_if_exist":
            unknown = float(by_group[encoder._infrequent_indices[index][0]])
    if missing is not None:
        codes[missing] = encoder.encoded_missing_value
    if encoder.handle_unknown == "use_encoded_value":
        unknown = float(encoder.unknown_value)
    return np.append(codes, unknown)[:, None].astype(np.float64)


@register_transformer("TargetEncoder", keeps=False)
def _write_target(g: Graph, encoder: Any, frame: Frame) -> Frame:
    several = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    means = np.atleast_1d(encoder.target_mean_)
    tables = []
    for i in range(len(encoder.categories_)):
        columns = encoder.encodings_[i * several : (i + 1) * several]
        tables.append(np.column_stack([np.append(column, mean) for column, mean in zip(columns, means, strict=True)]))
    return _encode(g, encoder, frame, tables)


@register_transformer("SimpleImputer", keeps=False)
def _write_imputer(g: Graph, imputer: Any, frame: Frame) -> Frame:
    statistics = np.asarray(imputer.statistics_, dtype=object)
    columns = frame.columns(g)
    masks = [_mark_missing(g, column, imputer.missing_values) for column in columns]
    empty = [not imputer.keep_empty_features and is_missing(value) for value in statistics]
    places = [i for i, drop in enumerate(empty) if not drop]
    out = [_fill(g, columns[i], masks[i], statistics[i]) for i in places]
    if frame.storage != "dense":
        supports = [columns[i].support or columns[i].tensor for i in places]
        out = [replace(block, support=support) for block, support in zip(out, supports, strict=True)]
    if imputer.add_indicator:
        out += [Block(g.double(masks[i]), 1) for i in imputer.indicator_.features_]
    if any(block.text for block in out):
        return Frame(tuple(out))
    finiteness = Finiteness.FINITE if is_missing(imputer.missing_values) else frame.finiteness
    if frame.storage != "dense":
        return Frame(tuple(out), (), finiteness, "csc")
    return Frame.of(g.concat([block.tensor for block in out]), len(out), finiteness) if out else Frame(())


def _mark_missing(g: Graph, column: Block, marker: Any) -> str:
    if column.text:
        if not is_missing(marker) and not isinstance(marker, str):
            raise NotConvertible("SimpleImputer looks for a missing number among strings", "set missing_values to None")
        return g.op("Equal", column.tensor, g.const([["" if is_missing(marker) else marker]], str))
    if is_missing(marker):
        return g.op("IsNaN", column.tensor)
    return g.op("Equal", column.tensor, g.const([[float(marker)]]))


def _fill(g: Graph, column: Block, mask: str, value: Any) -> Block:
    if column.text != isinstance(value, str):
        raise NotConvertible("SimpleImputer fills a column with a value of another kind", "fill strings with strings")
    filler = g.const([[value]], str) if column.text else g.const([[float(value)]])
    return Block(g.op("Where", mask, filler, column.tensor), 1, column.text)


@register_transformer("MissingIndicator")
def _write_indicator(g: Graph, step: Any, frame: Frame) -> Frame:
    columns = frame.columns(g)
    if frame.text:
        raise NotConvertible(f"{get_class_name(step)} is given strings", "use SimpleImputer(add_indicator=True)")
    if not len(step.features_):
        return Frame(())
    marks = [g.double(_mark_missing(g, columns[i], step.missing_values)) for i in step.features_]
    sparse = step.sparse is True or (step.sparse == "auto" and frame.storage != "dense")
    return replace(Frame.of(g.concat(marks), len(marks)), storage="csc" if sparse else "dense")
