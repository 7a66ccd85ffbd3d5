"""nvForest, the successor of cuML's forest inference: trees of other libraries on a GPU, or on the CPU where asked."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Option
from infer_bench.engines.session import FedSession, errors_as, first_line, require
from infer_bench.engines.tree_files import estimators
from infer_bench.engines.tree_files import read as files
from infer_bench.engines.tree_files.session import TreeFileSession
from infer_bench.engines.treelite import load_trees, refuse_categories
from infer_bench.errors import EngineError, ModelError
from infer_bench.formats.lightgbm.trees import CATEGORICAL
from infer_bench.model import ModelRef

DEVICES = ("gpu", "cpu")
_WHAT = "nvForest cannot predict"
_LARGEST = float(np.finfo(np.float64).max)


class NvForest:
    """Runs `predict_proba` or `predict` of what nvForest makes of a model that Treelite has read."""

    name = "nvforest"
    formats = files.FORMATS | estimators.FORMATS
    requires: tuple[str, ...] = ("nvforest", "treelite")
    extra = "nvforest"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "device": Option("where it runs; on the CPU with a thread a core", "gpu", DEVICES),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """nvForest imports scikit-learn itself."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> FedSession:
        """Load the model. Raises `EngineError` without a GPU, and for what is computed otherwise."""
        library, trees = require("nvforest", self.extra), require("treelite", self.extra)
        if model.format in estimators.FORMATS:
            require("treelite.sklearn", self.extra)
            estimator = estimators.load_estimator(model, options)
            forest = _place(library, estimators.import_estimator(trees, estimator, model), options, model)
            call = estimators.as_decision(estimator, _make_call(forest))
            return estimators.EstimatorSession(estimator, options, call, _WHAT)
        file = files.read_tree_file(model)
        files.refuse_foreign(file, model)
        refuse_categories(file, model, "nvForest")
        forest = _place(library, load_trees(trees, file, model), options, model)
        call = _make_call(forest)
        return TreeFileSession(file, options, _below_infinity(call) if has_infinite_splits(file) else call, _WHAT)


def _place(library: Any, trees: Any, options: Mapping[str, str], model: ModelRef) -> Any:
    """The forest on its device. Raises `EngineError` where there is no GPU, `ModelError` for one it does not take."""
    with errors_as(ModelError, f"nvForest cannot read {model.name}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Treelite is newer than the one inside nvForest
        try:
            return library.load_from_treelite_model(trees, device=options["device"])
        except RuntimeError as error:
            if options["device"] != "gpu" or "detect a GPU" not in str(error):
                raise
            reason = str(error).splitlines()[-1].strip() or first_line(error)
    raise EngineError(f"nvForest finds no GPU: {reason}", "nvforest:device=cpu runs it on the CPU")


def _make_call(forest: Any) -> Callable[[Any], Any]:
    predict = getattr(forest, "predict_proba", forest.predict)

    def call(rows: Any) -> Any:
        output = predict(rows)
        array = output if isinstance(output, np.ndarray) else output.get()  # from the GPU's memory
        return array.reshape(len(rows), -1)

    return call


def has_infinite_splits(file: files.TreeFile) -> bool:
    """Whether LightGBM split missing values off, at an infinite threshold: only +inf itself is not below that."""
    if file.lightgbm is None:
        return False
    trees = file.lightgbm.trees
    return bool(np.isposinf(trees.threshold[trees.decision_type & CATEGORICAL == 0]).any())


def _below_infinity(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`call` with +inf as the largest number: nvForest compares by <, so that inf is not <= inf to it."""
    return lambda rows: call(np.minimum(rows, _LARGEST))
