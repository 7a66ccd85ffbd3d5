"""Trees read back from ONNX graphs: the writer's own, plain converters', and every kind of branch by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.errors import ModelError, NotConvertible
from infer_bench.measure.candidates.models import identify_model
from infer_bench.model import Feature, ModelSpec
from infer_bench.trees.ensemble import MEMBER, Ensemble, Link
from infer_bench.trees.evaluate import apply_links, score
from infer_bench.trees.probes import probe_rows
from infer_bench.trees.readers.lightgbm import read_lightgbm
from infer_bench.trees.readers.onnx.graph import read_onnx
from infer_bench.trees.readers.xgboost import read_xgboost
from infer_bench.workers.tasks import onnx_trees
from infer_bench.workers.tasks.onnx_trees import read_onnx_trees
from tests.measure.validate.causes.cases import lightgbm_text, xgboost_json

ENSEMBLES = {
    "binary": lambda: read_lightgbm(lightgbm_text("binary")),
    "steep": lambda: read_lightgbm(lightgbm_text("binary", sigmoid=2.0)),
    "classes": lambda: read_lightgbm(lightgbm_text("multiclass")),
    "one against all": lambda: read_lightgbm(lightgbm_text("multiclassova")),
    "regression": lambda: read_lightgbm(lightgbm_text("regression")),
    "forest": lambda: read_lightgbm(lightgbm_text("regression", boosting="rf", bagging_freq=1, bagging_fraction=0.7)),
    "xgboost": lambda: read_xgboost(xgboost_json().encode()),
    "quantiles": lambda: replace(
        read_lightgbm(lightgbm_text("multiclass")), links=(Link("sort", 3),), task="regression"
    ),
    "poisson": lambda: read_xgboost(xgboost_json("count:poisson").encode()),
}


def read(data: bytes, folder: Path) -> Ensemble:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return read_onnx_trees(identify_model(str(path)), {})


@pytest.mark.parametrize("opset", [3, 5])
@pytest.mark.parametrize("precision", ["exact", "float32"])
@pytest.mark.parametrize("name", ENSEMBLES)
def test_what_was_written_is_read(name: str, precision: Any, opset: Any, tmp_path: Path) -> None:
    ensemble = ENSEMBLES[name]()
    ensemble_read = read(write_onnx(ensemble, precision=precision, opset_ml=opset), tmp_path)
    assert (ensemble_read.trees, ensemble_read.task, ensemble_read.row_dtype) == (
        ensemble.trees,
        ensemble.task,
        "float32" if precision == "float32" else ensemble.row_dtype,
    )
    rows = np.concatenate(list(probe_rows(ensemble, limit=600).values()))
    rows = rows[np.abs(np.nan_to_num(rows, posinf=1e300)).max(axis=1) < 1e38].astype(np.float32).astype(np.float64)
    if ensemble.zero_band:
        rows = np.where(np.abs(rows) <= 2 * ensemble.zero_band, 0.0, rows)
    predictions = [apply_links(e.links, score(e, rows)) for e in (ensemble, ensemble_read)]
    assert np.allclose(predictions[0], predictions[1], rtol=1e-5, atol=1e-5)


def stump(mode: str, kind: str = "TreeEnsembleRegressor", tracks: int = 0, **more: Any) -> bytes:
    """One split of the first of two columns at 1.5."""
    from onnx import TensorProto, helper

    values: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_modes": [mode, "LEAF", "LEAF"],
        "nodes_values": [1.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "nodes_missing_value_tracks_true": [tracks, 0, 0],
        **more,
    }
    if kind == "TreeEnsembleRegressor":
        values |= {"target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0]}
        values |= {"target_weights": [3.0, -4.0], "n_targets": 1}
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])]
    else:
        values |= {"class_treeids": [0, 0], "class_nodeids": [1, 2], "class_ids": [1, 1]}
        values |= {"classlabels_int64s": [0, 1]}
        outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [None])]
        outputs.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]))
    names = [output.name for output in outputs]
    node = helper.make_node(kind, ["x"], names, domain="ai.onnx.ml", **values)
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])
    imports = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(helper.make_graph([node], "g", [rows], outputs), opset_imports=imports, ir_version=8)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("tracks", [0, 1])
@pytest.mark.parametrize("mode", ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"])
def test_every_kind_of_branch_goes_where_onnx_runtime_goes(mode: str, tracks: int, tmp_path: Path) -> None:
    import onnxruntime

    data = stump(mode, tracks=tracks)
    ensemble_read = read(data, tmp_path)
    rows = np.array([[1.0, 0], [1.5, 0], [np.nextafter(np.float32(1.5), np.float32(9)), 0], [2.0, 0], [np.nan, 0]])
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": rows.astype(np.float32)})[0]
    assert score(ensemble_read, rows).tolist() == expected.tolist()


@pytest.mark.parametrize("weights", [[0.2, 0.7], [-0.3, 0.7]])
@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
def test_a_classifier_of_one_score_is_read_as_onnx_runtime_answers(
    weights: list[float], transform: str, tmp_path: Path
) -> None:
    """Whether the transform is applied to weights that are all positive is the runtime's choice, and it is followed."""
    import onnxruntime

    data = stump("BRANCH_LEQ", "TreeEnsembleClassifier", class_weights=weights, post_transform=transform)
    ensemble_read = read(data, tmp_path)
    rows = np.array([[1.0, 0], [2.0, 0]])
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    expected = session.run(["probabilities"], {"x": rows.astype(np.float32)})[0][:, 1:]
    assert np.allclose(apply_links(ensemble_read.links, score(ensemble_read, rows)), expected, atol=1e-6)


