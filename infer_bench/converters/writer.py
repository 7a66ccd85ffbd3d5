"""Ensemble -> ONNX file: the trees as one node of raw scores, then the link functions as nodes of their own.

The post-transforms of ONNX's own tree classifier are not used: what they do has differed between releases of ONNX Runtime.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from infer_bench.converters import columns as reading
from infer_bench.converters import layout as trees
from infer_bench.converters.ensemble import Ensemble, Ints
from infer_bench.converters.graph import Graph
from infer_bench.converters.links import add_link
from infer_bench.converters.old_trees import add_regressor
from infer_bench.converters.thresholds import fold
from infer_bench.converters.tree_graph import add_ensemble
from infer_bench.errors import NotConvertible, UsageError

Precision = Literal["exact", "float32"]
Input = Literal["float32", "float64"]


def write_onnx(
    ensemble: Ensemble,
    *,
    precision: Precision = "exact",
    opset_ml: int = 5,
    input_name: str = "input",
    input_dtype: Input | None = None,
    zipmap: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """The file's bytes: one input (batch, features); `label` and `probabilities` (batch, classes), or `output`.

    `exact` computes in the library's own number formats; its input is float64 unless `input_dtype` says otherwise.
    `float32` stores and adds up floats, its thresholds such that every float32 row takes the original's branches.
    Features with known `categories` take codes (the position among them; NaN for any other value). Raises
    `NotConvertible` for what has no exact form, `UsageError` for a setting that does not exist.
    """
    _check(ensemble, precision, opset_ml)
    dtype = np.float32 if precision == "float32" or ensemble.score_dtype == "float32" else np.float64
    given = input_dtype or ("float64" if precision == "exact" else "float32")
    g = Graph(opset_ml)
    x = _as_read(g, input_name, given, ensemble, dtype)
    scores = _raw_scores(g, x, ensemble, dtype)
    outputs = _answers(g, scores, ensemble, dtype, zipmap)
    return _model(g, ensemble, input_name, given, outputs, metadata or {})


def _check(ensemble: Ensemble, precision: str, opset_ml: int) -> None:
    trees.refuse_linear_leaves(ensemble)
    if precision not in ("exact", "float32"):
        raise UsageError(f"the precision cannot be {precision!r}", "one of: exact, float32")
    if opset_ml not in (3, 5):
        raise UsageError(f"trees cannot be written for ai.onnx.ml {opset_ml}", "one of: 5, 3")
    if opset_ml == 3 and precision == "exact" and ensemble.score_dtype == "float64":
        raise NotConvertible("ai.onnx.ml 3 has no trees that answer in double", "use precision float32, or opset-ml 5")


def _as_read(g: Graph, name: str, given: str, ensemble: Ensemble, dtype: Any) -> str:
    """The input in the dtype of the trees, by way of the dtype that the source library casts rows to."""
    x, held = name, given
    if ensemble.row_dtype == "float32" and held == "float64":
        x, held = g.op("Cast", x, to=1), "float32"
    if held != np.dtype(dtype).name:
        x = g.op("Cast", x, to=11 if dtype is np.float64 else 1)
    return x


def _raw_scores(g: Graph, x: str, ensemble: Ensemble, dtype: Any) -> str:
    """Raw scores (batch, outputs) in `dtype`."""
    plan = reading.plan(ensemble)
    base_first = ensemble.divisor == 1
    layout = trees.lay_out(ensemble)
    if base_first:
        layout = trees.with_base(ensemble, layout)
    scores = ""
    if len(layout.roots):
        columns = reading.add_columns(g, x, ensemble, plan, dtype)
        scores = _trees(g, columns, ensemble, layout, plan.of_node, dtype)
    if ensemble.divisor != 1:
        scores = g.op("Div", scores, g.const(ensemble.divisor, dtype))
        if ensemble.base.any():
            scores = g.op("Add", scores, g.const(ensemble.base, dtype))
    if ensemble.linear is not None:
        read = g.op("Where", g.op("IsNaN", x), g.const(0.0, dtype), x)
        product = g.op("MatMul", read, g.const(ensemble.linear, dtype))
        scores = g.op("Add", product, scores) if scores else product
    return scores or _nothing(g, x, ensemble.outputs, dtype)


def _trees(g: Graph, x: str, ensemble: Ensemble, layout: trees.Layout, columns: Ints, dtype: Any) -> str:
    splits = fold(ensemble, dtype)
    if g.opset_ml < 5:
        return add_regressor(g, x, ensemble, layout, columns, splits)
    return add_ensemble(g, x, ensemble, trees.kept_apart(layout), columns, splits, dtype)


def _nothing(g: Graph, x: str, outputs: int, dtype: Any) -> str:
    """Zeros (batch, outputs), for a model without trees and base scores."""
    rows = g.op("Slice", g.op("Shape", x), g.ints(0), g.ints(1))
    return g.op("Expand", g.const(np.zeros((1, outputs)), dtype), g.op("Concat", rows, g.ints(outputs), axis=0))


def _answers(g: Graph, scores: str, ensemble: Ensemble, dtype: Any, zipmap: bool) -> list[Any]:
    """The graph's outputs; links are computed in double whatever the trees are in."""
    wide = scores if dtype is np.float64 else g.double(scores)
    answer = wide
    for link in ensemble.links:
        answer = add_link(g, link, answer)
    if ensemble.task not in ("binary", "multiclass"):
        narrow = answer if dtype is np.float64 else g.op("Cast", answer, to=1) if ensemble.links else scores
        return [_named(g, narrow, "output", dtype, ["batch", ensemble.outputs])]
    if ensemble.outputs == 1:
        answer = g.op("Concat", g.op("Sub", g.const(1.0), answer), answer, axis=1)
    label = _label(
        g, answer if ensemble.score_dtype == "float64" else g.double(g.op("Cast", answer, to=1)), wide, ensemble
    )
    probabilities = answer if dtype is np.float64 else g.op("Cast", answer, to=1)
    return [label, _probabilities(g, probabilities, ensemble, dtype, zipmap)]


