"""A model's trees, read in a worker and handed over as arrays: nothing of a stranger's file is parsed elsewhere."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.errors import ModelError, NotConvertible
from infer_bench.model import Feature, ModelRef
from infer_bench.trees.ensemble import Ensemble, LinearLeaves, Link, Nodes
from infer_bench.typing import Array
from infer_bench.workers.protocol import Message

PROBES = 4_096
_NODES = ("mode", "feature", "threshold", "left", "right", "missing_left", "zero_missing", "value", "member_start")
_PLAIN = ("family", "task", "divisor", "row_dtype", "score_dtype", "zero_band", "rounding", "label_rule", "refuses")


def read(fields: Mapping[str, Any]) -> Message:
    """The trees of `fields["model"]`, and groups of rows that visit them. Raises `NotConvertible` where there are none.

    `trees` is "best", "all" or None: after early stopping, what the class that opens the file does. Only the pickles
    that the caller has allowed are opened. With `last`, the trees are those of a pipeline's last step.
    """
    model = ModelRef(**fields["model"])
    allowed = bool(fields["allow_pickle"])
    if fields.get("last"):
        held = _chosen(_held(model, allowed))
        return pack(_named(_last_step(held), held))
    ensemble = ensemble_of(model, allowed, fields.get("trees"))
    from infer_bench.trees.probes import probe_rows

    message = pack(ensemble)
    groups = probe_rows(ensemble, seed=int(fields.get("seed", 0)), limit=PROBES)
    arrays = {f"probe/{name}": rows for name, rows in groups.items()}
    return Message("structure", message.fields, {**message.arrays, **arrays})


def ensemble_of(model: ModelRef, allow_pickle: bool, trees: Any) -> Ensemble:
    """The trees of a model of any family that can be read."""
    if model.family == "lightgbm":
        from infer_bench.trees.readers.lightgbm import read_lightgbm

        text = model.format == "lightgbm-text"
        held = Path(model.path).read_text(encoding="utf-8") if text else _held(model, allow_pickle)
        return read_lightgbm(held, trees=trees or "best")
    if model.family == "xgboost":
        from infer_bench.trees.readers.xgboost import read_xgboost

        return read_xgboost(_xgboost(model, allow_pickle), trees=trees)
    if model.family == "sklearn":
        from infer_bench.trees.readers.sklearn.ensembles import read_encoded_histogram, read_sklearn_trees

        held = _chosen(_held(model, allow_pickle))
        trees_read = read_encoded_histogram(held) or read_sklearn_trees(held)
        if trees_read is not None:
            return trees_read
    if model.family == "catboost":
        from infer_bench.trees.readers.catboost import read_catboost

        return read_catboost(model.path)
    if model.family == "onnx":
        from infer_bench.workers.tasks.verified_onnx_trees import read_onnx_structure

        return read_onnx_structure(model, {})
    raise NotConvertible(f"the structure of a {model.family} model cannot be read")


def _chosen(estimator: Any) -> Any:
    """The estimator that a search has found best, which answers in its place."""
    return _chosen(estimator.best_estimator_) if hasattr(estimator, "best_estimator_") else estimator


def _last_step(estimator: Any) -> Ensemble:
    """The trees of a pipeline's last step, of any library."""
    if not hasattr(estimator, "named_steps"):
        raise NotConvertible("the model is no pipeline")
    final = estimator.steps[-1][1]
    module = type(final).__module__.partition(".")[0]
    if module == "lightgbm":
        from infer_bench.trees.readers.lightgbm import read_lightgbm

        return read_lightgbm(final)
    if module == "xgboost":
        from infer_bench.trees.readers.xgboost import read_xgboost

        return read_xgboost(final)
    from infer_bench.trees.readers.sklearn.ensembles import read_sklearn_trees

    found = read_sklearn_trees(final)
    if found is None:
        raise NotConvertible("the last step has no trees alone")
    return found


def _named(ensemble: Ensemble, pipeline: Any) -> Ensemble:
    """With the names that the steps before the last give their columns, where they name them."""
    try:
        called = [str(name) for name in pipeline[:-1].get_feature_names_out()]
    except Exception:  # noqa: BLE001 - a step of anyone's, which may have no names or no such method
        return ensemble
    if len(called) != len(ensemble.features):
        return ensemble
    features = zip(ensemble.features, called, strict=True)
    return replace(ensemble, features=tuple(Feature(name, f.kind, f.categories) for f, name in features))


def _xgboost(model: ModelRef, allow_pickle: bool) -> Any:
    if model.format in ("xgboost-json", "xgboost-ubj"):
        return Path(model.path).read_bytes()
    return _held(model, allow_pickle)


def _held(model: ModelRef, allow_pickle: bool) -> Any:
    from infer_bench.formats import pickles

    if model.format in ("pickle", "joblib"):
        return pickles.load(model.path, allow_pickle)
    return pickles.load_skops(model.path, allow_pickle) if model.format == "skops" else model.path


def pack(ensemble: Ensemble) -> Message:
    """An ensemble as a message of numbers and JSON."""
    nodes = ensemble.nodes
    arrays: dict[str, Array] = {f"nodes/{name}": getattr(nodes, name) for name in (*_NODES, "members")}
    arrays |= {"roots": ensemble.roots, "output": ensemble.output, "base": ensemble.base}
    if ensemble.linear is not None:
        arrays["linear"] = ensemble.linear
    if ensemble.linear_leaves is not None:
        leaves = ensemble.linear_leaves
        arrays |= {f"leaves/{n}": getattr(leaves, n) for n in ("start", "feature", "coefficient", "const")}
    fields = {name: getattr(ensemble, name) for name in _PLAIN}
    fields |= {"missing_value": ensemble.missing_value, "links": [asdict(link) for link in ensemble.links]}
    fields |= {"features": [_feature(f) for f in ensemble.features], "classes": [_scalar(c) for c in ensemble.classes]}
    return Message("structure", fields, arrays)


def unpack(message: Message) -> Ensemble:
    """The ensemble that `pack` packed. Raises `ModelError` when it does not hold together."""
    fields, arrays = dict(message.fields), message.arrays
    nodes = Nodes(**{name: arrays[f"nodes/{name}"] for name in (*_NODES, "members")})
    given = {n: arrays[f"leaves/{n}"] for n in ("start", "feature", "coefficient", "const") if f"leaves/{n}" in arrays}
    if len({len(getattr(nodes, name)) for name in _NODES if name not in ("member_start", "value")}) != 1:
        raise ModelError("the worker's trees do not hold together")
    return Ensemble(
        features=tuple(Feature(f["name"], f["kind"], tuple(f["categories"])) for f in fields["features"]),
        nodes=nodes,
        roots=arrays["roots"],
        output=arrays["output"],
        base=arrays["base"],
        links=tuple(Link(**link) for link in fields["links"]),
        classes=tuple(fields["classes"]),
        missing_value=fields["missing_value"],
        linear=arrays.get("linear"),
        linear_leaves=LinearLeaves(**given) if given else None,
        **{name: fields[name] for name in _PLAIN},
    )


def groups(message: Message) -> dict[str, Array]:
    """The rows that visit the trees: group → float64 (rows, features), categories as codes."""
    return {name.removeprefix("probe/"): rows for name, rows in message.arrays.items() if name.startswith("probe/")}


def _feature(feature: Feature) -> dict[str, Any]:
    return {"name": feature.name, "kind": feature.kind, "categories": [_scalar(c) for c in feature.categories]}


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
