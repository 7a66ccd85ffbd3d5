"""Which output of an ONNX graph is the answer, and what it means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.errors import EngineError
from infer_bench.formats import onnx_graph as onnx_wire
from infer_bench.formats.onnx_graph import Node
from infer_bench.model import Feature, Label, Task

METADATA = "infer_bench.spec"
"""The metadata key of a converted model. Its value is JSON: `task`, `classes`, `outputs`, and `features`, a list of
{`name`, `kind`, `categories`, `encoded`}; `encoded` says that the graph takes codes where requests hold categories."""

LABEL = "label"
"""What a converted model calls its labels, of whatever type they are."""

_CLASSIFIERS = ("TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier", "ZipMap")
_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints", "keys_strings", "values_strings")
_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble")


@dataclass(frozen=True, slots=True)
class Meaning:
    """The answering output's name, whether it is a list of maps or bare labels, and the task."""

    output: str
    zipped: bool
    bare_label: bool
    task: Task
    classes: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a converter wrote into the file."""

    task: Task
    features: tuple[Feature, ...]
    classes: tuple[Label, ...]
    outputs: tuple[str, ...]
    encoded: tuple[str, ...]


def told(metadata: Mapping[str, str]) -> Told | None:
    """The converter's own description; None when there is none. Raises `EngineError` when it is broken."""
    if METADATA not in metadata:
        return None
    try:
        held = json.loads(metadata[METADATA])
        listed = held["features"]
        columns = tuple(Feature(f["name"], f.get("kind", "float"), tuple(f.get("categories", ()))) for f in listed)
        encoded = tuple(f["name"] for f in listed if f.get("encoded"))
        return Told(held["task"], columns, tuple(held.get("classes", ())), tuple(held.get("outputs", ())), encoded)
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"the model's metadata {METADATA} is broken: {error}") from None


def meaning(outputs: Sequence[Any], nodes: Sequence[Node], wanted: str = "", said: Told | None = None) -> Meaning:
    """The answer among the graph's outputs: the one that is `wanted`, else probabilities, else the first of numbers."""
    clusters = "" if wanted or said else _nearest(outputs, nodes)
    if clusters:
        return Meaning(clusters, False, True, "regression")
    chosen = _chosen(outputs, wanted or _numbers_of_clusters(outputs, said))
    zipped, label = chosen.type.startswith("seq(map"), is_label(chosen)
    if said is not None and said.classes and chosen.name == LABEL:
        return Meaning(chosen.name, False, True, "binary" if len(said.classes) == 2 else "multiclass", said.classes)
    if said is not None:
        return Meaning(chosen.name, zipped, label, said.task, said.classes)
    classes = _classes(nodes)
    labelled = any(is_label(output) for output in outputs if output.name != chosen.name)
    task = _task(chosen, nodes, classes, classified=labelled or zipped or label)
    if task not in ("binary", "multiclass"):
        return Meaning(chosen.name, zipped, label, task)
    return Meaning(chosen.name, zipped, label, task, classes or _numbered(chosen))


def _numbers_of_clusters(outputs: Sequence[Any], said: Told | None) -> str:
    """The labels' name where they alone can be the answer: one number a row, of no class, beside wider numbers."""
    if said is None or said.classes or len(said.outputs) != 1:
        return ""
    wide = all((_width(output) or 1) > 1 for output in outputs if output.name != LABEL)
    return LABEL if wide and any(output.name == LABEL for output in outputs) else ""


def _nearest(outputs: Sequence[Any], nodes: Sequence[Node]) -> str:
    """The output that says which cluster is nearest: the numbers beside it are distances, not the answer."""
    makers = {name: node for node in nodes for name in node.outputs}
    for output in outputs:
        node = makers.get(output.name)
        while node is not None and node.op in ("Identity", "Reshape", "Cast", "Squeeze"):
            node = makers.get(node.inputs[0])
        if is_label(output) and node is not None and node.op == "ArgMin":
            return str(output.name)
    return ""


def _chosen(outputs: Sequence[Any], wanted: str) -> Any:
    if wanted:
        for output in outputs:
            if output.name == wanted:
                return output
        raise EngineError(f"the graph has no output {wanted!r}", f"it has: {', '.join(o.name for o in outputs)}")
    numeric = [output for output in outputs if not is_label(output)]
    likely = [output for output in numeric if "prob" in output.name.lower() or output.type.startswith("seq(map")]
    return (likely or numeric or list(outputs))[0]


def is_label(output: Any) -> bool:
    """Whether an output holds text, whole numbers or booleans."""
    return output.type in ("tensor(string)", "tensor(int64)", "tensor(int32)", "tensor(bool)")


def _classes(nodes: Sequence[Node]) -> tuple[Label, ...]:
    for node in reversed(nodes):
        if node.op in _CLASSIFIERS:
            for name in _LABELS[:3]:
                found = onnx_wire.strings(node, name) if name.endswith("strings") else onnx_wire.ints(node, name)
                if found:
                    return tuple(found)
    return ()


def _numbered(chosen: Any) -> tuple[Label, ...]:
    width = _width(chosen)
    return tuple(range(max(2, width or 2)))


def _width(output: Any) -> int | None:
    shape = output.shape or []
    return shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None


def _task(chosen: Any, nodes: Sequence[Node], classes: Sequence[Label], *, classified: bool) -> Task:
    maker = next((node.op for node in reversed(nodes) if chosen.name in node.outputs), "")
    width = _width(chosen)
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
            count += len(onnx_wire.ints(node, "tree_roots")) or len(set(onnx_wire.ints(node, "nodes_treeids")))
    return count or None


def targets(nodes: Sequence[Node]) -> int:
    """The most outputs that any of the graph's models has; 1 when none says."""
    counts = [onnx_wire.ints(node, name) for node in nodes for name in ("n_targets", "targets")]
    return max([1, *(value for held in counts for value in held)])


def splits(nodes: Sequence[Node]) -> list[tuple[int, float]]:
    """(column, threshold) of every inner node of the graph's trees."""
    found: list[tuple[int, float]] = []
    for node in nodes:
        if node.op not in _TREES:
            continue
        columns = onnx_wire.ints(node, "nodes_featureids")
        values = onnx_wire.floats(node, "nodes_splits" if node.op == "TreeEnsemble" else "nodes_values")
        values = values or onnx_wire.floats(node, "nodes_values_as_tensor")
        modes = onnx_wire.strings(node, "nodes_modes") or ["BRANCH"] * len(columns)
        found += [(c, v) for c, v, mode in zip(columns, values, modes, strict=False) if mode != "LEAF" and v == v]
    return found
