"""Ensemble -> ONNX: raw scores from one tree operator, then the links as plain nodes.

Exact means: every row takes the branches that the source library takes, because thresholds stay double (or, where the
library itself casts rows to float32, because rows are cast likewise), and leaves are added up in the dtype that the
library adds them up in. With float32 trees the thresholds are folded so that every float32 row takes the same branches,
and only the sum is rounded.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from infer_bench.converters.onnx.columns import NUMBER, inputs
from infer_bench.converters.onnx.graph import Graph
from infer_bench.converters.onnx.links import add_links, both_classes, class_index
from infer_bench.converters.onnx.scores import add_scores, refuse_rows
from infer_bench.errors import NotConvertible
from infer_bench.model import Label
from infer_bench.trees.ensemble import Dtype, Ensemble

Precision = Literal["exact", "float32"]
LABEL, PROBABILITIES, PREDICTION = "label", "probabilities", "prediction"
SPEC = "infer_bench.spec"
"""Metadata key of what the file computes: JSON of task, classes, outputs and features."""

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

    `precision` is the dtype of trees and answers (exact: the source library's own); `input_dtype` that of the rows, by
    default float64 for exact and float32 otherwise. Rows of another dtype than the trees' are cast in the graph.
    `metadata` is added as JSON under `infer_bench.` keys.
    A classifier has the outputs `label` (batch,) and `probabilities` (batch, classes), anything else `prediction`
    (batch, outputs). Raises `NotConvertible`.
    """
    if opset_ml not in _OPSET:
        raise NotConvertible(f"there is no writer for ai.onnx.ml {opset_ml}", "use 5 or 3")
    wanted: Dtype = ensemble.score_dtype if precision == "exact" else "float32"
    given: Dtype = input_dtype or ("float64" if precision == "exact" else "float32")
    g = Graph(opset_ml)
    rows = inputs(g, ensemble, given, input_name)
    scores, held = add_scores(g, ensemble, rows.tensor, given, wanted)
    scores = refuse_rows(g, ensemble, rows.tensor, given, scores, held)
    outputs = _outputs(g, ensemble, scores, held, wanted, zipmap)
    facts = {SPEC: spec(ensemble), **_facts(ensemble, precision, given), **(metadata or {})}
    return _assemble(g, list(rows.declared), outputs, facts)


def spec(ensemble: Ensemble) -> dict[str, Any]:
    """What the file computes, as other commands read it. No column is `encoded`: the graph takes values, not codes."""
    features = [{"name": f.name, "kind": f.kind, "categories": list(f.categories)} for f in ensemble.features]
    return {"task": ensemble.task, "classes": list(ensemble.classes), "outputs": [], "features": features}


def _facts(ensemble: Ensemble, precision: Precision, given: Dtype) -> dict[str, Any]:
    return {
        "family": ensemble.family,
        "trees": ensemble.trees,
        "precision": precision,
        "row_dtype": given,
        "source_row_dtype": ensemble.row_dtype,
        "source_score_dtype": ensemble.score_dtype,
        "versions": dict(ensemble.versions),
        "notes": list(ensemble.notes),
    }


def _outputs(g: Graph, ensemble: Ensemble, scores: str, held: Dtype, dtype: Dtype, zipmap: bool) -> list[Any]:
    """The graph's outputs in `dtype`, from scores in the dtype `held`."""
    predictions = add_links(g, ensemble.links, scores, held)
    if ensemble.task not in ("binary", "multiclass"):
        return [_named(g, _cast(g, predictions, held, dtype), PREDICTION, NUMBER[dtype], [None, ensemble.outputs])]
    probabilities = both_classes(g, ensemble, predictions, held)
    index = class_index(g, ensemble, scores, probabilities, held)
    probabilities = _cast(g, probabilities, held, dtype)
    table, kind = _label_table(g, ensemble.classes)
    label = _named(g, g.op("Gather", table, index, axis=0), LABEL, kind, [None])
    if zipmap:
        return [label, _zipmap(g, ensemble.classes, probabilities)]
    return [label, _named(g, probabilities, PROBABILITIES, NUMBER[dtype], [None, len(ensemble.classes)])]


def _cast(g: Graph, tensor: str, held: Dtype, dtype: Dtype) -> str:
    return tensor if held == dtype else g.op("Cast", tensor, to=NUMBER[dtype])


def _label_table(g: Graph, classes: tuple[Label, ...]) -> tuple[str, int]:
    """The labels as a constant, and its element type."""
    kinds = {type(label) for label in classes}
    if kinds == {str}:
        return g.const(classes, str), 8
    if kinds == {bool}:
        return g.const(classes, np.bool_), 9
    if kinds == {int}:
        return g.const(classes, np.int64), 7
    if kinds == {float}:
        return g.const(classes, np.float64), 11
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise NotConvertible(f"class labels of the types {names} have no ONNX form", "use integers or strings")


def _zipmap(g: Graph, classes: tuple[Label, ...], probabilities: str) -> Any:
    from onnx import helper

    if all(isinstance(label, str) for label in classes):
        keys: dict[str, Any] = {"classlabels_strings": list(classes)}
        kind = 8
    elif all(isinstance(label, int) for label in classes):
        keys, kind = {"classlabels_int64s": [int(label) for label in classes]}, 7
    else:
        raise NotConvertible("a ZipMap takes integer or string class labels only", "leave --zipmap out")
    tensor = g.op("Cast", probabilities, to=1)
    g.nodes.append(helper.make_node("ZipMap", [tensor], [PROBABILITIES], domain="ai.onnx.ml", **keys))
    g.domains["ai.onnx.ml"] = g.opset_ml
    value = helper.make_map_type_proto(kind, helper.make_tensor_type_proto(1, ()))
    return helper.make_value_info(PROBABILITIES, helper.make_sequence_type_proto(value))


def _named(g: Graph, tensor: str, name: str, kind: int, shape: list[int | None]) -> Any:
    """Declare `tensor` as the output `name`."""
    from onnx import helper

    for node in g.nodes:
        for names in (node.input, node.output):
            for at, given in enumerate(names):
                if given == tensor:
                    names[at] = name
    return helper.make_tensor_value_info(name, kind, shape)


def _assemble(g: Graph, declared: list[Any], outputs: list[Any], facts: Mapping[str, Any]) -> bytes:
    from onnx import helper

    opset, ir = _OPSET[g.opset_ml]
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(domain, version) for domain, version in g.domains.items()]
    graph = helper.make_graph([], "ensemble", declared, outputs, g.initializers)
    graph.node.extend(g.nodes)
    model = helper.make_model(graph, producer_name="infer-bench", ir_version=ir, opset_imports=imports)
    named = {key if key.startswith("infer_bench.") else f"infer_bench.{key}": value for key, value in facts.items()}
    helper.set_model_props(model, {key: json.dumps(value, default=str) for key, value in named.items()})
    data: bytes = model.SerializeToString()
    return data