def test_a_transform_that_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    data = stump("BRANCH_LEQ", "TreeEnsembleClassifier", class_weights=[-0.3, 0.7], post_transform="PROBIT")
    with pytest.raises(NotConvertible, match="PROBIT"):
        read(data, tmp_path)


def only_step(data: bytes, **changes: Any) -> bytes:
    """The graph with its only node changed."""
    from onnx import helper, load_from_string

    model = load_from_string(data)
    for name, value in changes.items():
        if name == "domain":
            model.graph.node[0].domain = value
        else:
            model.graph.node[0].attribute.append(helper.make_attribute(name, value))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"nodes_gates": [0.5]}, "TreeEnsembleRegressor model holds the attribute 'nodes_gates'"),
        ({"domain": "com.example"}, "TreeEnsembleRegressor of the domain com.example"),
        ({"base_values": [1.0, 2.0, 3.0]}, "3 base values for 1 output"),
    ],
)
def test_what_is_not_known_of_an_operator_is_refused(change: dict[str, Any], name: str) -> None:
    """ONNX Runtime refuses some of them itself; this is what the reader says."""
    spec = ModelSpec("regression", (Feature("a"), Feature("b")), ("output",))
    with pytest.raises(NotConvertible, match=name):
        next(read_onnx(only_step(stump("BRANCH_LEQ"), **change), "y", spec))


@pytest.mark.parametrize("mode", ["BRANCH_MEMBER", "BRANCH_MAYBE"])
def test_a_mode_that_is_not_known_is_refused(mode: str) -> None:
    spec = ModelSpec("regression", (Feature("a"), Feature("b")), ("output",))
    with pytest.raises(NotConvertible, match=mode):
        next(read_onnx(stump(mode), "y", spec))


@pytest.mark.parametrize("broken", [{"nodes_truenodeids": [7, 0, 0]}, {"nodes_values": [1.5]}, {"nodes_nodeids": [0]}])
def test_trees_that_do_not_hold_together_end_in_one_error(broken: dict[str, Any]) -> None:
    spec = ModelSpec("regression", (Feature("a"), Feature("b")), ("output",))
    with pytest.raises(ModelError):
        next(read_onnx(stump("BRANCH_LEQ", **broken), "y", spec))


