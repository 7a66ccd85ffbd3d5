"""Ensemble -> ONNX: raw scores from one tree operator, then the links as plain nodes.

Exact means: every row takes the branches that the source library takes, because thresholds stay double (or, where the
library itself casts rows to float32, because rows are cast likewise), and leaves are added up in the dtype that the
library adds them up in. With float32 trees the thresholds are folded so that every float32 row takes the same branches,
and only the sum is rounded.
"""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from infer_bench.converters.base import LABEL, PREDICTION, PROBABILITIES, Precision
from infer_bench.converters.metadata import SPEC, describe_feature
from infer_bench.converters.onnx.assembly import assemble
from infer_bench.converters.onnx.columns import INT64, NUMBER, STRING, declare_inputs
from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.onnx.labels import add_zipmap, make_label_table
from infer_bench.converters.onnx.links import add_both_classes, add_class_index, add_links
from infer_bench.converters.onnx.scores import add_scores, refuse_rows
from infer_bench.converters.onnx.two_classes import (
    add_classifier,
    add_sigmoids,
    are_labels,
    has_one_sigmoid,
    suits_classifier,
)
from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.model import Label
from infer_bench.trees.ensemble import Dtype, Ensemble

_OPSET = {3: (15, 8), 5: (21, 10)}
"""ai.onnx.ml version -> (ai.onnx version, IR version), as ONNX released them together."""


def write_onnx(
    ensemble: Ensemble,
    *,
    precision: Precision = "exact",
    opset_ml: Literal[3, 5] = 5,
    input_name: str = "input",
    input_dtype: Dtype | None = None,
    zipmap: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> bytes:
    """The ONNX file's bytes.

    `precision` is the dtype of trees and predictions (exact: the source library's own); `input_dtype` that of the rows,
    by default float64 for exact and float32 otherwise. Rows of another dtype than the trees' are cast in the graph.
    `metadata` is added as JSON under `infer_bench.` keys.
    A classifier has the outputs `label` (batch,) and `probabilities` (batch, classes), anything else `prediction`
    (batch, outputs). Raises `NotConvertible`, and `MissingDependency` without the onnx package.
    """
    _require_onnx()
    if opset_ml not in _OPSET:
        raise NotConvertible(f"there is no writer for ai.onnx.ml {opset_ml}", "use 5 or 3")
    tree_dtype: Dtype = ensemble.score_dtype if precision == "exact" else "float32"
    row_dtype: Dtype = input_dtype or ("float64" if precision == "exact" else "float32")
    g = Graph(opset_ml)
    rows = declare_inputs(g, ensemble, row_dtype, input_name)
    scores, score_dtype = add_scores(g, ensemble, rows.tensor, row_dtype, tree_dtype)
    scores = refuse_rows(g, ensemble, rows.tensor, row_dtype, scores, score_dtype)
    outputs = _add_outputs(g, ensemble, scores, score_dtype, tree_dtype, zipmap)
    facts = {SPEC: describe(ensemble), **_list_facts(ensemble, precision, row_dtype), **(metadata or {})}
    opset, ir_version = _OPSET[opset_ml]
    opsets = {"": opset, **g.domains}
    return assemble(g, "ensemble", rows.infos, outputs, opsets=opsets, ir_version=ir_version, metadata=facts)


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise MissingDependency("onnx", "convert") from None


def describe(ensemble: Ensemble) -> dict[str, Any]:
    """What the file computes, as other commands read it. No column is `encoded`: the graph takes values, not codes."""
    features = [describe_feature(feature) for feature in ensemble.features]
    return {"task": ensemble.task, "classes": list(ensemble.classes), "outputs": [], "features": features}


def _list_facts(ensemble: Ensemble, precision: Precision, row_dtype: Dtype) -> dict[str, Any]:
    return {
        "family": ensemble.family,
        "trees": ensemble.trees,
        "precision": precision,
        "row_dtype": row_dtype,
        "source_row_dtype": ensemble.row_dtype,
        "source_score_dtype": ensemble.score_dtype,
        "versions": dict(ensemble.versions),
        "notes": list(ensemble.notes),
    }


def _add_outputs(
    g: Graph, ensemble: Ensemble, scores: str, score_dtype: Dtype, dtype: Dtype, zipmap: bool
) -> list[Any]:
    """The graph's outputs in `dtype`, from scores in `score_dtype`."""
    if ensemble.task not in ("binary", "multiclass"):
        numbers = _add_cast(g, add_links(g, ensemble.links, scores, score_dtype), score_dtype, dtype)
        return [_name_output(g, numbers, PREDICTION, NUMBER[dtype], [None, ensemble.outputs])]
    label, probabilities = _add_classes(g, ensemble, scores, score_dtype, dtype)
    if zipmap:
        return [label, add_zipmap(g, ensemble.classes, probabilities)]
    return [label, _name_output(g, probabilities, PROBABILITIES, NUMBER[dtype], [None, len(ensemble.classes)])]


def _add_classes(g: Graph, ensemble: Ensemble, scores: str, score_dtype: Dtype, dtype: Dtype) -> tuple[Any, str]:
    """The output `label` and the tensor of probabilities (batch, classes) in `dtype`."""
    one_sigmoid = has_one_sigmoid(ensemble)
    if one_sigmoid and suits_classifier(ensemble, score_dtype, dtype):
        label, probabilities = add_classifier(g, ensemble, scores)
        return _add_label(g, ensemble.classes, label, is_index=not are_labels(ensemble.classes)), probabilities
    if one_sigmoid:
        probabilities = add_sigmoids(g, ensemble, scores, score_dtype)
    else:
        predictions = add_links(g, ensemble.links, scores, score_dtype)
        probabilities = add_both_classes(g, ensemble, predictions, score_dtype)
    index = add_class_index(g, ensemble, scores, probabilities, score_dtype)
    return _add_label(g, ensemble.classes, index), _add_cast(g, probabilities, score_dtype, dtype)


def _add_label(g: Graph, classes: tuple[Label, ...], tensor: str, *, is_index: bool = True) -> Any:
    """The output `label` (batch,), from each row's label or the index of its class."""
    if not is_index or _are_indices(classes):
        return _name_output(g, tensor, LABEL, STRING if isinstance(classes[0], str) else INT64, [None])
    table, kind = make_label_table(g, classes) or _refuse_labels(classes)
    return _name_output(g, g.op("Gather", table, tensor, axis=0), LABEL, kind, [None])


def _are_indices(classes: tuple[Label, ...]) -> bool:
    """Whether the classes are 0, 1, …, so that the index of one is its label."""
    return all(type(label) is int and label == index for index, label in enumerate(classes))


def _add_cast(g: Graph, tensor: str, score_dtype: Dtype, dtype: Dtype) -> str:
    return tensor if score_dtype == dtype else g.op("Cast", tensor, to=NUMBER[dtype])


def _refuse_labels(classes: tuple[Label, ...]) -> NoReturn:
    names = ", ".join(sorted({type(label).__name__ for label in classes}))
    raise NotConvertible(f"class labels of the types {names} have no ONNX form", "use integers or strings")


def _name_output(g: Graph, tensor: str, name: str, kind: int, shape: list[int | None]) -> Any:
    """Declare `tensor` as the output `name`."""
    from onnx import helper

    for node in g.nodes:
        for names in (node.input, node.output):
            for at, other in enumerate(names):
                if other == tensor:
                    names[at] = name
    return helper.make_tensor_value_info(name, kind, shape)
