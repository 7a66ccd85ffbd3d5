"""CatBoost models in the intermediate form, read from the library's own JSON.

CatBoost casts rows to float32, goes right where x > border, and adds leaves up in double. An oblivious tree is a
complete binary tree in which all nodes of a level share a split.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.errors import MissingDependency, ModelError, NotConvertible
from infer_bench.model import Feature, Label, Task
from infer_bench.trees.ensemble import LEQ, Ensemble, Link, Nodes, concatenate, empty_nodes, make_nodes
from infer_bench.trees.readers.unknown import refuse_unknown

Json = Mapping[str, Any]

_RANKING = frozenset(
    {"YetiRank", "YetiRankPairwise", "PairLogit", "PairLogitPairwise", "QueryRMSE", "QuerySoftMax", "QueryCrossEntropy"}
    | {"StochasticRank", "LambdaMart"}
)
_PLAIN = _RANKING | frozenset(
    {"RMSE", "MAE", "Quantile", "LogLinQuantile", "MAPE", "Huber", "Expectile", "LogCosh", "Lq", "Cox", "SurvivalAft"}
    | {"GroupQuantile", "MultiRMSE", "MultiRMSEWithMissingValues", "MultiQuantile"}
)
_EXPONENT = frozenset({"Poisson", "Tweedie"})
_SIGMOID = frozenset({"Logloss", "CrossEntropy", "Focal"})

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "document": ("features_info", "model_info", "oblivious_trees", "trees", "scale_and_bias"),
    "features_info": ("float_features", "categorical_features", "text_features", "embedding_features"),
    "feature": ("borders", "feature_id", "feature_index", "flat_feature_index", "has_nans", "nan_value_treatment"),
    "tree": ("leaf_values", "leaf_weights", "splits"),
    "node": ("left", "right", "split", "value", "weight"),
    "split": ("border", "float_feature_index", "split_index", "split_type"),
}
"""The fields of CatBoost 1.2's JSON; what `model_info` holds describes training, and is the user's in part."""

_MISSING = {"AsIs": False, "AsFalse": False, "AsTrue": True}
"""Whether NaN counts as greater than every border."""


def read_catboost(model: Any) -> Ensemble:
    """Read a fitted CatBoost model, or the path of a `.cbm` file.

    Raises `NotConvertible` for categorical, text and embedding features and for losses and fields that are not known,
    `ModelError` for a file that CatBoost does not read, `MissingDependency` without catboost.
    """
    fitted_model = _load(model) if isinstance(model, str | Path) else model
    for kind, short in {"categorical": "cat", "text": "text", "embedding": "embedding"}.items():
        if getattr(fitted_model, f"get_{short}_feature_indices")():
            raise _make_refusal(f"{kind} features")
    return read_document(_document(fitted_model), fitted_model)


def _load(path: str | Path) -> Any:
    try:
        import catboost
    except ImportError:
        raise MissingDependency("catboost", "catboost") from None
    try:
        return catboost.CatBoost().load_model(str(path), format="cbm")
    except (catboost.CatBoostError, OSError) as error:
        raise ModelError(f"CatBoost cannot read {Path(path).name}: {error}", "save it again with save_model") from None


def _document(model: Any) -> Json:
    """The model as CatBoost's JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        try:
            model.save_model(str(path), format="json")
        except Exception as error:  # noqa: BLE001 - CatBoost's own error cannot be named without importing it
            raise NotConvertible(f"CatBoost cannot write the model as JSON: {error}") from None
        document: Json = json.loads(path.read_text())
    return document


