"""Tiny models, one a family and trick, each trained in well under a second, with the answer their own library gives."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines import registry
from infer_bench.engines.base import Request, Session, check_options
from infer_bench.model import Family, Format, ModelRef
from infer_bench.typing import Array, Floats, Ints

NAMES = ("age", "income", "debt", "years")
TINY = {"n_estimators": 4, "num_leaves": 5, "min_child_samples": 3, "n_jobs": 1, "verbose": -1}


@dataclass(frozen=True)
class Saved:
    """A model on disk with its rows and the canonical output that its own library gives for them."""

    engine: str
    model: ModelRef
    table: dict[str, Array]
    expected: Floats
    options: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = 0.0


def ref(path: Path, family: Family, format: Format) -> ModelRef:
    return ModelRef(str(path), family, format, "0" * 64, path.stat().st_size)


def opened(engine: str, model: ModelRef, **options: str) -> Session:
    found = registry.get(engine)
    return found.open(model, {**check_options(found, options), "allow_pickle": "yes"})


def matrix(rows: int = 60, *, missing: bool = True) -> Floats:
    random = np.random.default_rng(7)
    made = random.normal(size=(rows, len(NAMES))).round(3)
    if missing:
        made[::7, 1] = np.nan
    return made


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


def answers_one_by_one(session: Session, columns: Mapping[str, Array]) -> Floats:
    return np.concatenate([answer(session, record) for record in records(columns)])


def dump(model: Any, path: Path) -> Path:
    path.write_bytes(pickle.dumps(model))
    return path


def frame(rows: Floats) -> Any:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(NAMES))


def lightgbm(folder: Path) -> Saved:
    from lightgbm import LGBMClassifier

    rows = matrix()
    model = LGBMClassifier(**TINY).fit(frame(rows), target(rows))
    path = folder / "model.txt"
    model.booster_.save_model(path)
    expected = model.predict_proba(frame(rows))[:, 1:]
    return Saved("lightgbm", ref(path, "lightgbm", "lightgbm-text"), table(rows), expected)


def xgboost(folder: Path) -> Saved:
    from xgboost import XGBClassifier

    rows = matrix()
    model = XGBClassifier(n_estimators=4, max_depth=3, n_jobs=1).fit(frame(rows), three(rows))
    path = folder / "model.json"
    model.save_model(path)
    return Saved("xgboost", ref(path, "xgboost", "xgboost-json"), table(rows), model.predict_proba(frame(rows)))


def sklearn(folder: Path) -> Saved:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = matrix()
    model = make_pipeline(StandardScaler(), RandomForestRegressor(4, max_depth=3, random_state=0))
    model.fit(frame(rows), np.nan_to_num(rows)[:, 0])
    path = dump(model, folder / "forest.pkl")
    expected = model.predict(frame(rows)).reshape(-1, 1)
    return Saved("sklearn", ref(path, "sklearn", "pickle"), table(rows), expected, tolerance=1e-12)


def onnxruntime(folder: Path) -> Saved:
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    rows = matrix(missing=False)
    model = LogisticRegression().fit(rows, np.array(["no", "yes"])[target(rows)])
    path = folder / "zipmap.onnx"
    path.write_bytes(to_onnx(model, rows[:1].astype(np.float32)).SerializeToString())
    columns = table(rows, ("f0", "f1", "f2", "f3"))
    return Saved("onnxruntime", ref(path, "onnx", "onnx"), columns, model.predict_proba(rows)[:, 1:], tolerance=1e-6)


def catboost(folder: Path) -> Saved:
    library = pytest.importorskip("catboost")
    rows = matrix()
    settings = {"iterations": 4, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    model = library.CatBoostClassifier(**settings).fit(frame(rows), np.array(["no", "yes"])[target(rows)])
    path = folder / "model.cbm"
    model.save_model(str(path))
    expected = model.predict_proba(frame(rows))[:, 1:]
    return Saved("catboost", ref(path, "catboost", "catboost-cbm"), table(rows), expected)


def torch(folder: Path) -> Saved:
    library = pytest.importorskip("torch")
    library.manual_seed(0)
    layers = library.nn
    network = layers.Sequential(layers.Linear(4, 8), layers.Tanh(), layers.Linear(8, 3), layers.Softmax(1)).eval()
    free = ({0: library.export.Dim("batch")},)
    path = folder / "model.pt2"
    library.export.save(library.export.export(network, (library.randn(3, 4),), dynamic_shapes=free), str(path))
    rows = matrix(missing=False)
    with library.no_grad():
        expected = network(library.from_numpy(rows.astype(np.float32))).numpy().astype(np.float64)
    columns = table(rows, ("f0", "f1", "f2", "f3"))
    return Saved("torch", ref(path, "torch", "torch-pt2"), columns, expected, tolerance=1e-6)


def callable_(folder: Path) -> Saved:
    name = f"service_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text("def predict(record):\n    return {'score': record['age'] * 2.0}\n")
    rows = matrix(missing=False)
    model = ModelRef(f"{name}:predict", "callable", "python", "0" * 64, 0)
    return Saved("callable", model, table(rows), rows[:, :1] * 2.0)


MAKERS = {
    "lightgbm": lightgbm,
    "xgboost": xgboost,
    "sklearn": sklearn,
    "onnxruntime": onnxruntime,
    "catboost": catboost,
    "torch": torch,
    "callable": callable_,
}


def pd_frame(columns: Mapping[str, Array]) -> Any:
    import pandas as pd

    return pd.DataFrame(dict(columns))
