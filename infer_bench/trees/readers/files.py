"""Which reader a model's file or object is for. Only the pickles that the caller allows are opened."""

from pathlib import Path
from typing import Any, Literal

from infer_bench.errors import NotConvertible
from infer_bench.model import PICKLED, ModelRef
from infer_bench.trees.ensemble import Ensemble

TreeUse = Literal["best", "all"]


def open_model(model: ModelRef, allow_pickle: bool) -> Any:
    """The object in a pickle or a skops file, or the path of a native file."""
    from infer_bench.formats import pickles

    if model.format in PICKLED:
        return pickles.load(model.path, allow_pickle)
    return pickles.load_skops(model.path, allow_pickle) if model.format == "skops" else model.path


def read_file(model: ModelRef, allow_pickle: bool, trees: TreeUse | None) -> Ensemble:
    """The trees of a file of LightGBM, XGBoost or CatBoost.

    `trees` "best" stops at the best iteration of early stopping; by default as the class does that saved the file or,
    of a pickle, is in it.
    Raises `NotConvertible` for other families and for what a reader refuses.
    """
    if model.family == "lightgbm":
        from infer_bench.trees.readers.lightgbm import read_lightgbm

        is_text = model.format == "lightgbm-text"
        source = Path(model.path).read_text(encoding="utf-8") if is_text else open_model(model, allow_pickle)
        return read_lightgbm(source, trees=trees or "best")
    if model.family == "xgboost":
        from infer_bench.trees.readers.xgboost import read_xgboost

        is_document = model.format in ("xgboost-json", "xgboost-ubj")
        source = Path(model.path).read_bytes() if is_document else open_model(model, allow_pickle)
        return read_xgboost(source, trees=trees)
    if model.family == "catboost":
        from infer_bench.trees.readers.catboost import read_catboost

        return read_catboost(model.path)
    raise NotConvertible(f"the structure of a {model.family} model cannot be read")


def read_estimator(estimator: Any, trees: TreeUse | None = None) -> Ensemble | None:
    """The trees that `predict` of an estimator of scikit-learn, LightGBM or XGBoost uses; None where trees are not all.

    `trees` as in `read_file`. Raises `NotConvertible` for a tree model that has no exact form.
    """
    family = type(estimator).__module__.partition(".")[0]
    if family == "lightgbm":
        from infer_bench.trees.readers.lightgbm import read_lightgbm

        return read_lightgbm(estimator, trees=trees or "best")
    if family == "xgboost":
        from infer_bench.trees.readers.xgboost import read_xgboost

        return read_xgboost(estimator, trees=trees)
    from infer_bench.trees.readers.sklearn.ensembles import read_sklearn_trees
    from infer_bench.trees.readers.sklearn.isolation import read_isolation_forest

    return read_isolation_forest(estimator) or read_sklearn_trees(estimator)
