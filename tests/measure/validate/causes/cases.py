"""Seeded faults: a correct model, a candidate with one thing wrong, and the rows on which both answer.

Faults are seeded in the models' own files or in ONNX graphs, never with the code under test.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.probes import probe_rows
from infer_bench.trees.readers.lightgbm import read_lightgbm
from infer_bench.trees.readers.xgboost import read_xgboost

Floats = npt.NDArray[np.float64]
Predict = Callable[[Floats], Floats]
TREES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A reference with its trees, a candidate, and the rows (rows, features)."""

    ensemble: Ensemble
    reference: Predict
    candidate: Predict
    rows: Floats
    atol: float = 1e-4


def table(task: str, *, shift: float = 0.0) -> tuple[Floats, Floats]:
    """Training rows with missing values, and targets."""
    random = np.random.default_rng(1)
    x = random.normal(size=(500, 4)) + shift
    score = (x[:, 0] - shift) * 2 + (x[:, 1] - shift) * (x[:, 2] - shift) + random.normal(size=500) * 0.2
    x[random.random(x.shape) < 0.1] = np.nan
    targets = {"binary": score > 0, "multiclass": np.digitize(score, [-1, 1]), "regression": score * 5 + 20}
    return x, np.asarray(targets[task.removesuffix("ova")], dtype=np.float64)


@cache
def lightgbm_text(task: str, **options: Any) -> str:
    """A tiny LightGBM model's text."""
    import lightgbm

    parameters = dict(options)
    x, y = table(task, shift=parameters.pop("shift", 0.0))
    classes = {"num_class": 3} if task.startswith("multiclass") else {}
    categories = parameters.pop("categories", False)
    if categories:
        x[:, 3] = np.random.default_rng(2).integers(0, 6, len(x))
        y = np.where(np.isin(x[:, 3], (1, 4)), 1 - y, y)
    settings = {"objective": task, "num_leaves": 8, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1, "seed": 1}
    data = lightgbm.Dataset(x, y, categorical_feature=[3] if categories else "auto")
    return str(lightgbm.train({**settings, **classes, **parameters}, data, TREES).model_to_string())


def predict_lightgbm(text: str) -> Predict:
    """The booster's answers, (rows, outputs)."""
    import lightgbm

    # The sizes of the trees' texts, by which LightGBM cuts them, no longer hold after an edit.
    booster = lightgbm.Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE))
    return lambda rows: np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64).reshape(len(rows), -1)


@cache
def xgboost_json(objective: str = "binary:logistic") -> str:
    """A tiny XGBoost model."""
    import xgboost

    x, y = table("multiclass" if "multi" in objective else "binary" if "logistic" in objective else "regression")
    y = np.abs(y)
    classes = {"num_class": 3} if "multi" in objective else {}
    settings = {"objective": objective, "max_depth": 3, "nthread": 1, "seed": 1, **classes}
    return bytes(xgboost.train(settings, xgboost.DMatrix(x, y), TREES).save_raw("json")).decode()


def predict_xgboost(document: str) -> Predict:
    """The booster's answers, (rows, outputs)."""
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(document.encode()))
    return lambda rows: np.asarray(booster.inplace_predict(rows), dtype=np.float64).reshape(len(rows), -1)


def in_float32(predict: Predict) -> Predict:
    """A candidate that takes float32."""
    return lambda rows: predict(rows.astype(np.float32).astype(np.float64))


def edited(text: str, change: Callable[[str, list[str]], list[str]], *keys: str) -> str:
    """A LightGBM text with the values of some of its trees' keys changed."""
    pattern = re.compile(rf"^({'|'.join(keys)})=(.*)$", re.MULTILINE)
    return pattern.sub(lambda m: f"{m[1]}={' '.join(change(m[1], m[2].split(' ')))}", text)


def lightgbm_case(
    task: str, spoil: Callable[[str], str], *, narrow: bool = False, rows: Floats | None = None, **options: Any
) -> Case:
    """A LightGBM model against the same text with a fault."""
    text = lightgbm_text(task, **options)
    ensemble = read_lightgbm(text)
    candidate = predict_lightgbm(spoil(text))
    return Case(
        ensemble,
        predict_lightgbm(text),
        in_float32(candidate) if narrow else candidate,
        probes(ensemble) if rows is None else rows,
    )


def xgboost_case(
    spoil: Callable[[Any], None], objective: str = "binary:logistic", prepare: Callable[[Any], None] | None = None
) -> Case:
    """An XGBoost model, changed by `prepare`, against the same document with a fault."""
    original, faulty = json.loads(xgboost_json(objective)), json.loads(xgboost_json(objective))
    if prepare is not None:
        prepare(original["learner"])
    spoil(faulty["learner"])
    document = json.dumps(original)
    ensemble = read_xgboost(document.encode())
    return Case(ensemble, predict_xgboost(document), predict_xgboost(json.dumps(faulty)), probes(ensemble, False))


def probes(ensemble: Ensemble, infinite: bool = True) -> Floats:
    """Rows that visit the model's splits."""
    groups = probe_rows(ensemble, seed=3, limit=1200)
    rows = np.concatenate([part for name, part in groups.items() if infinite or name not in ("infinity", "large")])
    representable: Floats = rows[np.abs(np.nan_to_num(rows, posinf=0 if not infinite else None)).max(axis=1) < 3e38]
    return representable