def _label(g: Graph, probabilities: str, scores: str, ensemble: Ensemble) -> Any:
    """The class of the first largest probability; of a binary score, the second class only beyond one half."""
    if ensemble.label_rule == "raw-not-negative":
        index = g.op("Cast", g.flat(g.op("GreaterOrEqual", scores, g.const(0.0))), to=7)
    elif ensemble.outputs == 1:
        index = g.op("Cast", g.flat(g.op("Greater", g.take(probabilities, [1]), g.const(0.5))), to=7)
    else:
        index = g.argmax(probabilities)
    kind, dtype = _label_type(ensemble)
    listed = [str(label) for label in ensemble.classes] if dtype is str else list(ensemble.classes)
    return _named(g, g.op("Gather", g.const(listed, dtype), index, axis=0), "label", kind, ["batch"])


def _label_type(ensemble: Ensemble) -> tuple[Any, Any]:
    """The labels' ONNX element type and the dtype of their constant."""
    classes = ensemble.classes
    if all(isinstance(label, bool) for label in classes):
        return 9, np.bool_
    if all(isinstance(label, int) and not isinstance(label, bool) for label in classes):
        return 7, np.int64
    if all(isinstance(label, int | float) for label in classes):
        return 11, np.float64
    return 8, str


def _probabilities(g: Graph, tensor: str, ensemble: Ensemble, dtype: Any, zipmap: bool) -> Any:
    from onnx import helper

    if not zipmap:
        return _named(g, tensor, "probabilities", dtype, ["batch", len(ensemble.classes)])
    kind, _ = _label_type(ensemble)
    if kind not in (7, 8):
        raise NotConvertible("ZipMap takes integer or string labels only", "leave --zipmap out")
    keys = (
        {"classlabels_int64s": list(ensemble.classes)} if kind == 7 else {"classlabels_strings": list(ensemble.classes)}
    )
    narrow = tensor if dtype is np.float32 else g.op("Cast", tensor, to=1)
    g.nodes.append(helper.make_node("ZipMap", [narrow], ["probabilities"], domain="ai.onnx.ml", **keys))
    g.domains.setdefault("ai.onnx.ml", g.opset_ml)
    value = helper.make_tensor_type_proto(1, [])
    return helper.make_value_info(
        "probabilities", helper.make_sequence_type_proto(helper.make_map_type_proto(kind, value))
    )


def _named(g: Graph, tensor: str, name: str, dtype: Any, shape: list[Any]) -> Any:
    """Give a tensor an output's name."""
    from onnx import helper

    g.nodes.append(helper.make_node("Identity", [tensor], [name], name=g.name("n")))
    kind = dtype if isinstance(dtype, int) else 11 if dtype is np.float64 else 1
    return helper.make_tensor_value_info(name, kind, shape)


def _model(
    g: Graph, ensemble: Ensemble, input_name: str, given: str, outputs: list[Any], metadata: Mapping[str, str]
) -> bytes:
    from onnx import helper

    kind = 11 if given == "float64" else 1
    source = helper.make_tensor_value_info(input_name, kind, ["batch", len(ensemble.features)])
    graph = helper.make_graph(g.nodes, "trees", [source], outputs, g.initializers)
    newest = g.opset_ml >= 5
    opsets = [helper.make_opsetid("", 19 if newest else 15)]
    opsets += [helper.make_opsetid(domain, version) for domain, version in g.domains.items()]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="infer-bench", ir_version=10 if newest else 8)
    helper.set_model_props(model, {"infer_bench.spec": json.dumps(_spec(ensemble)), **metadata})
    held: bytes = model.SerializeToString()
    return held


def _spec(ensemble: Ensemble) -> dict[str, Any]:
    """What the engine for ONNX needs to know of the model: its columns by name, its task and its classes."""
    columns = [
        {"name": f.name, "kind": f.kind, "categories": list(f.categories), "encoded": bool(f.categories)}
        for f in ensemble.features
    ]
    return {
        "task": ensemble.task,
        "classes": list(ensemble.classes),
        "features": columns,
        "versions": dict(ensemble.versions),
        "notes": list(ensemble.notes),
    }
