"""The reference's columns for another model: by name where both have names, by place where one has none."""

from pathlib import Path

import numpy as np
import pytest

from infer_bench.data import Dataset, Table, match
from infer_bench.errors import DataError
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder, columns_for, note_mapping, note_match
from infer_bench.model import Feature, ModelSpec


def named(*names: str) -> ModelSpec:
    return ModelSpec("raw", tuple(Feature(name) for name in names), ("y",))


def unnamed(count: int) -> ModelSpec:
    return ModelSpec("raw", tuple(Feature(f"f{i}", invented=True) for i in range(count)), ("y",))


def sources(spec: ModelSpec, reference: ModelSpec) -> dict[str, str]:
    """By each column of the model the reference's column that it is fed."""
    table = Table({name: np.array([float(i)]) for i, name in enumerate(reference.feature_names)})
    columns = columns_for(table, spec, reference, "b.onnx")
    return {name: reference.feature_names[int(column[0])] for name, column in columns.items()}


def sentences(spec: ModelSpec, reference: ModelSpec) -> list[str]:
    return [notice.message for notice in note_mapping(spec, reference, "b.onnx")]


def test_names_are_matched_where_both_sides_have_them() -> None:
    assert sources(named("c", "a"), named("a", "b", "c")) == {"c": "c", "a": "a"}
    assert sentences(named("c", "a"), named("a", "c")) == []
    assert sentences(named("c", "a"), named("a", "b", "c")) == [
        "b.onnx takes 2 of the reference's 3 columns, and not 'b': what stands there changes nothing for it"
    ]


def test_an_invented_name_is_not_matched_with_a_real_one() -> None:
    """A converter that sorts columns by name would be called right."""
    reference = named("f2", "f0", "f1")
    assert sources(unnamed(3), reference) == {"f0": "f2", "f1": "f0", "f2": "f1"}
    sentence = "b.onnx does not name its columns: they were taken in the reference's order, so that column 1 is 'f2'"
    assert sentences(unnamed(3), reference) == [sentence]


def test_the_reference_may_be_the_one_without_names() -> None:
    assert sources(named("f2", "f0"), unnamed(2)) == {"f2": "f0", "f0": "f1"}
    sentence = "the reference does not name its columns: b.onnx's were taken in their order, so that column 2 is 'f0'"
    assert sentences(named("f2", "f0"), unnamed(2)) == [sentence]


def test_places_are_matched_where_neither_has_names_or_they_are_others() -> None:
    assert sources(unnamed(2), unnamed(2)) == {"f0": "f0", "f1": "f1"}
    assert sentences(unnamed(2), unnamed(2)) == []
    assert sources(named("x", "y"), named("a", "b")) == {"x": "a", "y": "b"}
    assert sentences(named("x", "y"), named("a", "b")) == [
        "b.onnx has other names for its columns: they were taken in the reference's order"
    ]


def test_as_many_columns_are_needed_where_names_do_not_tell() -> None:
    with pytest.raises(DataError, match=r"b\.onnx takes 2 columns, the reference 3"):
        sources(unnamed(2), named("f0", "f1", "f2"))


def test_what_is_said_of_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.zeros((2, 2)))
    np.savez(tmp_path / "rows.npz", f1=np.zeros(2), f0=np.zeros(2))
    array, table = Dataset.open(tmp_path / "rows.npy"), Dataset.open(tmp_path / "rows.npz")

    def sentences_on(dataset: Dataset, spec: ModelSpec, order: ColumnOrder = NO_ORDER) -> list[str]:
        column_match = match(dataset.columns, spec, named=dataset.named, order=order.names)
        return [notice.message for notice in note_match(column_match, dataset, "model", order)]

    assert sentences_on(array, named("a", "b")) == [
        "rows.npy does not name its columns: they were taken in the model's order"
    ]
    assert sentences_on(array, unnamed(2)) == sentences_on(table, named("f0", "f1")) == []
    assert sentences_on(table, unnamed(2)) == [
        "the model has no column names: the 2 columns of rows.npz were taken in order, so that column 1 is 'f1'"
    ]
    assert sentences_on(table, unnamed(2), ColumnOrder("a.pkl", ("f1", "f0"))) == [
        "the model has no column names: the columns of rows.npz were taken in the order of a.pkl, "
        "so that column 1 is 'f1'"
    ]
