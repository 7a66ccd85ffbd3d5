"""Which output of an ONNX graph holds the predictions, and what they mean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime.class_columns import find_class_columns, read_classes
from infer_bench.errors import EngineError
from infer_bench.formats import onnx_graph as onnx_graph
from infer_bench.formats.onnx_graph import Node
from infer_bench.model import UNREAD, Feature, Kind, Label, ModelSpec, Remark, Task

METADATA = "infer_bench.spec"
"""The metadata key of a converted model. Its value is JSON: `task`, `classes`, `outputs`, and `features`, a list of
{`name`, `kind`, `categories`, `invented`, `encoded`}; `invented` says that the original does not name the column,
`encoded` that the graph takes codes where requests hold categories."""

LABEL = "label"
"""What a converted model calls its labels, of whatever type they are."""

_CLASSIFIERS = ("TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier", "ZipMap")
_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints", "keys_strings", "values_strings")
_ML = "ai.onnx.ml"
_FLOAT32, _FLOAT64 = 1, 11
"""Numbers of ONNX's `TensorProto.DataType`."""
_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble")


@dataclass(frozen=True, slots=True)
class OutputMeaning:
    """Which output holds the predictions, whether it is a list of maps or bare labels, and the task.

    Where each class's probabilities are an output of their own, `class_columns` names them all, `output` the first.
    """

    output: str
    zipped: bool
    bare_label: bool
    task: Task
    classes: tuple[Label, ...] = ()
    class_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """What a converter wrote into the file."""

    task: Task
    features: tuple[Feature, ...]
    classes: tuple[Label, ...]
    outputs: tuple[str, ...]
    encoded: tuple[str, ...]


def read_description(metadata: Mapping[str, str]) -> Description | None:
    """The converter's own description; None when there is none. Raises `EngineError` when it is broken."""
    if METADATA not in metadata:
        return None
    try:
        content = json.loads(metadata[METADATA])
        features = content["features"]
        columns = tuple(_column(**feature) for feature in features)
        encoded = tuple(f["name"] for f in features if f.get("encoded"))
        return Description(
            content["task"], columns, tuple(content.get("classes", ())), tuple(content.get("outputs", ())), encoded
        )
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"the model's metadata {METADATA} is broken: {error}") from None


def _column(
    name: str, kind: Kind = "float", categories: Sequence[Label] = (), invented: bool = False, **_: Any
) -> Feature:
    return Feature(name, kind, tuple(categories), invented)


def interpret_outputs(
    outputs: Sequence[Any], nodes: Sequence[Node], name: str = "", description: Description | None = None
) -> OutputMeaning:
    """The predictions among the outputs: the one that is `name`, else probabilities, else the first of numbers."""
    clusters = "" if name or description else _nearest_cluster(outputs, nodes)
    if clusters:
        return OutputMeaning(clusters, False, True, "regression")
    columns = () if description else find_class_columns(outputs, nodes)
    if name in columns:
        return OutputMeaning(name, False, False, "raw")
    if columns and not name:
        task: Task = "binary" if len(columns) == 2 else "multiclass"
        return OutputMeaning(columns[0], False, False, task, read_classes(columns), columns)
    output = _choose_output(outputs, name or _numbers_of_clusters(outputs, description))
    zipped, label = output.type.startswith("seq(map"), is_label(output)
    if description is not None and description.classes and output.name == LABEL:
        return OutputMeaning(
            output.name, False, True, "binary" if len(description.classes) == 2 else "multiclass", description.classes
        )
    if description is not None:
        return OutputMeaning(output.name, zipped, label, description.task, description.classes)
    classes = _classes(nodes)
    is_usual = output.name == _choose_output(outputs, "").name  # labels are those of the usual one
    labels = [other for other in outputs if is_usual and is_label(other) and other.name != output.name]
    if labels and not any(map(is_class_label, labels)):
        return OutputMeaning(output.name, zipped, label, "raw", classes)
    task = _task(output, nodes, classes, classified=bool(labels) or zipped or label)
    if task not in ("binary", "multiclass"):
        return OutputMeaning(output.name, zipped, label, task)
    return OutputMeaning(output.name, zipped, label, task, classes or _number_classes(output))


def with_unread(spec: ModelSpec, outputs: Sequence[Any], meaning: OutputMeaning, name: str) -> ModelSpec:
    """The spec with what else the graph gives; a remark says so, unless the user has chosen the output `name`."""
    read = (meaning.output, *meaning.class_columns)
    unread = tuple(o.name for o in outputs if o.name not in read and not is_label(o) and not meaning.bare_label)
    spec = replace(spec, output_name=meaning.output, unread_outputs=unread)
    if name or not unread:
        return spec
    text = f"of its outputs {meaning.output!r} alone is read, not {', '.join(map(repr, unread))}"
    return replace(spec, remarks=(*spec.remarks, Remark(UNREAD, text, f"onnxruntime:output={unread[0]} reads another")))


def is_assumed_pair(outputs: Sequence[Any], nodes: Sequence[Node], meaning: OutputMeaning) -> bool:
    """Whether it is only assumed that two numbers a row are those of two classes, since labels stand beside them."""
    output = next(output for output in outputs if output.name == meaning.output)
    assumed = meaning.task == "binary" and not (meaning.zipped or meaning.bare_label or meaning.class_columns)
    return assumed and _width(output) != 1 and _maker(output, nodes) not in (*_CLASSIFIERS, "Softmax")


def as_two_outputs(meaning: OutputMeaning) -> OutputMeaning:
    """The meaning of two numbers a row that say different things: two scores, or labels of their own."""
    return replace(meaning, task="raw")


