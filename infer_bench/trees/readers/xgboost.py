"""XGBoost: JSON model, booster or scikit-learn wrapper -> ensemble.

What each objective does with a raw score follows XGBoost's `*_obj.cu` (PredTransform, and ProbToMargin for the base).
"""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.formats.tree_arrays import offsets
from infer_bench.formats.xgboost.early_stopping import early_stopping, saved_by_wrapper
from infer_bench.formats.xgboost.json import NEWEST, Outline, XGBoostModel, read_xgboost_model
from infer_bench.formats.xgboost.trees import TreeTable
from infer_bench.model import Label, Task
from infer_bench.trees.ensemble import LT, MEMBER, Ensemble, Link, Nodes, compact, empty_nodes, levels, make_nodes
from infer_bench.trees.readers.lost_labels import note_lost_labels
from infer_bench.trees.readers.unknown import refuse_unknown
from infer_bench.typing import Floats, Ints

_LOGIT = frozenset({"reg:logistic", "binary:logistic"})
_CERTAIN = np.float32(1e-6)
"""How near to 0 and 1 XGBoost lets a probability come that it starts from, as that of a single class."""
_LOG = frozenset({"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"})
_PLAIN = frozenset(
    {"reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror"}
    | {"reg:linear", "reg:expectileerror", "rank:pairwise", "rank:ndcg", "rank:map"}
)
_STRANGE_CATEGORIES = (
    "a category that training did not have counts as missing; XGBoost itself takes a string among others for its "
    "neighbour in the alphabet and refuses one behind them all"
)
SORTED_QUANTILES = (3, 4)
"""Since which version XGBoost sorts the quantiles of a row, so that none lies above the next."""
TreeUse = Literal["best", "all"]


def read_xgboost(model: Any, *, trees: TreeUse | None = None) -> Ensemble:
    """Read a model: the document (JSON as text, JSON or UBJSON as bytes), a `Booster`, or a fitted `XGBModel`.

    After early stopping a wrapper predicts with the trees up to the best iteration and a booster with all: `trees` says
    which are meant, by default what the given object does, or the class that saved the document.

    Raises `ModelError` for a damaged document and `NotConvertible` for an objective or a field that is not known.
    """
    if isinstance(model, str | bytes | bytearray):
        document = read_xgboost_model(model.encode() if isinstance(model, str) else bytes(model))
        return _to_ensemble(document, trees or ("best" if saved_by_wrapper(document.attributes) else "all"), None)
    if hasattr(model, "save_raw"):
        return _read_booster(model, trees or "all", None)
    try:
        booster = model.get_booster()
    except Exception as error:  # noqa: BLE001 - the library's own NotFittedError cannot be named without importing it
        raise ModelError(f"the {type(model).__name__} is not fitted or no XGBoost model: {error}") from None
    return _read_booster(booster, trees or "best", model)


def _read_booster(booster: Any, trees: TreeUse, wrapper: Any) -> Ensemble:
    return _to_ensemble(read_xgboost_model(bytes(booster.save_raw("json")), "the booster"), trees, wrapper)


def _to_ensemble(model: XGBoostModel, trees: TreeUse, wrapper: Any) -> Ensemble:
    refuse_unknown("XGBoost", model.unknown)
    if model.illegible:
        raise NotConvertible(
            f"XGBoost stores the categories of {model.illegible[0]!r} cut short, because they are not plain ASCII",
            "rename the categories in ASCII and train again, or train on codes",
        )
    links, task = _objective(model.outline, model.version)
    outputs = model.outline.outputs
    ensemble = Ensemble(
        family="xgboost",
        task=task,
        features=model.features,
        nodes=empty_nodes(),
        roots=np.zeros(0, np.int64),
        output=np.zeros(0, np.int64),
        base=_margins(model, outputs),
        links=links,
        classes=_classes(task, outputs, wrapper),
        row_dtype="float32",
        score_dtype="float32",
        rounding="floor",
        missing_value=_missing(wrapper),
        notes=(*_notes(model), *note_lost_labels(wrapper, task)),
        versions={"xgboost": _version(model)},
    )
    if model.weights is not None:  # the first base score counts for every output
        return replace(ensemble, linear=model.weights[:-1], base=ensemble.base[0] + model.weights[-1])
    ensemble = _with_trees(ensemble, model, trees)
    return compact(ensemble, levels(ensemble))


def _version(model: XGBoostModel) -> str:
    return ".".join(str(part) for part in model.version)


def _notes(model: XGBoostModel) -> tuple[str, ...]:
    notes = []
    if model.version[:2] > NEWEST:
        newest = ".".join(str(part) for part in NEWEST)
        notes.append(f"written by XGBoost {_version(model)}, newer than {newest}; it holds no field unknown before")
    several = model.outline.objective == "reg:quantileerror" and model.outline.targets > 1
    if several and model.version < SORTED_QUANTILES:
        notes.append("quantiles are not sorted: XGBoost 3.4 and newer sort them, and an older one wrote the model")
    if any(feature.categories for feature in model.features):
        notes.append(_STRANGE_CATEGORIES)
    return tuple(notes)


