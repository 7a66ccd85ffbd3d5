"""XGBoost: JSON model, booster or scikit-learn wrapper -> ensemble.

What each objective does with a raw score follows XGBoost's `*_obj.cu` (PredTransform, and ProbToMargin for the base).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.model import Label, Task
from infer_bench.trees.ensemble import Ensemble, Link, compact, empty_nodes, levels
from infer_bench.trees.readers import xgboost_json as source
from infer_bench.typing import Floats

_LOGIT = frozenset({"reg:logistic", "binary:logistic"})
_LOG = frozenset({"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"})
_PLAIN = frozenset(
    {"reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror"}
    | {"reg:linear", "reg:expectileerror", "rank:pairwise", "rank:ndcg", "rank:map"}
)
_STRANGE_CATEGORIES = (
    "a category that training did not have counts as missing; XGBoost itself takes a string among others for its "
    "neighbour in the alphabet and refuses one behind them all"
)
Trees = Literal["best", "all"]


def read_xgboost(model: Any, *, trees: Trees | None = None) -> Ensemble:
    """Read a model: the JSON document (text, bytes or parsed), a `Booster`, or a fitted `XGBModel`.

    After early stopping a wrapper answers with the trees up to the best iteration and a booster with all: `trees` says
    which are meant, by default what the given object does. Raises `ModelError` for a damaged document and
    `NotConvertible` for an objective that is not known.
    """
    if isinstance(model, str | bytes | bytearray | Mapping):
        return _read(source.learner(bytes(model) if isinstance(model, bytearray) else model), trees or "all", None)
    if hasattr(model, "save_raw"):
        return _read(source.learner(bytes(model.save_raw("json"))), trees or "all", None)
    try:
        booster = model.get_booster()
    except Exception as error:  # noqa: BLE001 - the library's own NotFittedError cannot be named without importing it
        raise ModelError(f"the {type(model).__name__} is not fitted or no XGBoost model: {error}") from None
    return _read(source.learner(bytes(booster.save_raw("json"))), trees or "best", model)


def _read(held: source.Learner, trees: Trees, wrapper: Any) -> Ensemble:
    links, task = _objective(held)
    outputs = max(held.classes, held.targets, 1)
    ensemble = Ensemble(
        family="xgboost",
        task=task,
        features=held.features,
        nodes=empty_nodes(),
        roots=np.zeros(0, np.int64),
        output=np.zeros(0, np.int64),
        base=_margins(held, outputs),
        links=links,
        classes=_classes(task, outputs, wrapper),
        row_dtype="float32",
        score_dtype="float32",
        rounding="floor",
        missing_value=_missing(wrapper),
        versions={"xgboost": held.version},
    )
    if held.booster == "gblinear":
        return _linear(ensemble, held, outputs)
    ensemble = _with_trees(ensemble, held, trees)
    if any(feature.categories for feature in ensemble.features):
        ensemble = replace(ensemble, notes=(*ensemble.notes, _STRANGE_CATEGORIES))
    return compact(ensemble, levels(ensemble))


def _objective(held: source.Learner) -> tuple[tuple[Link, ...], Task]:
    name = held.objective
    if name in ("multi:softprob", "multi:softmax"):
        return (Link("softmax"),), "multiclass"
    single = held.targets == 1
    if name == "binary:hinge":
        return (Link("step", 0.0),), "binary" if single else "raw"
    if name == "binary:logitraw":
        return (), "raw"
    if name in ("binary:logistic", "reg:logistic"):
        return (Link("sigmoid"),), "regression" if name == "reg:logistic" else "binary" if single else "raw"
    if name in _LOG:
        return (Link("exp"),), "regression"
    if name in _PLAIN:
        return (), "ranking" if name.startswith("rank:") else "regression"
    raise NotConvertible(
        f"XGBoost's objective {name!r} is not known", "convert raw scores: save it as reg:squarederror"
    )


def _margins(held: source.Learner, outputs: int) -> Floats:
    """The base score before the link, by output; computed in float32, as XGBoost does."""
    stored = np.array(held.base_score or (0.5,), dtype=np.float32)
    if len(stored) not in (1, outputs):
        raise ModelError(f"the XGBoost model has {len(stored)} base scores for {outputs} outputs", "save it again")
    one = np.float32(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if held.objective in _LOGIT:
            stored = -np.log(one / stored - one)
        elif held.objective in _LOG:
            stored = np.log(stored)
    if not np.all(np.isfinite(stored)):
        raise NotConvertible("the XGBoost model's base score is not a number before the link", "train it again")
    return np.broadcast_to(stored.astype(np.float64), outputs).copy()


def _classes(task: Task, outputs: int, wrapper: Any) -> tuple[Label, ...]:
    if task not in ("binary", "multiclass"):
        return ()
    count = max(2, outputs)
    try:
        held = getattr(wrapper, "classes_", None) if wrapper is not None else None
    except Exception:  # noqa: BLE001 - a property that fails for wrappers restored from a file
        held = None
    known = tuple(np.asarray(held).tolist()) if held is not None else ()
    return known if len(known) == count else tuple(range(count))


def _missing(wrapper: Any) -> float | None:
    """What the wrapper takes for missing beside NaN."""
    value = getattr(wrapper, "missing", None) if wrapper is not None else None
    return None if value is None or np.isnan(float(value)) else float(value)


def _with_trees(ensemble: Ensemble, held: source.Learner, trees: Trees) -> Ensemble:
    grown = list(held.grown.get("trees", ()))
    group = [int(output) for output in held.grown.get("tree_info", ())]
    if len(group) != len(grown) or int(held.grown["gbtree_model_param"]["num_trees"]) != len(grown):
        raise ModelError("the XGBoost model does not hold as many trees as it announces", "save the model again")
    used, notes = _used(held, len(grown), len(ensemble.base), trees)
    grown, group = grown[:used], group[:used]
    if not grown:
        return replace(ensemble, notes=notes)
    weights: npt.NDArray[np.float64] = np.array(held.weight_drop[:used] or [1.0] * used)
    if len(weights) != used:
        raise ModelError("the XGBoost model has fewer tree weights than trees", "save the model again")
    nodes, roots = source.nodes(grown, weights)
    output = np.full(used, -1) if nodes.value.shape[1] > 1 else np.array(group, dtype=np.int64)
    if np.any(output >= len(ensemble.base)):
        raise ModelError("an XGBoost tree adds to an output that does not exist", "save the model again")
    return replace(ensemble, nodes=nodes, roots=roots, output=output, notes=notes)


def _used(held: source.Learner, count: int, outputs: int, trees: Trees) -> tuple[int, tuple[str, ...]]:
    """How many of the trees are used, and a note when that depends on who asks."""
    best = held.attributes.get("best_iteration")
    if best is None:
        return count, ()
    ends = held.grown.get("iteration_indptr")
    per_round = outputs * int(held.grown["gbtree_model_param"].get("num_parallel_tree", 1))
    end = int(best) + 1
    upto = int(ends[min(end, len(ends) - 1)]) if ends else min(count, end * per_round)
    if upto == count:
        return count, ()
    said = f"early stopping found iteration {best} best: {upto} of {count} trees up to there"
    return (upto, (f"{said} are used",)) if trees == "best" else (count, (f"{said}; all are used",))


def _linear(ensemble: Ensemble, held: source.Learner, outputs: int) -> Ensemble:
    """gblinear: a weight a feature and output, then the biases; the first base score counts for every output."""
    weights = np.array(held.grown["weights"], dtype=np.float32).astype(np.float64)
    count = len(held.features)
    if len(weights) != (count + 1) * outputs:
        raise ModelError(f"the linear model has {len(weights)} weights for {count} features", "save the model again")
    table = weights.reshape(count + 1, outputs)
    return replace(ensemble, linear=table[:-1], base=ensemble.base[0] + table[-1])
