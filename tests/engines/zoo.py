"""Tiny models, one an engine, each trained in well under a second, with the output that their own library gives.

The contract suite runs every engine on the model that `model_for` names for it.
"""

import atexit
import contextlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines import registry
from infer_bench.engines.base import Request, Session, check_options
from infer_bench.model import Family, Format, ModelRef
from infer_bench.typing import Array, Floats, Ints
from tests.stub_service import Exchange, serve

NAMES = ("age", "income", "debt", "years")
UNNAMED = ("f0", "f1", "f2", "f3")
"""What the columns of a model without names are called."""
TINY = {"n_estimators": 4, "num_leaves": 5, "min_child_samples": 3, "n_jobs": 1, "verbose": -1}


@dataclass(frozen=True)
class SavedModel:
    """A model on disk, 60 rows for it, and the canonical output (60, outputs) that its own library gives for them.

    `splits` says that the model has thresholds, which its engine is to tell.
    """

    engine: str
    model: ModelRef
    table: dict[str, Array]
    output: Floats
    tolerance: float = 0.0
    splits: bool = False

    @property
    def is_function(self) -> bool:
        return self.model.format == "python"

    @property
    def is_service(self) -> bool:
        return self.model.format == "http"


Maker = Callable[[Path], SavedModel]
MAKERS: dict[str, Maker] = {}
"""By engine, what saves a model for it in a folder."""


def model_for(engine: str) -> Callable[[Maker], Maker]:
    """Registers the function that saves a model for `engine`."""

    def register(make: Maker) -> Maker:
        MAKERS[engine] = make
        return make

    return register


def ref(path: Path, family: Family, format: Format) -> ModelRef:
    return ModelRef(str(path), family, format, "0" * 64, path.stat().st_size)


def open_session(engine: str, model: ModelRef, **options: str) -> Session:
    adapter = registry.get(engine)
    return adapter.open(model, {**check_options(adapter, options), "allow_pickle": "yes"})


def matrix(rows: int = 60, *, missing: bool = True) -> Floats:
    random = np.random.default_rng(7)
    values = random.normal(size=(rows, len(NAMES))).round(3)
    if missing:
        values[::7, 1] = np.nan
    return values


def target(rows: Array) -> Ints:
    scores = np.nan_to_num(rows) @ np.array([1.0, -0.5, 0.3, 0.1])
    above: Ints = (scores > 0).astype(np.int64)
    return above


def three(rows: Array) -> Ints:
    bins: Ints = np.digitize(np.nan_to_num(rows)[:, 0], [-0.4, 0.4]).astype(np.int64)
    return bins


def table(rows: Floats, names: tuple[str, ...] = NAMES) -> dict[str, Array]:
    return {name: rows[:, i].copy() for i, name in enumerate(names)}


def records(columns: Mapping[str, Array]) -> list[dict[str, Any]]:
    lists = {name: values.tolist() for name, values in columns.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def answer(session: Session, request: Request) -> Floats:
    return np.array(session.postprocess(session.predict(session.preprocess(request))))


def answer_one_by_one(session: Session, columns: Mapping[str, Array]) -> Floats:
    return np.concatenate([answer(session, record) for record in records(columns)])


def dump(model: Any, path: Path) -> Path:
    path.write_bytes(pickle.dumps(model))
    return path


def frame(rows: Floats) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(NAMES))


@model_for("lightgbm")
def lightgbm(folder: Path) -> SavedModel:
    from lightgbm import LGBMClassifier

    rows = matrix()
    model = LGBMClassifier(**TINY).fit(frame(rows), target(rows))
    path = folder / "model.txt"
    model.booster_.save_model(path)
    output = model.predict_proba(frame(rows))[:, 1:]
    return SavedModel("lightgbm", ref(path, "lightgbm", "lightgbm-text"), table(rows), output, splits=True)


@model_for("xgboost")
def xgboost(folder: Path) -> SavedModel:
    from xgboost import XGBClassifier

    rows = matrix()
    model = XGBClassifier(n_estimators=4, max_depth=3, n_jobs=1).fit(frame(rows), three(rows))
    path = folder / "model.json"
    model.save_model(path)
    return SavedModel(
        "xgboost", ref(path, "xgboost", "xgboost-json"), table(rows), model.predict_proba(frame(rows)), splits=True
    )


@model_for("sklearn")
def sklearn(folder: Path) -> SavedModel:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = matrix()
    model = make_pipeline(StandardScaler(), RandomForestRegressor(4, max_depth=3, random_state=0))
    model.fit(frame(rows), np.nan_to_num(rows)[:, 0])
    path = dump(model, folder / "forest.pkl")
    output = model.predict(frame(rows)).reshape(-1, 1)
    return SavedModel("sklearn", ref(path, "sklearn", "pickle"), table(rows), output, tolerance=1e-12, splits=True)


@model_for("onnxruntime")
def onnxruntime(folder: Path) -> SavedModel:
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    rows = matrix(missing=False)
    model = LogisticRegression().fit(rows, np.array(["no", "yes"])[target(rows)])
    path = folder / "zipmap.onnx"
    path.write_bytes(to_onnx(model, rows[:1].astype(np.float32)).SerializeToString())
    columns = table(rows, ("f0", "f1", "f2", "f3"))
    return SavedModel(
        "onnxruntime", ref(path, "onnx", "onnx"), columns, model.predict_proba(rows)[:, 1:], tolerance=1e-6
    )


