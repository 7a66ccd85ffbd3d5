"""XGBoost's JSON and UBJSON models: what stands in a file, and that it holds together.

The fields are those of XGBoost's `doc/model.schema` and of the files that its versions 2.1 to 3.4 write; older ones
hold some of these. Fields beside them are named, not guessed at, and so is a version that is newer.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.errors import ModelError
from infer_bench.formats import ubjson
from infer_bench.formats.xgboost.columns import Json
from infer_bench.formats.xgboost.trees import TreeTable, read_table, unknown_fields
from infer_bench.model import Feature, Kind, Label
from infer_bench.typing import Floats

NEWEST = (3, 4)
"""The newest version of XGBoost whose files this reader was held against."""

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "document": ("learner", "version"),
    "learner": (
        *("attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param", "objective"),
    ),
    "learner_model_param": ("base_score", "boost_from_average", "num_class", "num_feature", "num_target"),
    "objective": (
        *("name", "reg_loss_param", "softmax_multiclass_param", "poisson_regression_param", "aft_loss_param"),
        *("tweedie_regression_param", "pseudo_huber_param", "quantile_loss_param", "expectile_loss_param"),
        *("lambda_rank_param", "lambdarank_param", "ti+", "tj-"),
    ),
    "gradient_booster": ("name", "model", "gbtree", "weight_drop"),
    "model": (
        *("gbtree_model_param", "trees", "tree_info", "iteration_indptr", "cats", "weight_drop"),
        *("weights", "boosted_rounds"),
    ),
    "gbtree_model_param": ("num_parallel_tree", "num_trees", "size_leaf_vector"),
    "cats": ("enc", "feature_segments", "sorted_idx"),
}
FEATURE_KINDS: Mapping[str, Kind] = {"c": "category", "int": "integer", "i": "boolean"}
_MOST = 1 << 24
"""More features or outputs than this no model has: each takes room in memory, whatever the file's size."""
_BROKEN = (ValueError, TypeError, AttributeError, OverflowError, RecursionError, IndexError)


@dataclass(frozen=True, slots=True)
class Outline:
    """What a learner says of itself beside its trees; of several outputs, quantiles and expectiles count as targets.

    `booster` is "gbtree", "gblinear" or "dart", which XGBoost 3.3 and newer store as a "gbtree" with weights.
    """

    objective: str
    booster: str
    classes: int
    targets: int
    trees: int

    @property
    def outputs(self) -> int:
        """The number of raw scores a row gets."""
        return max(self.classes, self.targets)


@dataclass(frozen=True, slots=True, eq=False)
class XGBoostModel:
    """A model file.

    `base_score` is as stored, in the space of predictions: one number, one an output, or none. `illegible` names the
    columns whose categories are stored cut short. `attributes` are the user's, early stopping's `best_iteration` among
    them. `trees` is None for a linear model, whose `weights` (features + 1, outputs) end in the biases. `unknown` names
    the fields that this reader does not know.
    """

    outline: Outline
    version: tuple[int, ...]
    base_score: tuple[float, ...]
    features: tuple[Feature, ...]
    illegible: tuple[str, ...]
    attributes: Mapping[str, str]
    trees: TreeTable | None
    weights: Floats | None
    unknown: tuple[str, ...]


def check_xgboost(file: Path) -> None:
    """Raises `ModelError` when the file is truncated or its trees do not hold together."""
    read_xgboost_model(file.read_bytes(), file.name)


def read_xgboost_model(data: bytes, name: str = "the document") -> XGBoostModel:
    """The model that JSON or UBJSON holds. Raises `ModelError` when it is truncated or does not hold together."""
    try:
        return _read_document(ubjson.decode(data)) if ubjson.begins(data) else _read_json(data)
    except KeyError as error:
        reason = f"{error.args[0]!r} is missing"
    except _BROKEN as error:
        reason = str(error)
    raise ModelError(f"{name} is a broken XGBoost model: {reason}", "copy the file again, or save the model again")


