"""A model's trees, read in a worker and handed over as arrays: nothing of a stranger's file is parsed elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from infer_bench.errors import NotConvertible
from infer_bench.model import Feature, ModelRef
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.readers.files import TreeUse, open_model, read_estimator, read_file
from infer_bench.typing import Floats
from infer_bench.workers.protocol import Request

PROBES = 4_096
_MOST_VISITS, _CELLS, _TREES_PASSED = 32_768, 4_000_000, 8_000_000
TREES: Mapping[str, TreeUse | None] = {"auto": None, "best": "best", "all": "all"}
_USES: tuple[TreeUse, ...] = get_args(TreeUse)
_BY_NODE = ("mode", "feature", "threshold", "left", "right", "missing_left", "zero_missing", "value")


@dataclass(frozen=True, slots=True, eq=False)
class ModelTrees:
    """The trees, and groups of rows that visit them: float64 (rows, features), categories as codes.

    `other_reading` is the model with its other trees in use, where early stopping leaves the choice between those up to
    the best iteration and all. Raises ValueError when the trees do not hold together.
    """

    ensemble: Ensemble
    groups: Mapping[str, Floats]
    other_reading: Ensemble | None = None

    def __post_init__(self) -> None:
        for ensemble in (self.ensemble, self.other_reading):
            nodes = ensemble.nodes if ensemble is not None else self.ensemble.nodes
            if len({len(getattr(nodes, name)) for name in _BY_NODE}) != 1 or nodes.value.ndim != 2:
                raise ValueError("the trees do not hold together")


@dataclass(frozen=True, slots=True)
class ReadTrees(Request[ModelTrees]):
    """Read a model's trees, without its library where its format allows that, and draw rows that visit them.

    `trees` is "best", "all" or "auto": after early stopping, what the class that opens the file does. Only the pickles
    that the caller has allowed are opened. With `last_step`, the trees are those of a pipeline's last step, and no rows
    are drawn; nor are they unless it `draws`.
    """

    title = "structure"
    model: ModelRef
    allow_pickle: bool
    trees: str
    seed: int
    last_step: bool = False
    draws: bool = True


def read_trees(request: ReadTrees) -> ModelTrees:
    """Raises `NotConvertible` where there are no trees that can be read."""
    model, allow_pickle = request.model, request.allow_pickle
    if request.last_step:
        pipeline = _best_estimator(open_model(model, allow_pickle))
        ensemble = _name_features(_last_step(pipeline, None), pipeline)
        return ModelTrees(ensemble, {}, _other_reading(ensemble, lambda trees: _last_step(pipeline, trees)))
    ensemble = ensemble_of(model, allow_pickle, TREES[request.trees])
    groups = _draw_groups(ensemble, request.seed) if request.draws else {}
    if model.format == "lightgbm-text":  # it holds no mark of early stopping: there is one way to read it
        return ModelTrees(ensemble, groups)
    return ModelTrees(ensemble, groups, _other_reading(ensemble, lambda trees: ensemble_of(model, allow_pickle, trees)))


def _draw_groups(ensemble: Ensemble, seed: int) -> dict[str, Floats]:
    """Probe rows, and rows that reach single nodes: as many as may be predicted without a wait."""
    from infer_bench.trees.probes import probe_rows, visit_rows

    groups = probe_rows(ensemble, seed=seed, limit=PROBES)
    most = min(_CELLS // max(1, len(ensemble.features)), _TREES_PASSED // max(1, ensemble.trees))
    visits = visit_rows(ensemble, seed=seed, limit=min(max(most, PROBES), _MOST_VISITS))
    groups["thresholds"] = np.concatenate([groups.get("thresholds", visits[:0]), visits])
    return groups


def _other_reading(ensemble: Ensemble, read: Callable[[TreeUse], Ensemble]) -> Ensemble | None:
    """The model as `read` with another number of trees; None where early stopping left no choice."""
    if ensemble.family not in ("lightgbm", "xgboost"):
        return None
    readings = (read(trees) for trees in _USES)  # one after the other, so that memory holds one of them
    return next((other for other in readings if other.trees != ensemble.trees), None)


def ensemble_of(model: ModelRef, allow_pickle: bool, trees: TreeUse | None) -> Ensemble:
    """The trees of a model of any family that can be read."""
    if model.family == "sklearn":
        return _read_sklearn(model, allow_pickle)
    if model.family == "onnx":
        from infer_bench.workers.tasks.onnx_trees import read_onnx_trees

        return read_onnx_trees(model, {})
    return read_file(model, allow_pickle, trees)


def _read_sklearn(model: ModelRef, allow_pickle: bool) -> Ensemble:
    from infer_bench.trees.readers.sklearn.ensembles import read_encoded_histogram, read_sklearn_trees
    from infer_bench.trees.readers.sklearn.isolation import read_isolation_forest

    estimator = _best_estimator(open_model(model, allow_pickle))
    ensemble = read_encoded_histogram(estimator) or read_isolation_forest(estimator) or read_sklearn_trees(estimator)
    if ensemble is None:
        raise NotConvertible("the structure of a sklearn model cannot be read")
    return ensemble


def _best_estimator(estimator: Any) -> Any:
    """The estimator that a search has chosen, which predicts in its place."""
    return _best_estimator(estimator.best_estimator_) if hasattr(estimator, "best_estimator_") else estimator


def _last_step(estimator: Any, trees: TreeUse | None) -> Ensemble:
    """The trees of a pipeline's last step, of any library."""
    if not hasattr(estimator, "named_steps"):
        raise NotConvertible("the model is no pipeline")
    ensemble = read_estimator(estimator.steps[-1][1], trees)
    if ensemble is None:
        raise NotConvertible("the last step has no trees alone")
    return ensemble


def _name_features(ensemble: Ensemble, pipeline: Any) -> Ensemble:
    """With the names that the steps before the last give their columns, where they name them."""
    try:
        names = [str(name) for name in pipeline[:-1].get_feature_names_out()]
    except Exception:  # noqa: BLE001 - a step of anyone's, which may have no names or no such method
        return ensemble
    if len(names) != len(ensemble.features):
        return ensemble
    features = zip(ensemble.features, names, strict=True)
    return replace(ensemble, features=tuple(Feature(name, f.kind, f.categories) for f, name in features))
