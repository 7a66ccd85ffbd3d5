"""Features that a float or a name rule can spoil: categories beyond float32's whole numbers, names with white space."""

from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.trees.readers.lightgbm import read_lightgbm
from tests.converters.running import FORMS, make_feeds, run_file

QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 2, "min_data_per_group": 1, "cat_smooth": 0, "cat_l2": 0}


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize("least", [2**24 - 3, 20_000_001])
def test_categories_that_float32_cannot_tell_apart(least: int, precision: Any, opset_ml: Any) -> None:
    random = np.random.default_rng(0)
    rows = np.column_stack([least + random.integers(0, 7, 300), random.normal(size=300)]).astype(np.float64)
    data = lgb.Dataset(rows, rows[:, 0] % 2 * 3 + rows[:, 1], categorical_feature=[0])
    booster = lgb.train({**QUIET, "objective": "l2", "num_leaves": 4}, data, 1)
    ensemble = read_lightgbm(booster)
    dtype = np.float64 if precision == "exact" else np.float32
    queries = np.column_stack([least + np.arange(-3, 12), np.zeros(15)]).astype(dtype).astype(np.float64)
    model = write_onnx(ensemble, precision=precision, opset_ml=opset_ml, input_name="rows")
    values = run_file(model, make_feeds(ensemble, queries, dtype))["prediction"][:, 0]
    assert np.allclose(values, booster.predict(queries), rtol=0, atol=1e-6)


def test_names_with_white_space_keep_their_columns() -> None:
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 3)), columns=["a\tb", "c d", "e\u00a0f"])
    booster = lgb.train({**QUIET, "objective": "l2"}, lgb.Dataset(frame, frame.iloc[:, 0]), 2)
    assert [feature.name for feature in read_lightgbm(booster).features] == booster.feature_name()