def outline(learner: Json) -> Outline:
    """The outline of a model's `learner`, or of the one that `Booster.save_config` gives.

    Raises `KeyError`, `TypeError` or `ValueError` where it lacks a part.
    """
    shape, objective, booster = learner["learner_model_param"], learner["objective"], learner["gradient_booster"]
    alphas = [
        len(_numbers(objective.get(f"{kind}_loss_param", {}).get(f"{kind}_alpha", "")))
        for kind in ("quantile", "expectile")
    ]
    inner = booster.get("gbtree", booster)  # before 3.3 dart wraps a gbtree
    inner = inner.get("model", inner)
    trees = int(inner["gbtree_model_param"]["num_trees"]) if "gbtree_model_param" in inner else 0
    classes, targets = int(shape.get("num_class", 0)), int(shape.get("num_target", 1))
    if classes < 0 or targets < 0:
        raise ValueError(f"it counts {classes} classes and {targets} targets")
    return Outline(str(objective["name"]), str(booster["name"]), classes, max(1, targets, *alphas), trees)


def _read_json(data: bytes) -> XGBoostModel:
    """As the standard library reads it where a quicker way fails.

    That one also knows the NaN and Infinity that XGBoost may write, and the fields that do not belong there.
    """
    text = data.removeprefix(b"\xef\xbb\xbf")
    model = _read_quickly(text)
    if model is not None:
        return model
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    return _read_document(document)


def _read_quickly(text: bytes) -> XGBoostModel | None:
    """The model, None where msgspec is missing or something is strange; `ValueError` where the text ends early."""
    try:
        import msgspec
    except ImportError:  # in a worker of another environment
        return None
    try:
        return _read_document(_as_mapping(msgspec.json.decode(text, type=_document_type())))
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            raise ValueError("it is truncated") from None
        return None
    except (KeyError, *_BROKEN):
        return None


@cache
def _document_type() -> type[Any]:
    """The known fields as msgspec's types: trees' fields stay text, and others are refused."""
    import msgspec

    def struct(name: str, **types: Any) -> type[Any]:
        fields: Any = [(field, types.get(field, Any), msgspec.UNSET) for field in _FIELDS[name]]
        return msgspec.defstruct(name, fields, forbid_unknown_fields=True)

    model = struct("model", trees=list[dict[str, msgspec.Raw]])
    inner = struct("gradient_booster", model=model)
    booster = struct("gradient_booster", model=model, gbtree=inner)
    return struct("document", learner=struct("learner", gradient_booster=booster))


def _as_mapping(value: Any) -> Any:
    import msgspec

    if not isinstance(value, msgspec.Struct):
        return value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: _as_mapping(field) for name, field in fields.items() if field is not msgspec.UNSET}


def _read_document(document: Json) -> XGBoostModel:
    learner = document["learner"]
    outline_ = outline(learner)
    count = int(learner["learner_model_param"]["num_feature"])
    version = tuple(int(part) for part in document.get("version", ()))
    if not (0 <= count <= _MOST and outline_.outputs <= _MOST):
        raise ValueError(f"it counts {count} features and {outline_.outputs} outputs")
    booster = learner["gradient_booster"]
    if outline_.booster not in ("gbtree", "gblinear", "dart"):
        raise ValueError(f"an unknown booster {outline_.booster[:40]!r}")
    inner = booster.get("gbtree", booster)
    model = inner["model"]
    trees, weights = None, None
    if outline_.booster == "gblinear":
        weights = _weights(model, count, outline_.outputs)
    else:
        weight_drop = booster.get("weight_drop", model.get("weight_drop", ()))
        trees = _with_weights(read_table(model, count, outline_.outputs, version), weight_drop, outline_.booster)
    features, illegible = _features(learner, count, model, version)
    return XGBoostModel(
        outline=outline_,
        version=version,
        base_score=_numbers(learner["learner_model_param"].get("base_score", "")),
        features=features,
        illegible=illegible,
        attributes=dict(learner.get("attributes", {})),
        trees=trees,
        weights=weights,
        unknown=(*_unknown(document, inner, model), *(trees.unknown if trees else ())),
    )


