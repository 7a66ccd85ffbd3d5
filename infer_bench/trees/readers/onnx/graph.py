"""An ONNX graph of trees as the intermediate form, where simple steps alone lie between input, trees and output."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.model import ModelSpec
from infer_bench.trees.ensemble import Ensemble, Link
from infer_bench.trees.readers.onnx.attributes import attributes_of
from infer_bench.trees.readers.onnx.links import Path, Walk, split_scale, to_links
from infer_bench.trees.readers.onnx.operators import OperatorTrees, concatenate_trees, read_trees

_TRANSFORMS: dict[str, tuple[Link, ...]] = {"NONE": (), "LOGISTIC": (Link("sigmoid"),), "SOFTMAX": (Link("softmax"),)}


def read_onnx(data: bytes, output: str, spec: ModelSpec) -> Iterator[Ensemble]:
    """What the file's bytes may mean, the likeliest first, for the output `output` of a model with this `spec`.

    What a classifier's transform does to one score hangs on its weights and on the runtime, so there may be two: who
    takes one must see that it predicts as the graph does. Raises `NotConvertible` where nothing can be read.
    """
    try:
        import onnx
    except ImportError:
        raise MissingDependency("onnx", "convert") from None
    model = onnx.load_from_string(data)
    path = Walk(model).path(output)
    trees = concatenate_trees([read_trees(node.op_type, attributes_of(node)) for node in path.operators])
    trees = trees if path.lookup is None else path.lookup.apply(trees)
    trees = _reorder(trees, path.columns)
    if trees.transform not in _TRANSFORMS:
        raise NotConvertible(f"trees with the transform {trees.transform} cannot be read")
    plain = _ensemble(trees, path, spec)
    transform = _TRANSFORMS[trees.transform]
    if transform:
        yield replace(plain, links=(*transform, *to_links(path.steps)))
    divisor, base, links = split_scale(path.steps)
    base = np.broadcast_to(base, plain.base.shape) + plain.base / divisor
    yield replace(plain, links=links, divisor=plain.divisor * divisor, base=base)


def _reorder(trees: OperatorTrees, columns: Sequence[int]) -> OperatorTrees:
    """The trees as they see the graph's inputs, which they may see in another order."""
    if not columns:
        return trees
    feature = np.where(trees.nodes.feature < 0, -1, np.asarray(columns)[np.maximum(trees.nodes.feature, 0)])
    return replace(trees, nodes=replace(trees.nodes, feature=feature))


def _ensemble(trees: OperatorTrees, path: Path, spec: ModelSpec) -> Ensemble:
    return Ensemble(
        family="onnx",
        task=spec.task,
        features=spec.features,
        nodes=trees.nodes,
        roots=trees.roots,
        output=trees.output,
        base=trees.base,
        divisor=float(len(trees.roots)) if trees.average else 1.0,
        classes=spec.classes,
        row_dtype=path.row_dtype,
        score_dtype=path.score_dtype,
        refuses=path.refuses,
    )