def _numbers_of_clusters(outputs: Sequence[Any], description: Description | None) -> str:
    """The labels' name where they alone can be the prediction: one number a row, of no class, beside wider numbers."""
    if description is None or description.classes or len(description.outputs) != 1:
        return ""
    wide = all((_width(output) or 1) > 1 for output in outputs if output.name != LABEL)
    return LABEL if wide and any(output.name == LABEL for output in outputs) else ""


def _nearest_cluster(outputs: Sequence[Any], nodes: Sequence[Node]) -> str:
    """The output that says which cluster is nearest: the numbers beside it are distances, no predictions."""
    makers = {name: node for node in nodes for name in node.outputs}
    for output in outputs:
        node = makers.get(output.name)
        while node is not None and node.op in ("Identity", "Reshape", "Cast", "Squeeze"):
            node = makers.get(node.inputs[0])
        if is_label(output) and node is not None and node.op == "ArgMin":
            return str(output.name)
    return ""


def _choose_output(outputs: Sequence[Any], name: str) -> Any:
    if name:
        for output in outputs:
            if output.name == name:
                return output
        raise EngineError(f"the graph has no output {name!r}", f"it has: {', '.join(o.name for o in outputs)}")
    numeric = [output for output in outputs if not is_label(output)]
    likely = [output for output in numeric if "prob" in output.name.lower() or output.type.startswith("seq(map")]
    return (likely or numeric or list(outputs))[0]


def is_label(output: Any) -> bool:
    """Whether an output holds text, whole numbers or booleans."""
    return output.type in ("tensor(string)", "tensor(int64)", "tensor(int32)", "tensor(bool)")


def is_class_label(output: Any) -> bool:
    """Whether an output holds one label a row, and not several as that of a model of many labels does."""
    return is_label(output) and (len(output.shape or []) < 2 or output.shape[1] == 1)


def _classes(nodes: Sequence[Node]) -> tuple[Label, ...]:
    for node in reversed(nodes):
        if node.op in _CLASSIFIERS:
            for name in _LABELS[:3]:
                labels = onnx_graph.strings(node, name) if name.endswith("strings") else onnx_graph.ints(node, name)
                if labels:
                    return tuple(labels)
    return ()


def _number_classes(output: Any) -> tuple[Label, ...]:
    width = _width(output)
    return tuple(range(max(2, width or 2)))


def _width(output: Any) -> int | None:
    shape = output.shape or []
    return shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None


def _maker(output: Any, nodes: Sequence[Node]) -> str:
    return next((node.op for node in reversed(nodes) if output.name in node.outputs), "")


def _task(output: Any, nodes: Sequence[Node], classes: Sequence[Label], *, classified: bool) -> Task:
    maker, width = _maker(output, nodes), _width(output)
    if classified or maker in _CLASSIFIERS or (maker == "Softmax" and width is not None):
        count = len(classes) or max(2, width or 2)
        return "multiclass" if count > 2 else "binary"
    if maker == "Sigmoid" and width in (1, None):
        return "binary" if width == 1 else "raw"
    return "regression" if width in (1, None) else "raw"


def trees(nodes: Sequence[Node]) -> int | None:
    """How many trees the graph holds; None when it holds none."""
    count = 0
    for node in nodes:
        if node.op in _TREES:
            count += len(onnx_graph.ints(node, "tree_roots")) or len(set(onnx_graph.ints(node, "nodes_treeids")))
    return count or None


def is_network(content: bytes, nodes: Sequence[Node], meaning: OutputMeaning, inputs: Sequence[Any]) -> bool:
    """Whether float32 weights and inputs make numbers, with no tree whose branches rounding could change."""
    dtypes = {tensor.data_type for tensor in onnx_graph.stored_tensors(content).values()}
    is_single = _FLOAT32 in dtypes and _FLOAT64 not in dtypes
    is_fed = any(tensor.dtype is np.float32 for tensor in inputs)
    is_plain = not (meaning.zipped or meaning.bare_label or meaning.class_columns)
    return is_single and is_fed and is_plain and not trees(nodes)


def find_own_output(outputs: Sequence[Any], nodes: Sequence[Node], meaning: OutputMeaning) -> Any:
    """The output that is read of a graph that no converter of rows made: without classes, and operators of trees."""
    if meaning.zipped or meaning.bare_label or meaning.classes or any(node.domain == _ML for node in nodes):
        return None
    return next(output for output in outputs if output.name == meaning.output)


def targets(nodes: Sequence[Node]) -> int:
    """The most outputs that any of the graph's models has; 1 when none says."""
    counts = [onnx_graph.ints(node, name) for node in nodes for name in ("n_targets", "targets")]
    return max([1, *(value for sizes in counts for value in sizes)])


def splits(nodes: Sequence[Node]) -> list[tuple[int, float]]:
    """(column, threshold) of every inner node of the graph's trees."""
    pairs: list[tuple[int, float]] = []
    for node in nodes:
        if node.op not in _TREES:
            continue
        columns = onnx_graph.ints(node, "nodes_featureids")
        values = onnx_graph.floats(node, "nodes_splits" if node.op == "TreeEnsemble" else "nodes_values")
        values = values or onnx_graph.floats(node, "nodes_values_as_tensor")
        modes = onnx_graph.strings(node, "nodes_modes") or ["BRANCH"] * len(columns)
        pairs += [(c, v) for c, v, mode in zip(columns, values, modes, strict=False) if mode != "LEAF" and v == v]
    return pairs
