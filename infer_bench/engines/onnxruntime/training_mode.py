"""Nodes of an ONNX graph that work as in training."""

from collections.abc import Iterable, Mapping

from infer_bench.engines.training_mode import TrainingOperators
from infer_bench.formats import onnx_graph
from infer_bench.formats.onnx_graph import Node, StoredTensor
from infer_bench.formats.protobuf import Message

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
_RATIO, _TRAINING = 1, 2
"""Inputs of Dropout, from opset 12 on."""
_MEAN = 1
"""The output in which BatchNormalization hands on the batch's mean, which before opset 14 it has in training only."""


def find_training_operators(data: bytes | Message) -> TrainingOperators:
    """By the nodes' attributes and stored inputs. Raises `ModelError` for bytes that are no ONNX model."""
    nodes, stored = onnx_graph.all_nodes(data), onnx_graph.stored_tensors(data)
    return TrainingOperators(
        batch=tuple(node.op for node in nodes if node.op == "BatchNormalization" and _uses_batch(node)),
        dropout=tuple(node.op for node in nodes if node.op == "Dropout" and _drops(node, stored)),
        random=tuple(_random(nodes)),
    )


def _uses_batch(node: Node) -> bool:
    return onnx_graph.ints(node, "training_mode") == [1] or any(node.outputs[_MEAN:])


def _drops(node: Node, stored: Mapping[str, StoredTensor]) -> bool:
    """Whether it is told to work as in training and drops anything."""
    if len(node.inputs) <= _TRAINING:
        return False
    mode, ratio = stored.get(node.inputs[_TRAINING]), stored.get(node.inputs[_RATIO])
    return mode is not None and mode.first == 1.0 and not (ratio is not None and ratio.first == 0.0)


def _random(nodes: Iterable[Node]) -> Iterable[str]:
    return (node.op for node in nodes if node.op in _RANDOM)