def _objective(outline: Outline, version: tuple[int, ...]) -> tuple[tuple[Link, ...], Task]:
    name = outline.objective
    if name in ("multi:softprob", "multi:softmax"):
        return (Link("softmax"),), "multiclass"
    single = outline.targets == 1
    if name == "binary:hinge":
        return (Link("step", 0.0),), "binary" if single else "raw"
    if name == "binary:logitraw":
        return (), "raw"
    if name in ("binary:logistic", "reg:logistic"):
        return (Link("sigmoid"),), "regression" if name == "reg:logistic" else "binary" if single else "raw"
    if name in _LOG:
        return (Link("exp"),), "regression"
    if name == "reg:quantileerror" and not single and version >= SORTED_QUANTILES:
        return (Link("sort", outline.targets),), "regression"
    if name == "reg:expectileerror" and not single:
        raise NotConvertible(
            "XGBoost keeps several expectiles apart by adding each to the one below, which has no form here",
            "train a model an expectile",
        )
    if name in _PLAIN:
        return (), "ranking" if name.startswith("rank:") else "regression"
    raise NotConvertible(
        f"XGBoost's objective {name!r} is not known", "convert raw scores: save it as reg:squarederror"
    )


def _margins(model: XGBoostModel, outputs: int) -> Floats:
    """The base score before the link, by output; computed in float32, as XGBoost does."""
    scores = np.array(model.base_score, dtype=np.float32)
    if len(scores) not in (1, outputs):
        raise ModelError(f"the XGBoost model has {len(scores)} base scores for {outputs} outputs", "save it again")
    one = np.float32(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if model.outline.objective in _LOGIT:
            scores = -np.log(one / np.clip(scores, _CERTAIN, one - _CERTAIN) - one)
        elif model.outline.objective in _LOG:
            scores = np.log(scores)
    if not np.all(np.isfinite(scores) | (scores == -np.inf)):  # a mean of counts may be 0
        raise NotConvertible("the XGBoost model's base score is not a number before the link", "train it again")
    return np.broadcast_to(scores.astype(np.float64), outputs).copy()


def _classes(task: Task, outputs: int, wrapper: Any) -> tuple[Label, ...]:
    if task not in ("binary", "multiclass"):
        return ()
    count = max(2, outputs)
    try:
        class_labels = getattr(wrapper, "classes_", None) if wrapper is not None else None
    except Exception:  # noqa: BLE001 - a property that fails for wrappers restored from a file
        class_labels = None
    labels = tuple(np.asarray(class_labels).tolist()) if class_labels is not None else ()
    return labels if len(labels) == count else tuple(range(count))


def _missing(wrapper: Any) -> float | None:
    """What the wrapper takes for missing beside NaN."""
    value = getattr(wrapper, "missing", None) if wrapper is not None else None
    return None if value is None or np.isnan(float(value)) else float(value)


def _with_trees(ensemble: Ensemble, model: XGBoostModel, trees: TreeUse) -> Ensemble:
    assert model.trees is not None
    count, notes = _count_used(model, model.trees, trees)
    nodes, roots = _nodes(model.trees)
    wide = nodes.value.shape[1] > 1
    output = np.full(count, -1) if wide else model.trees.group[:count]
    return replace(ensemble, nodes=nodes, roots=roots[:count], output=output, notes=(*notes, *ensemble.notes))


def _count_used(model: XGBoostModel, table: TreeTable, trees: TreeUse) -> tuple[int, tuple[str, ...]]:
    """How many of the trees are used, and a note when that depends on who asks."""
    ends = _iteration_ends(model, table)
    stopping = early_stopping(model.attributes, len(ends) - 1)
    if stopping is None:
        return len(table.nodes), ()
    best = trees == "best"
    other = "--trees all takes all of them" if best else "--trees best takes those up to the best"
    return int(ends[stopping.used if best else -1]), (f"{stopping.describe(best=best)}; {other}",)


def _iteration_ends(model: XGBoostModel, table: TreeTable) -> Ints:
    """Where each iteration's trees end, after a 0."""
    if table.iteration_ends is not None:
        return table.iteration_ends
    per_iteration, count = max(1, model.outline.outputs * table.parallel), len(table.nodes)
    return np.minimum(np.arange(0, count + per_iteration, per_iteration), count)


def _nodes(table: TreeTable) -> tuple[Nodes, Ints]:
    """All nodes, and each tree's root. XGBoost's sets list what goes right; leaves are scaled in float32."""
    roots = offsets(table.nodes)
    shift = np.repeat(roots, table.nodes)
    leaf, is_set = table.left < 0, table.is_set
    value = table.value
    if table.weight is not None:
        value = value * np.repeat(table.weight.astype(np.float32), table.nodes)[:, None]
    nodes = make_nodes(
        feature=table.feature,
        threshold=np.where(is_set, 0.0, table.condition.astype(np.float64)),
        left=np.where(leaf, -1, np.where(is_set, table.right, table.left) + shift),
        right=np.where(leaf, -1, np.where(is_set, table.left, table.right) + shift),
        value=value.astype(np.float64),
        mode=np.where(is_set, MEMBER, LT),
        missing_left=table.default_left ^ is_set,
        member_start=table.category_start,
        members=table.categories,
    )
    return nodes, roots
