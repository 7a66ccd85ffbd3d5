"""Networks as ONNX files, and what may become of them: sums in another order, float16, a bias that is gone."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

FEATURES, WIDTH, CLASSES = 8, 32, 3
SIZES = (FEATURES, WIDTH, WIDTH, CLASSES)
Layer = tuple[Any, Any]


def layers(seed: int = 0) -> list[Layer]:
    """Weights (inputs, outputs) and biases (outputs,) of an ordinary network, float32."""
    random = np.random.default_rng(seed)
    pairs = itertools.pairwise(SIZES)
    return [
        ((random.uniform(-1, 1, (n, m)) / np.sqrt(n)).astype(np.float32), random.uniform(-1, 1, m).astype(np.float32))
        for n, m in pairs
    ]


def save_network(path: Path, kind: str = "plain", link: str = "Softmax", batch: int | str = "batch") -> Path:
    """A network of three layers. `kind`: plain, or what befell its second layer: split, bias, no bias, float16."""
    nodes: list[Any] = []
    initializers: list[Any] = []
    value = "x"
    for i, (weights, bias) in enumerate(layers()):
        value = _add_layer(nodes, initializers, f"{i}", value, (weights, bias), kind if i == 1 else "plain")
        if i < len(SIZES) - 2:
            nodes.append(onnx.helper.make_node("Relu", [value], [f"active{i}"]))
            value = f"active{i}"
    nodes.append(onnx.helper.make_node(link, [value], ["y"], name="link"))
    return save_graph(path, nodes, initializers, FEATURES, CLASSES, batch)


def _add_layer(nodes: list[Any], initializers: list[Any], name: str, value: str, layer: Layer, kind: str) -> str:
    weights, bias = layer
    node, store = onnx.helper.make_node, onnx.numpy_helper.from_array
    bias = bias + np.float32(1e-4) if kind == "bias" else 0 * bias if kind == "no bias" else bias
    if kind == "float16":
        initializers += [store(weights.astype(np.float16), f"w{name}"), store(bias, f"b{name}")]
        nodes += [
            node("Cast", [value], [f"half{name}"], to=onnx.TensorProto.FLOAT16),
            node("MatMul", [f"half{name}", f"w{name}"], [f"product{name}"], name=f"layer{name}"),
            node("Cast", [f"product{name}"], [f"sum{name}"], to=onnx.TensorProto.FLOAT),
        ]
    elif kind == "split":
        middle = len(weights) // 2
        initializers += [
            store(part, f"w{name}{end}") for part, end in ((weights[:middle], "a"), (weights[middle:], "b"))
        ]
        initializers += [store(bias, f"b{name}"), store(np.array([middle, len(weights) - middle]), f"ends{name}")]
        nodes.append(node("Split", [value, f"ends{name}"], [f"x{name}a", f"x{name}b"], axis=1))
        nodes += [node("MatMul", [f"x{name}{end}", f"w{name}{end}"], [f"part{name}{end}"]) for end in "ab"]
        nodes.append(node("Add", [f"part{name}b", f"part{name}a"], [f"sum{name}"]))
    else:
        initializers += [store(weights, f"w{name}"), store(bias, f"b{name}")]
        nodes.append(node("MatMul", [value, f"w{name}"], [f"sum{name}"], name=f"layer{name}"))
    nodes.append(node("Add", [f"sum{name}", f"b{name}"], [f"out{name}"]))
    return f"out{name}"


def save_graph(
    path: Path, nodes: Sequence[Any], initializers: Sequence[Any], width: int, outputs: int, batch: int | str = "batch"
) -> Path:
    """A graph from x [batch, width] to y [batch, outputs], both float32."""
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [batch, size])
        for name, size in (("x", width), ("y", outputs))
    ]
    graph = onnx.helper.make_graph(list(nodes), "network", ends[:1], ends[1:], list(initializers))
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