def read_document(document: Json, model: Any) -> Ensemble:
    """The trees of CatBoost's JSON; the fitted `model` knows its classes. Raises as `read_catboost` does."""
    columns = _columns(document)
    refuse_unknown("CatBoost", list(dict.fromkeys(_unknown(document))))
    loss = _loss(document)
    trees = _trees(document, columns)
    scale, bias = document.get("scale_and_bias", [1.0, [0.0]])
    width = trees[0].value.shape[1] if trees else len(np.atleast_1d(bias))
    links, task, classes = _meaning(loss, width, document, model)
    nodes, roots = concatenate(trees) if trees else (empty_nodes(width), np.zeros(0, np.int64))
    import catboost

    return Ensemble(
        family="catboost",
        task=task,
        features=_features([name for name, _ in columns]),
        nodes=Nodes(**{**_fields(nodes), "value": nodes.value * float(scale)}),
        roots=roots,
        output=np.full(len(roots), -1 if width > 1 else 0, dtype=np.int64),
        base=np.broadcast_to(np.asarray(bias, dtype=np.float64), (width,)).copy(),
        links=links,
        classes=classes,
        row_dtype="float32",
        versions={"catboost": catboost.__version__},
    )


def _unknown(document: Json) -> Iterator[str]:
    """The fields that this reader does not know, as in `a split's 'foo'`."""
    info = document["features_info"]
    yield from _others(document, "document")
    yield from _others(info, "features_info")
    for feature in info["float_features"]:
        yield from _others(feature, "feature")
        if feature["nan_value_treatment"] not in _MISSING:
            yield f"nan_value_treatment={feature['nan_value_treatment']}"[:40]
    for tree in document.get("oblivious_trees", ()):
        yield from _others(tree, "tree")
        for split in tree.get("splits") or ():
            yield from _others(split, "split")
    nodes = list(document.get("trees", ()))
    while nodes:
        node = nodes.pop()
        yield from _others(node, "node")
        yield from _others(node.get("split", {}), "split")
        nodes += [node[way] for way in ("left", "right") if way in node]


def _others(entry: Json, name: str) -> Iterator[str]:
    return (f"a {name}'s {key[:40]!r}" for key in entry if key not in _FIELDS[name])


def _fields(nodes: Nodes) -> dict[str, Any]:
    return {name: getattr(nodes, name) for name in Nodes.__dataclass_fields__}


def _columns(document: Json) -> list[tuple[str, bool]]:
    """Each column's name, and whether NaN counts as greater than every border."""
    info = document["features_info"]
    for kind in ("categorical_features", "text_features", "embedding_features"):
        if info.get(kind):
            raise _make_refusal(kind.replace("_", " "))
    features = sorted(info["float_features"], key=lambda feature: feature["flat_feature_index"])
    return [
        (
            feature.get("feature_id") or f"f{feature['flat_feature_index']}",
            _MISSING.get(feature["nan_value_treatment"], False),
        )
        for feature in features
    ]


def _features(names: Sequence[str]) -> tuple[Feature, ...]:
    """The columns; CatBoost calls those without a name by their positions."""
    invented = list(names) == [str(i) for i in range(len(names))]
    return tuple(Feature(name, invented=invented) for name in names)


def _make_refusal(features: str) -> NotConvertible:
    return NotConvertible(
        f"the CatBoost model has {features}, which it hashes or averages in ways that ONNX cannot hold",
        "encode them as numbers before training",
    )


def _loss(document: Json) -> str:
    params = document["model_info"].get("params", {})
    params = json.loads(params) if isinstance(params, str) else params
    return str(params.get("loss_function", {}).get("type", ""))


def _meaning(loss: str, width: int, document: Json, model: Any) -> tuple[tuple[Link, ...], Task, tuple[Label, ...]]:
    """Links, task and classes of a loss; a sum of models has none, and CatBoost gives its raw scores."""
    if not loss:
        return (), "raw", ()
    if loss in _PLAIN:
        return (), "ranking" if loss in _RANKING else "regression", ()
    if loss in _EXPONENT:
        return (Link("exp"),), "regression", ()
    classes = _classes(document, model)
    if loss in _SIGMOID and width == 1 and len(classes) == 2:
        _refuse_threshold(document)
        return (Link("sigmoid"),), "binary", classes
    if loss in ("MultiClass", "MultiClassOneVsAll") and width == len(classes):
        return (Link("softmax" if loss == "MultiClass" else "sigmoid"),), "multiclass", classes
    raise NotConvertible(f"the meaning of CatBoost's loss {loss or '(none)'} is not known", "serve it with CatBoost")


