"""Networks on scikit-learn's digits, trained in a second: of full layers, and of convolutions with random filters."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Floats = NDArray[np.float32]
TRAINING = 900


@functools.cache
def digits() -> tuple[Floats, NDArray[np.int64]]:
    """Pixels (rows, 64) from 0 to 1, and the digit of each row."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return (pixels / 16).astype(np.float32), labels.astype(np.int64)


def save_network(
    path: Path, nodes: Sequence[Any], constants: Mapping[str, Any], shape: Sequence[int | str], classes: int = 10
) -> Path:
    """A model with the input `x` of that shape and the output `p` (rows, classes)."""
    tensors = [numpy_helper.from_array(np.asarray(value, dtype=np.float32), name) for name, value in constants.items()]
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("p", onnx.TensorProto.FLOAT, [shape[0], classes])]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@functools.cache
def trained_layers() -> tuple[list[Floats], list[Floats]]:
    """Weights and biases of three full layers."""
    from sklearn.neural_network import MLPClassifier

    pixels, labels = digits()
    network = MLPClassifier((96, 96), random_state=0)
    for _ in range(12):
        network.partial_fit(pixels[:TRAINING], labels[:TRAINING], classes=np.arange(10))
    return list(network.coefs_), list(network.intercepts_)


def save_full(path: Path, *, last: str = "Softmax", scale: float = 1.0, batch: int | str = "n") -> Path:
    """Gemm, Relu, Gemm, Relu, Gemm; `scale` stretches the first layer's inputs and shrinks its weights."""
    weights, biases = trained_layers()
    constants = {f"w{i}": w for i, w in enumerate(weights)} | {f"b{i}": b for i, b in enumerate(biases)}
    constants["w0"] = constants["w0"] / scale
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["g0"], "first"),
        helper.make_node("Relu", ["g0"], ["r0"]),
        helper.make_node("Gemm", ["r0", "w1", "b1"], ["g1"], "second"),
        helper.make_node("Relu", ["g1"], ["r1"]),
        helper.make_node("Gemm", ["r1", "w2", "b2"], ["g2"], "third"),
        helper.make_node(last, ["g2"], ["p"]),
    ]
    return save_network(path, nodes, constants, [batch, 64])


@functools.cache
def trained_head() -> tuple[Floats, Floats, Floats, Floats]:
    """Two sets of random filters, and a linear head trained on what they see."""
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    first = (generator.normal(size=(12, 1, 3, 3)) / 3).astype(np.float32)
    second = (generator.normal(size=(12, 12, 3, 3)) / 10).astype(np.float32)
    pixels, labels = digits()
    seen = _see(pixels, first, second)
    head = LogisticRegression(max_iter=60, tol=1e-2).fit(seen[:TRAINING], labels[:TRAINING])
    return first, second, head.coef_.T.astype(np.float32), head.intercept_.astype(np.float32)


def _filters() -> list[Any]:
    return [
        helper.make_node("Conv", ["x", "k1"], ["c1"], "conv1", pads=[1] * 4),
        helper.make_node("Relu", ["c1"], ["a1"]),
        helper.make_node("Conv", ["a1", "k2"], ["c2"], "conv2", pads=[1] * 4),
        helper.make_node("Relu", ["c2"], ["a2"]),
        helper.make_node("MaxPool", ["a2"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["m"], ["f"]),
    ]


def _see(pixels: Floats, first: Floats, second: Floats) -> Any:
    import onnxruntime

    tensors = [numpy_helper.from_array(value, name) for name, value in (("k1", first), ("k2", second))]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", 1, 8, 8]), ("f", ["n", 192]))
    ]
    graph = helper.make_graph(_filters(), "filters", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": pixels.reshape(-1, 1, 8, 8)})[0]


def save_convolutional(path: Path) -> Path:
    """Conv, Relu, Conv, Relu, MaxPool, Gemm, Softmax on images (n, 1, 8, 8)."""
    first, second, weights, biases = trained_head()
    nodes = [
        *_filters(),
        helper.make_node("Gemm", ["f", "w", "b"], ["l"], "head"),
        helper.make_node("Softmax", ["l"], ["p"]),
    ]
    return save_network(path, nodes, {"k1": first, "k2": second, "w": weights, "b": biases}, ["n", 1, 8, 8])