@model_for("catboost")
def catboost(folder: Path) -> SavedModel:
    library = pytest.importorskip("catboost")
    rows = matrix()
    settings = {"iterations": 4, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    model = library.CatBoostClassifier(**settings).fit(frame(rows), np.array(["no", "yes"])[target(rows)])
    path = folder / "model.cbm"
    model.save_model(str(path))
    output = model.predict_proba(frame(rows))[:, 1:]
    return SavedModel("catboost", ref(path, "catboost", "catboost-cbm"), table(rows), output, splits=True)


@model_for("torch")
def torch(folder: Path) -> SavedModel:
    library = pytest.importorskip("torch")
    library.manual_seed(0)
    layers = library.nn
    network = layers.Sequential(layers.Linear(4, 8), layers.Tanh(), layers.Linear(8, 3), layers.Softmax(1)).eval()
    free = ({0: library.export.Dim("batch")},)
    path = folder / "model.pt2"
    library.export.save(library.export.export(network, (library.randn(3, 4),), dynamic_shapes=free), str(path))
    rows = matrix(missing=False)
    with library.no_grad():
        output = network(library.from_numpy(rows.astype(np.float32))).numpy().astype(np.float64)
    return SavedModel("torch", ref(path, "torch", "torch-pt2"), table(rows, UNNAMED), output, tolerance=1e-6)


@model_for("openvino")
def openvino(folder: Path) -> SavedModel:
    pytest.importorskip("openvino")
    return replace(weighted_tanh(folder), engine="openvino", tolerance=1e-6)


def weighted_tanh(folder: Path) -> SavedModel:
    parser = pytest.importorskip("onnx.parser")
    body = "w = Constant<value = float[4, 1] {3, -2, 1, 5}>() m = MatMul(x, w) y = Tanh(m)"
    graph = f"weighted_tanh (float[N, 4] x) => (float[N, 1] y) {{ {body} }}"
    path = folder / "tanh.onnx"
    path.write_bytes(parser.parse_model(f'<ir_version: 10, opset_import: ["" : 17]> {graph}').SerializeToString())
    rows = matrix(missing=False)
    output = np.tanh(rows @ np.array([[3.0], [-2.0], [1.0], [5.0]]))
    return SavedModel("openvino", ref(path, "onnx", "onnx"), table(rows, UNNAMED), output)


@model_for("treelite")
def treelite(folder: Path) -> SavedModel:
    pytest.importorskip("treelite")
    return replace(lightgbm(folder), engine="treelite", tolerance=1e-15)


@model_for("nvforest")
def nvforest(folder: Path) -> SavedModel:
    pytest.importorskip("nvforest")
    runtime = pytest.importorskip("cuda.bindings.runtime")
    if runtime.cudaGetDevice()[0] != runtime.cudaError_t.cudaSuccess:
        pytest.skip("no GPU is at hand")
    return replace(xgboost(folder), engine="nvforest", tolerance=1e-6)


@model_for("lleaves")
def lleaves(folder: Path) -> SavedModel:
    pytest.importorskip("lleaves")
    return replace(lightgbm(folder), engine="lleaves", tolerance=1e-12)


@model_for("tl2cgen")
def tl2cgen(folder: Path) -> SavedModel:
    pytest.importorskip("tl2cgen")
    return replace(xgboost(folder), engine="tl2cgen", tolerance=1e-6)


@model_for("sklearnex")
def sklearnex(folder: Path) -> SavedModel:
    pytest.importorskip("daal4py")
    return replace(xgboost(folder), engine="sklearnex", tolerance=1e-5)


@model_for("callable")
def function(folder: Path) -> SavedModel:
    name = f"service_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text("def predict(record):\n    return {'score': record['age'] * 2.0}\n")
    rows = matrix(missing=False)
    model = ModelRef(f"{name}:predict", "callable", "python", "0" * 64, 0)
    return SavedModel("callable", model, table(rows), rows[:, :1] * 2.0)


@model_for("http")
def service(folder: Path) -> SavedModel:
    """A weighted sum on loopback, until the tests end; a missing value counts as nothing."""
    weights = np.array([3.0, -2.0, 1.0, 5.0])
    inputs = [{"name": name, "dtype": "float64"} for name in NAMES]

    def handle(exchange: Exchange) -> None:
        if exchange.method == "GET":
            exchange.reply_json({"task": "regression", "inputs": inputs, "outputs": ["output"], "classes": None})
            return
        content = json.loads(exchange.content)
        records = content if isinstance(content, list) else [content]
        values = np.array([[record[name] or 0.0 for name in NAMES] for record in records])
        exchange.reply_json({"predictions": (values @ weights[:, None]).tolist()})

    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    url = stack.enter_context(serve(handle))
    rows = matrix()
    output = np.nan_to_num(rows) @ weights[:, None]
    return SavedModel("http", ModelRef(url, "http", "http", "", 0), table(rows), output, tolerance=1e-12)


def pd_frame(columns: Mapping[str, Array]) -> Any:
    import pandas as pd

    return pd.DataFrame(dict(columns))
