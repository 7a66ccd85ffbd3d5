"""A model of each family, trained in seconds, and the rows that it is asked."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROWS, FEATURES = 4_000, 30


@dataclass(frozen=True)
class Family:
    """A model of a family: `save` trains it and gives its path; `own` is who others are compared with."""

    name: str
    own: str
    save: Callable[[Path, Any, Any, int], Path]
    has_gaps: bool = True


def save_lightgbm(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A binary classifier."""
    import lightgbm

    path = folder / "lightgbm.txt"
    quiet = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1}
    lightgbm.train(quiet, lightgbm.Dataset(rows, target > 0), trees).save_model(path)
    return path


def save_xgboost(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A binary classifier."""
    import xgboost

    path = folder / "xgboost.json"
    quiet = {"objective": "binary:logistic", "max_depth": 6, "nthread": 1}
    xgboost.train(quiet, xgboost.DMatrix(rows, target > 0), trees).save_model(path)
    return path


def save_forest(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A pipeline of a scaler and a forest of a quarter of the trees."""
    import joblib
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    path, count = folder / "forest.joblib", max(1, trees // 4)
    forest = RandomForestRegressor(count, max_depth=10, random_state=0, n_jobs=1)
    model = make_pipeline(StandardScaler(), forest)
    joblib.dump(model.fit(np.nan_to_num(rows), target), path)
    return path


def save_bare_forest(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A forest of a quarter of the trees, alone."""
    import joblib
    from sklearn.ensemble import RandomForestRegressor

    path, count = folder / "bare_forest.joblib", max(1, trees // 4)
    joblib.dump(RandomForestRegressor(count, max_depth=10, random_state=0, n_jobs=1).fit(rows, target), path)
    return path


def save_catboost(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A binary classifier."""
    from catboost import CatBoostClassifier

    path = folder / "model.cbm"
    quiet = {"verbose": 0, "thread_count": 1, "allow_writing_files": False}
    CatBoostClassifier(iterations=trees, depth=6, **quiet).fit(rows, target > 0).save_model(str(path))
    return path


def save_network(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """An ONNX network of three full layers of random weights."""
    import onnx
    from onnx import helper, numpy_helper

    random, widths = np.random.default_rng(0), (FEATURES, 128, 128, 3)
    nodes, weights, value = [], [], "x"
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        matrix = random.normal(size=(inputs, outputs)) / inputs**0.5
        matrix /= np.logspace(0, 5, inputs)[:, None] if i == 0 else 1
        weights.append(numpy_helper.from_array(matrix.astype(np.float32), f"w{i}"))
        nodes += [helper.make_node("MatMul", [value, f"w{i}"], [f"m{i}"])]
        value = "y" if i == len(widths) - 2 else f"a{i}"
        nodes += [helper.make_node("Softmax" if value == "y" else "Tanh", [f"m{i}"], [value])]
    shapes = {"x": ["n", FEATURES], "y": ["n", widths[-1]]}
    x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items())
    graph = helper.make_graph(nodes, "network", [x], [y], weights)
    path = folder / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


FAMILIES = (
    Family("lightgbm", "lightgbm:feed=ndarray", save_lightgbm),
    Family("xgboost", "xgboost:feed=ndarray", save_xgboost),
    Family("sklearn", "sklearn:feed=ndarray", save_forest, has_gaps=False),
    Family("forest", "sklearn:feed=ndarray", save_bare_forest, has_gaps=False),
    Family("catboost", "catboost:feed=ndarray", save_catboost),
    Family("network", "onnxruntime:feed=ndarray", save_network, has_gaps=False),
)


def draw_rows() -> tuple[Any, Any]:
    """Rows (ROWS, FEATURES) with gaps, in the range of measurements and of timestamps, and a target (ROWS,)."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, FEATURES)).round(4) * np.logspace(0, 5, FEATURES)
    target = rows[:, 0] + np.sin(rows[:, 1]) + random.normal(size=ROWS) / 4
    rows[::11, 3] = np.nan
    return rows, target
