"""XGBoost: model file, booster or scikit-learn wrapper -> ensemble.

How rows are routed follows XGBoost's `predict_fn.h` and `categorical.h`; what each objective does to a score and to the
base score follows `PredTransform` and `ProbToMargin` of its `*_obj.cc`. Rows and scores are float32 there.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from infer_bench.converters import xgboost_trees as grown
from infer_bench.converters.ensemble import Ensemble, Floats, Ints, Link, empty_nodes, levels
from infer_bench.errors import MissingDependency, ModelError, NotConvertible
from infer_bench.model import Feature, Kind, Label, Task

Which = Literal["best", "all"]

_IDENTITY = frozenset(
    {"reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror"}
    | {"reg:quantileerror", "reg:expectileerror", "rank:pairwise", "rank:ndcg", "rank:map", "binary:logitraw"}
)
_LOG = frozenset({"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"})
_LOGISTIC = frozenset({"reg:logistic", "binary:logistic"})
_SOFTMAX = frozenset({"multi:softmax", "multi:softprob"})

_KINDS: Mapping[str, Kind] = {"c": "category", "int": "integer", "i": "boolean"}


def read_xgboost(model: Any, *, trees: Which | None = None) -> Ensemble:
    """Read a model: the path of a `.json` or `.ubj` file, a `Booster`, or a fitted `XGBModel`.

    After early stopping, "best" takes the trees up to `best_iteration`, "all" takes every tree. Left out, it is what
    the library itself does: "best" for a wrapper, "all" for a booster or a file. Raises `ModelError` for what is no
    XGBoost model, `NotConvertible` for an objective or booster that is not known.
    """
    booster, wrapper = _booster(model)
    held = _saved(booster)
    which = trees or ("best" if wrapper is not None else "all")
    try:
        ensemble = _read(held["learner"], wrapper, which)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelError(f"the XGBoost model's structure is not understood: {error!r}") from None
    levels(ensemble)
    return ensemble


def _booster(model: Any) -> tuple[Any, Any]:
    """The booster, and the wrapper or None."""
    try:
        import xgboost
    except ImportError:
        raise MissingDependency("xgboost", "xgboost") from None
    if isinstance(model, str | os.PathLike):
        try:
            return xgboost.Booster(model_file=os.fspath(model)), None
        except Exception as error:  # noqa: BLE001 - whatever the library raises for a file it cannot read
            raise ModelError(f"XGBoost cannot read {os.path.basename(model)}: {_first(error)}") from None
    if isinstance(model, xgboost.Booster):
        return model, None
    try:
        return model.get_booster(), model
    except Exception as error:  # noqa: BLE001 - NotFittedError belongs to a library that may be absent
        raise ModelError(f"the {type(model).__name__} is not fitted or no XGBoost model: {_first(error)}") from None


def _first(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _saved(booster: Any) -> Any:
    try:
        return json.loads(bytes(booster.save_raw("json")))
    except UnicodeDecodeError:
        raise NotConvertible(
            "the XGBoost model holds category names that are no UTF-8 text", "train on ASCII names, or on codes"
        ) from None


def _read(learner: Any, wrapper: Any, which: Which) -> Ensemble:
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    kind, shape = booster["name"], learner["learner_model_param"]
    outputs = _outputs(learner)
    links, task = _meaning(objective, outputs)
    base = _base(objective, shape["base_score"], outputs)
    features = _features(learner, int(shape["num_feature"]))
    classes = _classes(task, max(2, outputs), wrapper)
    common: dict[str, Any] = {
        "family": "xgboost",
        "task": task,
        "features": features,
        "links": links,
        "classes": classes,
        "row_dtype": "float32",
        "score_dtype": "float32",
        "rounding": "floor",
        "missing_value": _missing(wrapper),
        "notes": _notes(learner, which),
        "versions": {"xgboost_format": ".".join(map(str, learner.get("version", ())))},
    }
    if kind == "gblinear":
        weights = np.asarray(booster["model"]["weights"], np.float32).reshape(-1, outputs)
        none: Ints = np.zeros(0, np.int64)
        # XGBoost 3.2 adds the first output's base score to every output of a linear booster.
        bias = (base[:1].astype(np.float32) + weights[-1]).astype(np.float64)
        linear: Floats = weights[:-1].astype(np.float64)
        return Ensemble(nodes=empty_nodes(), roots=none, output=none, base=bias, linear=linear, **common)
    if kind not in ("gbtree", "dart"):
        raise NotConvertible(f"XGBoost's booster {kind!r} is not known", "train with gbtree, dart or gblinear")
    taken = grown.read(booster, _iterations(learner, which), outputs)
    return Ensemble(nodes=taken.nodes, roots=taken.roots, output=taken.output, base=base, **common)


def _outputs(learner: Any) -> int:
    """Scores a row: classes, targets or quantiles."""
    shape = learner["learner_model_param"]
    alphas = learner["objective"].get("quantile_loss_param", {}).get("quantile_alpha", "")
    quantiles = len([alpha for alpha in alphas.strip("[]()").split(",") if alpha.strip()])
    return max(1, int(shape.get("num_class", 0)), int(shape.get("num_target", 1)), quantiles)


def _meaning(objective: str, outputs: int) -> tuple[tuple[Link, ...], Task]:
    if objective in _SOFTMAX:
        return (Link("softmax"),), "multiclass"
    if objective == "binary:logistic":
        return (Link("sigmoid"),), "binary" if outputs == 1 else "raw"
    if objective == "binary:hinge":
        return (Link("step", 0.0),), "binary" if outputs == 1 else "raw"
    if objective in _LOGISTIC:
        return (Link("sigmoid"),), "regression"
    if objective in _LOG:
        return (Link("exp"),), "regression"
    if objective in _IDENTITY:
        task: Task = "ranking" if objective.startswith("rank:") else "regression"
        return (), "raw" if objective.startswith("binary:") else task
    raise NotConvertible(f"XGBoost's objective {objective!r} is not known", "convert raw scores, or report it")


def _base(objective: str, text: str, outputs: int) -> Floats:
    """The base score as a margin, one an output. The file holds it as the objective's own answer."""
    given = np.array([float(part) for part in text.strip("[]").split(",")], dtype=np.float32)
    one = np.float32(1)
    with np.errstate(divide="ignore"):
        if objective in _LOGISTIC:
            given = -np.log(one / given - one)
        elif objective in _LOG:
            given = np.log(given)
    return np.array(np.broadcast_to(given, outputs), dtype=np.float64)


