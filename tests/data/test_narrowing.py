"""What several models hold of a column: the narrowest kind and dtype, and numbers that fit these."""

import numpy as np
import pytest

from infer_bench.data import Table, draw
from infer_bench.data.narrowing import hold, narrow
from infer_bench.model import Feature, ModelSpec

FLOAT, COUNT = Feature("x"), Feature("x", "integer")


def spec_of(*features: Feature) -> ModelSpec:
    return ModelSpec("raw", features, ("output",))


@pytest.mark.parametrize(
    ("own", "other", "kind", "dtype"),
    [
        (FLOAT, Feature("y", "integer", dtype="int64"), "integer", "int64"),
        (COUNT, Feature("y", dtype="float32"), "integer", "float32"),
        (Feature("x", "integer", dtype="int64"), Feature("y", "integer", dtype="uint8"), "integer", "uint8"),
        (Feature("x", dtype="float32"), Feature("y", dtype="float16"), "float", "float16"),
        (COUNT, Feature("y", "boolean", dtype="bool"), "boolean", "bool"),
        (Feature("x", "category", (0, 3)), Feature("y", "integer", dtype="int32"), "category", "int32"),
        (Feature("x", "category", (0, 3)), FLOAT, "category", ""),
        (Feature("x", "string"), Feature("y", "integer", dtype="int64"), "string", ""),
    ],
)
def test_the_narrower_of_two_is_taken(own: Feature, other: Feature, kind: str, dtype: str) -> None:
    (feature,) = narrow(spec_of(own), [("x", other)]).features
    assert (feature.name, feature.kind, feature.dtype) == ("x", kind, dtype)


@pytest.mark.parametrize(
    ("feature", "column", "values"),
    [
        (Feature("x"), [0.25, np.nan, np.inf], [0.25, np.nan, np.inf]),
        (Feature("x", "integer"), [0.4, 2.6, -7.5], [0, 3, -8]),
        (Feature("x", "integer"), [0.4, np.nan, np.inf], [0.0, np.nan, np.inf]),
        (Feature("x", "integer", dtype="float32"), [0.4, np.nan], [0.0, np.nan]),
        (Feature("x", "integer", dtype="int64"), [0.4, np.nan, np.inf], [0, 0, 0]),
        (Feature("x", "boolean"), [0.0, 0.5, np.nan], [0.0, 1.0, np.nan]),
        (Feature("x", "integer", dtype="uint8"), [-3.0, 300.0, 1e300], [0, 255, 255]),
        (Feature("x", "integer", dtype="int32"), [1e12, -1e12], [2**31 - 1, -(2**31)]),
        (Feature("x", "integer", dtype="int64"), [1e30, -1e30], [2**53, -(2**53)]),
        (Feature("x", "boolean", dtype="bool"), [0.0, 0.5, np.nan], [False, True, False]),
        (Feature("x", dtype="float16"), [1 / 3, 1e6, np.inf], [float(np.float16(1 / 3)), 65504.0, np.inf]),
        (Feature("x", "category", (0, 3), dtype="int64"), [3.5, -1.0, np.nan], [4.0, -1.0, 0.0]),
    ],
)
def test_numbers_become_such_as_the_feature_holds(feature: Feature, column: list[float], values: list[float]) -> None:
    table = hold(Table({"x": np.array(column)}), spec_of(feature))
    np.testing.assert_array_equal(table.columns["x"], np.array(values))
    assert table.columns["x"].dtype == np.array(values).dtype


def test_text_stays() -> None:
    column = np.array(["a", None], dtype=object)
    assert hold(Table({"x": column}), spec_of(Feature("x", "string"))).columns["x"] is column


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", ""])
def test_drawn_integers_lie_in_the_range_of_their_dtype(dtype: str) -> None:
    table = draw(spec_of(Feature("x", "integer", dtype=dtype)), {"x": (-3e38, -1.0, 1.0, 3e38)}, 500, seed=0)
    column = table.columns["x"]
    assert column.dtype == np.int64
    limits = np.iinfo(dtype or "int64")
    assert limits.min <= column.min()
    assert column.max() <= limits.max


def test_positions_in_tables_are_those_that_both_have() -> None:
    short, long = Feature("x", "integer", positions=(0, 6)), Feature("y", "integer", positions=(1, 50))
    spec = spec_of(FLOAT)
    assert narrow(spec, [("x", short), ("x", long)]).features[0].positions == (1, 6)
    assert narrow(spec, [("x", COUNT)]).features[0].positions is None
    apart = Feature("y", "integer", positions=(60, 90))
    assert narrow(spec, [("x", short), ("x", apart)]).features[0].positions == (0, 6)
