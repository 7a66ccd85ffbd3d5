"""Whether a model names its columns, of each library trained with names and without, and after a conversion."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infer_bench import convert
from infer_bench.model import ModelSpec
from tests.engines import zoo
from tests.engines.zoo import matrix, open_session, ref, target

QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 3, "num_leaves": 4}
EMPTY = {"nthread": 1, "max_depth": 2}
Save = Callable[[Any, Path], ModelSpec]


def lightgbm_text(rows: Any, folder: Path) -> ModelSpec:
    lightgbm = pytest.importorskip("lightgbm")
    lightgbm.train({**QUIET, "objective": "l2"}, lightgbm.Dataset(rows, target(matrix())), 2).save_model(
        folder / "m.txt"
    )
    return open_session("lightgbm", ref(folder / "m.txt", "lightgbm", "lightgbm-text")).spec


def xgboost_json(rows: Any, folder: Path) -> ModelSpec:
    xgboost = pytest.importorskip("xgboost")
    xgboost.train(EMPTY, xgboost.DMatrix(rows, target(matrix())), 2).save_model(folder / "m.json")
    return open_session("xgboost", ref(folder / "m.json", "xgboost", "xgboost-json")).spec


def sklearn_pickle(rows: Any, folder: Path) -> ModelSpec:
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier(max_depth=2).fit(rows, target(matrix()))
    return open_session("sklearn", ref(zoo.dump(model, folder / "m.pkl"), "sklearn", "pickle")).spec


def catboost_cbm(rows: Any, folder: Path) -> ModelSpec:
    catboost = pytest.importorskip("catboost")
    model = catboost.CatBoostClassifier(2, depth=2, verbose=0, thread_count=1, allow_writing_files=False)
    model.fit(rows, target(matrix())).save_model(str(folder / "m.cbm"))
    return open_session("catboost", ref(folder / "m.cbm", "catboost", "cbm")).spec


LIBRARIES: list[Save] = [lightgbm_text, xgboost_json, sklearn_pickle, catboost_cbm]


@pytest.mark.parametrize("save", LIBRARIES, ids=lambda save: save.__name__)
def test_names_of_a_frame_are_names_and_those_made_up_for_an_array_are_places(save: Save, tmp_path: Path) -> None:
    rows = matrix(missing=False)
    assert not any(feature.invented for feature in save(pd.DataFrame(rows, columns=zoo.NAMES), tmp_path).features)
    assert all(feature.invented for feature in save(rows, tmp_path).features)


@pytest.mark.parametrize("save", LIBRARIES, ids=lambda save: save.__name__)
def test_a_frame_may_name_its_columns_as_a_library_would(save: Save, tmp_path: Path) -> None:
    rows, place = matrix(missing=False), "Column_" if save is lightgbm_text else "f"
    for order in ((0, 1, 2, 3), (2, 0, 3, 1)):
        names = [f"{place}{i}" for i in order]
        spec = save(pd.DataFrame(rows, columns=names), tmp_path)
        assert (list(spec.feature_names), spec.named) == (names, True)


@pytest.mark.parametrize("named", [True, False])
def test_a_converted_file_names_what_the_original_does(named: bool, tmp_path: Path) -> None:
    rows = matrix(missing=False)
    lightgbm_text(pd.DataFrame(rows, columns=zoo.NAMES) if named else rows, tmp_path)
    convert(str(tmp_path / "m.txt"), str(tmp_path / "m.onnx"))
    assert open_session("onnxruntime", ref(tmp_path / "m.onnx", "onnx", "onnx")).spec.named is named


def test_an_input_a_column_is_named_and_one_of_several_columns_is_not(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    graphs = {
        "plain": "(float[N,2] x) => (float[N,2] y) { y = Identity(x) }",
        "columns": "(float[N,1] age, float[N,1] debt) => (float[N,1] y) { y = Add(age, debt) }",
        "mixed": "(float[N,1] age, float[N,2] rest) => (float[N,2] y) { y = Add(age, rest) }",
    }
    invented = {}
    for name, graph in graphs.items():
        path = tmp_path / f"{name}.onnx"
        onnx.save(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {graph}'), path)
        features = open_session("onnxruntime", ref(path, "onnx", "onnx")).spec.features
        invented[name] = {feature.name: feature.invented for feature in features}
    assert invented == {
        "plain": {"f0": True, "f1": True},
        "columns": {"age": False, "debt": False},
        "mixed": {"age": False, "rest_0": True, "rest_1": True},
    }