def _refuse_threshold(document: Json) -> None:
    threshold = document["model_info"].get("binclass_probability_threshold", 0.5)
    if float(threshold) != 0.5:
        raise NotConvertible(
            f"the CatBoost model has a probability threshold of {threshold}", "reset it and compare probabilities"
        )


def _classes(document: Json, model: Any) -> tuple[Label, ...]:
    classes = getattr(model, "classes_", None)
    if classes is not None and len(classes):
        return tuple(np.asarray(classes).tolist())
    params = document["model_info"].get("class_params", {})
    params = json.loads(params) if isinstance(params, str) else params
    return tuple(params.get("class_names", ()))


def _trees(document: Json, columns: Sequence[tuple[str, bool]]) -> list[Nodes]:
    flat = {f["feature_index"]: f["flat_feature_index"] for f in document["features_info"]["float_features"]}
    if "oblivious_trees" in document:
        return [_oblivious(tree, flat, columns) for tree in document["oblivious_trees"]]
    return [_branching(tree, flat, columns) for tree in document.get("trees", ())]


def _feature_and_border(split: Json, flat: Mapping[int, int]) -> tuple[int, float]:
    if split.get("split_type", "FloatFeature") != "FloatFeature":
        raise NotConvertible(f"CatBoost splits on a {split['split_type']}", "encode categories before training")
    return flat[split["float_feature_index"]], float(split["border"])


def _oblivious(tree: Json, flat: Mapping[int, int], columns: Sequence[tuple[str, bool]]) -> Nodes:
    """Level by level; bit i of a leaf's number says whether split i went right, so the last split is the root."""
    splits = [_feature_and_border(split, flat) for split in reversed(tree.get("splits") or ())]
    depth, inner = len(splits), (1 << len(splits)) - 1
    level = np.repeat(np.arange(depth), 1 << np.arange(depth))
    feature = np.array([column for column, _ in splits], dtype=np.int64)
    border = np.array([value for _, value in splits], dtype=np.float64)
    right = np.array([columns[column][1] for column, _ in splits], dtype=bool)
    values = np.asarray(tree["leaf_values"], dtype=np.float64).reshape(1 << depth, -1)
    leaves = np.full(1 << depth, -1)
    child = np.arange(inner)
    return make_nodes(
        feature=np.concatenate([feature[level], leaves]),
        threshold=np.concatenate([border[level], np.zeros(1 << depth)]),
        left=np.concatenate([2 * child + 1, leaves]),
        right=np.concatenate([2 * child + 2, leaves]),
        value=np.vstack([np.zeros((inner, values.shape[1])), values]),
        mode=LEQ,
        missing_left=np.concatenate([~right[level], np.zeros(1 << depth, dtype=bool)]),
    )


def _branching(tree: Json, flat: Mapping[int, int], columns: Sequence[tuple[str, bool]]) -> Nodes:
    """A tree of nested nodes; `right` holds the rows that exceed the border."""
    rows: list[tuple[int, float, int, int, bool, Any]] = []
    waiting: list[tuple[Json, int, int]] = [(tree, -1, 0)]
    links: dict[tuple[int, int], int] = {}
    while waiting:
        node, parent, side = waiting.pop()
        links[parent, side] = len(rows)
        if "split" not in node:
            rows.append((-1, 0.0, 0, 0, False, np.atleast_1d(node["value"])))
            continue
        feature, border = _feature_and_border(node["split"], flat)
        waiting += [(node["left"], len(rows), 0), (node["right"], len(rows), 1)]
        rows.append((feature, border, 1, 1, not columns[feature][1], None))
    width = next(len(row[5]) for row in rows if row[5] is not None)
    left = [links[i, 0] if row[5] is None else -1 for i, row in enumerate(rows)]
    right = [links[i, 1] if row[5] is None else -1 for i, row in enumerate(rows)]
    return make_nodes(
        feature=[row[0] for row in rows],
        threshold=[row[1] for row in rows],
        left=left,
        right=right,
        value=np.vstack([np.zeros(width) if row[5] is None else row[5] for row in rows]),
        mode=LEQ,
        missing_left=[row[4] for row in rows],
    )
