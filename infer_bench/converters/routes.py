"""Which model is converted how. The source's own library is imported here, so this runs in a worker."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.converters.base import Columns, Converted, InputDtype, Wish
from infer_bench.converters.ensemble import Ensemble
from infer_bench.converters.metadata import SOURCE
from infer_bench.errors import NotConvertible
from infer_bench.model import PICKLED, ModelRef

PROBE_ROWS = 4_000


def convert(model: ModelRef, wish: Wish, metadata: Mapping[str, str], *, allow_pickle: bool) -> Converted:
    """The ONNX file, and rows made to find differences. Raises `NotConvertible` with what stands in the way."""
    if model.family == "lightgbm":
        return _lightgbm(model, wish, metadata, allow_pickle)
    if model.family == "xgboost":
        return _xgboost(model, wish, metadata, allow_pickle)
    if model.family == "sklearn":
        return _sklearn(model, wish, metadata, allow_pickle)
    if model.format == "catboost-cbm":
        return _catboost(model, wish, metadata)
    if model.format == "torch-pt2":
        return _torch(model, metadata)
    raise NotConvertible(f"there is no route from {model.family} ({model.format}) to ONNX", "see convert --list")


def _held(model: ModelRef, allow_pickle: bool) -> Any:
    """The object in a pickle, or the path of a native file."""
    from infer_bench import pickles

    if model.format in PICKLED:
        return pickles.load(model.path, allow_pickle)
    return pickles.load_skops(model.path, allow_pickle) if model.format == "skops" else model.path


def _lightgbm(model: ModelRef, wish: Wish, metadata: Mapping[str, str], allow_pickle: bool) -> Converted:
    from infer_bench.converters.lightgbm import read_lightgbm

    text = model.format == "lightgbm-text"
    held = Path(model.path).read_text(encoding="utf-8") if text else _held(model, allow_pickle)
    return _ensemble(read_lightgbm(held, trees="all" if wish.trees == "all" else "best"), wish, metadata)


def _xgboost(model: ModelRef, wish: Wish, metadata: Mapping[str, str], allow_pickle: bool) -> Converted:
    from infer_bench.converters.xgboost import read_xgboost

    asked = None if wish.trees == "auto" else wish.trees
    if model.format in PICKLED:
        return _ensemble(read_xgboost(_held(model, allow_pickle), trees=asked), wish, metadata)
    if model.format == "xgboost-json":
        return _ensemble(read_xgboost(Path(model.path).read_bytes(), trees=asked), wish, metadata)
    import xgboost

    return _ensemble(read_xgboost(xgboost.Booster(model_file=model.path), trees=asked), wish, metadata)


def _catboost(model: ModelRef, wish: Wish, metadata: Mapping[str, str]) -> Converted:
    from infer_bench.converters.catboost import read_catboost

    return _ensemble(read_catboost(model.path), wish, metadata)


def _torch(model: ModelRef, metadata: Mapping[str, str]) -> Converted:
    from infer_bench.converters.torch import convert_torch, load_program, probe_rows

    program = load_program(model.path)
    groups = {name: {f"f{i}": rows[:, i] for i in range(rows.shape[1])} for name, rows in probe_rows(program).items()}
    return Converted(convert_torch(program, metadata=metadata), "torch.onnx.export", "float32", "float32", groups)


def _ensemble(ensemble: Ensemble, wish: Wish, metadata: Mapping[str, str]) -> Converted:
    from infer_bench.converters.probes import probe_rows
    from infer_bench.converters.writer import write_onnx

    written = write_onnx(
        ensemble,
        precision=wish.precision,
        opset_ml=wish.opset_ml,
        input_name=wish.input_name,
        input_dtype=wish.input_dtype,
        zipmap=wish.zipmap,
        metadata={SOURCE.removeprefix("infer_bench."): json.loads(metadata[SOURCE])},
    )
    node = "TreeEnsemble" if wish.opset_ml == 5 else "TreeEnsembleRegressor"
    adds_up = "float32" if wish.precision == "float32" else ensemble.score_dtype
    groups = {name: _columns(ensemble, rows) for name, rows in probe_rows(ensemble, seed=0, limit=PROBE_ROWS).items()}
    groups["empty"] = {name: column[:0] for name, column in groups["ordinary"].items()}
    return Converted(written, f"{node} (ai.onnx.ml {wish.opset_ml})", wish.input_dtype, adds_up, groups, ensemble.notes)


def _columns(ensemble: Ensemble, rows: np.ndarray) -> Columns:
    """Rows of numbers as columns by name; a code of a known category becomes the category itself."""
    columns: dict[str, Any] = {}
    for i, feature in enumerate(ensemble.features):
        columns[feature.name] = rows[:, i]
        if feature.categories and any(isinstance(value, str) for value in feature.categories):
            columns[feature.name] = np.array([_category(feature.categories, code) for code in rows[:, i]], dtype=object)
    return columns


def _category(categories: tuple[Any, ...], code: float) -> Any:
    if np.isnan(code):
        return None
    return categories[int(code)] if code in range(len(categories)) else f"unseen {code:g}"


def _sklearn(model: ModelRef, wish: Wish, metadata: Mapping[str, str], allow_pickle: bool) -> Converted:
    from infer_bench.converters.sklearn import convert_sklearn
    from infer_bench.converters.sklearn_probes import Probes

    # Its preprocessing is in double, so that only rows in double get the same answers.
    double = wish.precision == "exact" or wish.input_dtype == "float64"
    estimator = _held(model, allow_pickle)
    written = convert_sklearn(
        estimator,
        precision="exact" if double else "float32",
        opset_ml=wish.opset_ml,
        input_name=wish.input_name,
        zipmap=wish.zipmap,
        metadata=metadata,
    )
    dtype: InputDtype = "float64" if double else "float32"
    probes = Probes(estimator, single=not double)
    groups = {group.name: group.table for group in probes.groups()}
    return Converted(written, "scikit-learn in double", dtype, _adds_up(estimator, dtype), groups)


def _adds_up(estimator: Any, dtype: InputDtype) -> InputDtype:
    """XGBoost adds up in float32, wherever it stands in a pipeline."""
    inside = [estimator, *(estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ())]
    return "float32" if any(type(part).__module__.startswith("xgboost") for part in inside) else dtype


def table() -> str:
    """The routes as text, for `convert --list`."""
    from infer_bench.converters.sklearn_refusals import REFUSED

    lines = ["LightGBM, XGBoost   exact: every tree, through TreeEnsemble nodes", "scikit-learn        exact in double"]
    lines += ["CatBoost            exact: every tree (.cbm, numeric features)"]
    lines += ["PyTorch             in float32: exported programs (.pt2) with a free batch"]
    lines += [f"  refused: {name}: {why}; {instead}" for name, (why, instead) in sorted(REFUSED.items())]
    return "\n".join(lines) + "\n"
