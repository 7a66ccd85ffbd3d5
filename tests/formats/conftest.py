"""Small models of each format, trained once."""

from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 3))
Y = (X[:, 0] + 0.1 * X[:, 1] > 0).astype(int)
Y3 = RANDOM.integers(0, 3, 200)
LETTERS = RANDOM.choice(list("uvwxyz"), 200)
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "k": pd.Categorical(LETTERS)})
BY_LETTER = np.isin(LETTERS, list("uwz")).astype(int)
QUIET: dict[str, Any] = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 3, "num_leaves": 6}


def lightgbm(data: Any = X, target: Any = Y, **parameters: Any) -> lgb.Booster:
    return lgb.train({**QUIET, **parameters}, lgb.Dataset(data, target), 4)


def xgboost(data: Any = X, target: Any = Y, **parameters: Any) -> xgb.Booster:
    return xgb.train({"nthread": 1, **parameters}, xgb.DMatrix(data, target, enable_categorical=True), 3)


@pytest.fixture(scope="session")
def lightgbm_text(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lightgbm") / "model"
    lightgbm(FRAME, BY_LETTER, objective="binary", min_data_per_group=1, cat_smooth=0, max_cat_to_onehot=1).save_model(
        path
    )
    return path.read_bytes()


@pytest.fixture(scope="session")
def xgboost_json(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("xgboost") / "model.json"
    xgboost(FRAME, BY_LETTER, max_cat_to_onehot=1).save_model(path)
    return path.read_bytes()


def save_onnx(path: Path, location: str | None = None) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.ones((3, 1), np.float32), "w")
    if location is not None:
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value=location)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weight])
    path.write_bytes(helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)]).SerializeToString())