def _numbers(text: Any) -> tuple[float, ...]:
    """A number, or numbers in brackets, as newer versions write them."""
    return tuple(float(part) for part in str(text).strip("[]() ").split(",") if part.strip())


def _weights(model: Json, features: int, outputs: int) -> Floats:
    weights = np.array(model["weights"], dtype=np.float32).astype(np.float64)
    if weights.shape != ((features + 1) * outputs,):
        raise ValueError(f"it has {weights.size} weights where {(features + 1) * outputs} are due")
    return weights.reshape(features + 1, outputs)


def _with_weights(trees: TreeTable, weight_drop: Any, booster: str) -> TreeTable:
    """Each tree's weight; none are stored for models that dropped no tree, except by dart."""
    count, weight = len(trees.nodes), np.array(weight_drop, dtype=np.float64)
    if weight.shape != (count,) and (weight.size or booster == "dart"):
        raise ValueError(f"it has {len(weight_drop)} tree weights for {count} trees")
    return replace(trees, weight=weight) if weight.size else trees


def _features(
    learner: Json, count: int, model: Json, version: tuple[int, ...]
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """The columns, and the names of those whose categories cannot be read."""
    for key in ("feature_names", "feature_types"):
        if len(learner.get(key) or ()) not in (0, count):
            raise ValueError(f"{key} has {len(learner[key])} entries for {count} features")
    names = [str(name) for name in learner.get("feature_names") or ()]
    invented = not names
    types = learner.get("feature_types") or ["float"] * count
    entries = list(model.get("cats", {}).get("enc", ())) or [None] * count
    if len(entries) != count:
        raise ValueError(f"cats has {len(entries)} entries for {count} features")
    columns, illegible = [], []
    for name, kind, entry in zip(names or [f"f{i}" for i in range(count)], types, entries, strict=True):
        categories = _categories(entry, version) if kind == "c" and entry is not None else ()
        if categories is None:
            illegible.append(name)
        columns.append(Feature(name, FEATURE_KINDS.get(kind, "float"), categories or (), invented))
    return tuple(columns), tuple(illegible)


def _categories(entry: Json, version: tuple[int, ...]) -> tuple[Label, ...] | None:
    """Numbers as they stand; strings as UTF-8 bytes (signed ones) in one list, cut at the offsets.

    None for strings that are not ASCII of versions before 3.4, which count characters where they write bytes: of
    "Ålesund" they keep "Ålesun".
    """
    values, offsets = list(entry["values"]), entry.get("offsets")
    if offsets is None:
        return tuple(value.item() if isinstance(value, np.generic) else value for value in values)
    text = bytes(int(byte) & 0xFF for byte in values)
    if not text.isascii() and version < NEWEST:
        return None
    ends = [int(end) for end in offsets]
    if len(ends) and (ends[0] != 0 or ends[-1] != len(text) or ends != sorted(ends)):
        raise ValueError("the offsets of a feature's categories do not fit them")
    return tuple(text[a:b].decode() for a, b in itertools.pairwise(ends))


def _unknown(document: Json, inner: Json, model: Json) -> Iterator[str]:
    learner = document["learner"]
    yield from unknown_fields(document, _FIELDS["document"], "the document")
    yield from unknown_fields(learner, _FIELDS["learner"], "the learner")
    for name in ("learner_model_param", "objective", "gradient_booster"):
        yield from unknown_fields(learner[name], _FIELDS[name], name)
    if inner is not learner["gradient_booster"]:
        yield from unknown_fields(inner, _FIELDS["gradient_booster"], "gbtree")
    yield from unknown_fields(model, _FIELDS["model"], "the booster's model")
    for name in ("gbtree_model_param", "cats"):
        yield from unknown_fields(model.get(name, {}), _FIELDS[name], name)