@pytest.mark.parametrize("wrong", [{"base": np.array([0.01])}, {"refuses": "not-finite"}, {"refuses": "infinite"}])
def test_trees_that_do_not_answer_as_the_graph_does_are_not_used(
    wrong: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = read_onnx
    monkeypatch.setattr(onnx_trees, "read_onnx", lambda *values: (replace(e, **wrong) for e in genuine(*values)))
    with pytest.raises(NotConvertible, match="do not answer"):
        read(stump("BRANCH_LEQ"), tmp_path)


def test_a_graph_of_other_things_is_not_read(tmp_path: Path) -> None:
    from skl2onnx import to_onnx
    from sklearn.linear_model import LinearRegression

    rows = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    exported = to_onnx(LinearRegression().fit(rows, rows[:, 0]), rows[:1])
    with pytest.raises(NotConvertible):
        read(exported.SerializeToString(), tmp_path)


@pytest.mark.parametrize("name", ["forest", "boosting", "targets"])
def test_plain_exports_of_scikit_learn_are_read(name: str, tmp_path: Path) -> None:
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor

    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 3)).astype(np.float32)
    label = np.digitize(rows[:, 0] + rows[:, 1], [-1, 1])
    model = {
        "forest": lambda: RandomForestClassifier(5, random_state=0).fit(rows, label),
        "boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0).fit(rows, label > 0),
        "targets": lambda: RandomForestRegressor(5, random_state=0).fit(rows, rows[:, :2] * 2),
    }[name]()
    options = {id(model): {"zipmap": False}} if name != "targets" else None
    ensemble_read = read(to_onnx(model, rows[:1], options=options).SerializeToString(), tmp_path)
    expected = model.predict(rows) if name == "targets" else model.predict_proba(rows)
    predictions = apply_links(ensemble_read.links, score(ensemble_read, rows.astype(np.float64)))
    assert ensemble_read.trees == 5
    if predictions.shape[1] == 1:
        expected = expected[:, 1:]
    assert np.allclose(predictions, expected, atol=1e-5)


def test_sets_of_categories_that_a_plain_export_writes_as_chains_are_sets_again(tmp_path: Path) -> None:
    import lightgbm
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    text = lightgbm_text("binary", categories=True)
    booster = lightgbm.Booster(model_str=text)
    columns = [("input", FloatTensorType([None, 4]))]
    ensemble_read = read(
        convert_lightgbm(booster, initial_types=columns, target_opset=15, zipmap=False).SerializeToString(), tmp_path
    )
    expected = read_lightgbm(text)
    sizes = [sorted(np.diff(e.nodes.member_start)[e.nodes.mode == MEMBER].tolist()) for e in (ensemble_read, expected)]
    assert sizes[0] == sizes[1]
    assert max(sizes[0]) > 1
    assert len(ensemble_read.nodes) == len(expected.nodes)


def test_a_graph_with_an_input_a_column_is_read_in_the_order_of_its_inputs(tmp_path: Path) -> None:
    import pandas
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline

    rows = pandas.DataFrame(np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32), columns=["a", "b", "c"])
    turned = ColumnTransformer([("turned", "passthrough", ["c", "a", "b"])])
    model = make_pipeline(turned, RandomForestRegressor(4, max_depth=4, random_state=0)).fit(
        rows, rows["a"] * rows["b"]
    )
    columns = [(name, FloatTensorType([None, 1])) for name in rows.columns]
    ensemble_read = read(convert_sklearn(model, initial_types=columns).SerializeToString(), tmp_path)
    assert [feature.name for feature in ensemble_read.features] == ["a", "b", "c"]
    assert np.allclose(score(ensemble_read, rows.to_numpy(dtype=float))[:, 0], model.predict(rows), atol=1e-5)