def _missing(wrapper: Any) -> float | None:
    value = getattr(wrapper, "missing", None)
    return None if value is None or np.isnan(value) else float(value)


def _classes(task: Task, count: int, wrapper: Any) -> tuple[Label, ...]:
    if task not in ("binary", "multiclass"):
        return ()
    held = getattr(wrapper, "classes_", None)
    known = tuple(np.asarray(held).tolist()) if held is not None else ()
    return known if len(known) == count else tuple(range(count))


def _best(learner: Any) -> int | None:
    held = learner.get("attributes", {}).get("best_iteration")
    return int(held) if held is not None else None


def _iterations(learner: Any, which: Which) -> int | None:
    """How many boosting rounds are used; None for all."""
    best = _best(learner)
    return best + 1 if which == "best" and best is not None else None


def _notes(learner: Any, which: Which) -> tuple[str, ...]:
    best = _best(learner)
    if best is None or learner["gradient_booster"]["name"] == "gblinear":
        return ()
    used = f"the first {best + 1} rounds (best_iteration)" if which == "best" else "all rounds, past best_iteration too"
    return (f"training stopped early: {used} are used",)


def _features(learner: Any, count: int) -> tuple[Feature, ...]:
    names = learner.get("feature_names") or [f"f{i}" for i in range(count)]
    kinds = learner.get("feature_types") or ["float"] * count
    booster = learner["gradient_booster"]
    model = booster.get("gbtree", booster).get("model", {})
    held = model.get("cats", {}).get("enc", []) if "c" in kinds else []
    known = [grown.categories(values) for values in held] or [()] * count
    return tuple(
        Feature(name, _KINDS.get(kind, "float"), values if kind == "c" else ())
        for name, kind, values in zip(names, kinds, known, strict=True)
    )
