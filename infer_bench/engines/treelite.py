"""Treelite's own interpreter of trees (GTIL), for the files of LightGBM and XGBoost and scikit-learn's forests."""

from collections.abc import Callable, Mapping
from typing import Any

from infer_bench.engines import feeds
from infer_bench.engines.base import Option
from infer_bench.engines.session import FedSession, errors_as, read_threads, require
from infer_bench.engines.tree_files import estimators
from infer_bench.engines.tree_files import read as files
from infer_bench.engines.tree_files.near_zero import file_for_others
from infer_bench.engines.tree_files.session import TreeFileSession
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef


class Treelite:
    """Runs `gtil.predict`."""

    name = "treelite"
    formats = files.FORMATS | estimators.FORMATS
    requires: tuple[str, ...] = ("treelite",)
    extra = "treelite"
    options: Mapping[str, Option] = {**feeds.OPTIONS, "threads": Option("threads of one prediction", "1")}

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Of files of trees only the DataFrame feed needs pandas; a pickle may name any module."""
        if model.format in estimators.FORMATS:
            return ()
        return () if options["feed"] == "dataframe" else ("pandas", "sklearn")

    def open(self, model: ModelRef, options: Mapping[str, str]) -> FedSession:
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for what Treelite computes otherwise."""
        threads = read_threads(options)
        library = require("treelite", self.extra)
        require("treelite.gtil", self.extra)
        if model.format in estimators.FORMATS:
            require("treelite.sklearn", self.extra)
            estimator = estimators.load_estimator(model, options)
            predict = _predictor(library, estimators.import_estimator(library, estimator, model), threads)
            predict = estimators.as_decision(estimator, predict)
            return estimators.EstimatorSession(estimator, options, predict, "Treelite cannot predict")
        file = files.read_tree_file(model)
        files.refuse_foreign(file, model)
        refuse_categories(file, model, "Treelite")
        trees = load_trees(library, file, model)
        return TreeFileSession(file, options, _predictor(library, trees, threads), "Treelite cannot predict")


def refuse_categories(file: files.TreeFile, model: ModelRef, title: str) -> None:
    """Raise `EngineError` for a model of XGBoost that splits on categories."""
    if file.xgboost is not None and file.has_categories:
        raise EngineError(f"{model.name} splits on categories, which {title} reads of LightGBM alone")


def load_trees(library: Any, file: files.TreeFile, model: ModelRef) -> Any:
    """The model as Treelite has it. Raises `ModelError` for one that it refuses."""
    with errors_as(ModelError, f"Treelite cannot read {model.name}"), file_for_others(file, model) as path:
        if file.lightgbm is not None:
            return library.frontend.load_lightgbm_model(path)
        kind = "ubjson" if model.format == "xgboost-ubj" else "json"
        return library.frontend.load_xgboost_model(path, format_choice=kind)


def _predictor(library: Any, trees: Any, threads: int) -> Callable[[Any], Any]:
    predict = library.gtil.predict

    def call(rows: Any) -> Any:
        return predict(trees, rows, nthread=threads).reshape(len(rows), -1)

    return call
