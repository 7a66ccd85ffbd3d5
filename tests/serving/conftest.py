"""Models to serve, each trained once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.serving import application
from tests.engines.zoo import MAKERS, TINY, SavedModel


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], SavedModel]:
    models: dict[str, SavedModel] = {}

    def make(engine: str) -> SavedModel:
        if engine not in models:
            models[engine] = MAKERS[engine](tmp_path_factory.mktemp(engine))
        return models[engine]

    return make


@pytest.fixture(scope="session")
def binary(zoo: Callable[[str], SavedModel]) -> SavedModel:
    """LightGBM, two classes, four columns of numbers."""
    return zoo("lightgbm")


@pytest.fixture(scope="session")
def binary_app(binary: SavedModel) -> Any:
    return application(binary.model.path)


@pytest.fixture(scope="session")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX graph of two numbers that gives the probabilities of three classes with text labels."""
    onnx = pytest.importorskip("onnx")
    helper, path = onnx.helper, tmp_path_factory.mktemp("animals") / "animals.onnx"
    node = helper.make_node(
        "LinearClassifier",
        ["x"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        coefficients=[2.0, 0.0, 0.0, 2.0, -1.0, -1.0],
        intercepts=[0.0, 0.0, 0.0],
        classlabels_strings=["cat", "dog", "eel"],
        post_transform="SOFTMAX",
    )
    graph = helper.make_graph(
        [node],
        "animals",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 2])],
        [
            helper.make_tensor_value_info("label", onnx.TensorProto.STRING, ["N"]),
            helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, ["N", 3]),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


@pytest.fixture(scope="session")
def categories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LightGBM, a number and a category of text."""
    import pandas as pd
    from lightgbm import LGBMClassifier

    random = np.random.default_rng(3)
    colours = pd.Series(random.choice(["blue", "red"], 80), dtype="category")
    rows = pd.DataFrame({"size": random.normal(size=80), "colour": colours})
    model = LGBMClassifier(**{**TINY, "min_data_per_group": 1, "cat_smooth": 0.0})
    model.fit(rows, (rows["colour"] == "red").astype(int))
    path = tmp_path_factory.mktemp("categories") / "colours.txt"
    model.booster_.save_model(path)
    return path
