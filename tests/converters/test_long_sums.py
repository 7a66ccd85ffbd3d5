"""A float32 file of many trees stays within float32's tolerance, however long the sum."""

import lightgbm as lgb
import numpy as np
import onnx
import pytest

from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.trees.readers.lightgbm import read_lightgbm
from tests.converters.running import make_feeds, run_file

ROWS = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32).astype(np.float64)
QUIET = {"verbose": -1, "num_threads": 1, "num_leaves": 6, "min_data_in_leaf": 2}


@pytest.mark.parametrize("opset_ml", [5, 3])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1e6, 5e6)])
def test_a_thousand_trees(scale: float, shift: float, opset_ml: int) -> None:
    target = (ROWS[:, 0] + np.random.default_rng(1).normal(size=300)) * scale + shift
    booster = lgb.train({**QUIET, "objective": "l2", "learning_rate": 0.03}, lgb.Dataset(ROWS, target), 1000)
    ensemble = read_lightgbm(booster)
    model = write_onnx(ensemble, precision="float32", opset_ml=opset_ml, input_name="rows")  # type: ignore[arg-type]
    feeds = make_feeds(ensemble, ROWS, np.float32)
    values = run_file(model, feeds)["prediction"][:, 0].astype(np.float64)
    predictions = booster.predict(ROWS)
    assert np.max(np.abs(values - predictions) / np.maximum(1.0, np.abs(predictions))) <= 1e-6
    assert np.any(np.abs(values - predictions) > 0)


def test_a_large_mean_is_added_last() -> None:
    """Every leaf of the first tree holds the mean: added first, it would take digits from all that follow."""
    target = ROWS[:, 0] + np.random.default_rng(1).normal(size=300) + 1000.0
    booster = lgb.train({**QUIET, "objective": "l2", "learning_rate": 0.03}, lgb.Dataset(ROWS, target), 150)
    model = write_onnx(read_lightgbm(booster), precision="float32", input_name="rows")
    assert [node.op_type for node in onnx.load_from_string(model).graph.node] == ["TreeEnsemble"]
    values = run_file(model, {"rows": ROWS.astype(np.float32)})["prediction"][:, 0].astype(np.float64)
    assert np.max(np.abs(values / booster.predict(ROWS) - 1)) <= 1e-7


@pytest.mark.parametrize("shift", [0.0, 2.5])
@pytest.mark.parametrize("trees", [400, 500, 1000])
def test_probabilities_of_many_trees(trees: int, shift: float) -> None:
    """Balanced classes, and rare ones, whose sums start far from 0."""
    target = ROWS[:, 0] + np.random.default_rng(1).normal(size=300) > shift
    booster = lgb.train({**QUIET, "objective": "binary", "learning_rate": 0.05}, lgb.Dataset(ROWS, target), trees)
    ensemble = read_lightgbm(booster)
    outputs = run_file(
        write_onnx(ensemble, precision="float32", input_name="rows"), make_feeds(ensemble, ROWS, np.float32)
    )
    predictions = np.asarray(booster.predict(ROWS))
    assert np.abs(outputs["probabilities"][:, 1] - predictions).max() <= 1e-6
    assert outputs["label"].tolist() == (predictions > 0.5).astype(int).tolist()


def test_probabilities_of_several_classes() -> None:
    target = np.digitize(ROWS[:, 0] + np.random.default_rng(1).normal(size=300) / 2, [-0.5, 1.5])
    settings = {**QUIET, "objective": "multiclass", "num_class": 3, "learning_rate": 0.05}
    booster = lgb.train(settings, lgb.Dataset(ROWS, target), 200)
    ensemble = read_lightgbm(booster)
    outputs = run_file(
        write_onnx(ensemble, precision="float32", input_name="rows"), make_feeds(ensemble, ROWS, np.float32)
    )
    predictions = np.asarray(booster.predict(ROWS))
    assert np.abs(outputs["probabilities"] - predictions).max() <= 1e-6
    assert outputs["label"].tolist() == predictions.argmax(axis=1).tolist()
