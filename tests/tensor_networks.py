"""Small networks of tensors as ONNX files: a convolution, a sequence of tokens, a voice model with state."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, parser

from infer_bench.typing import Array

IMAGES = """
images (float[batch, 3, 16, 16] image) => (float[batch, 10] probs) {
    a = Conv(image, kernel)
    b = Relu(a)
    c = GlobalAveragePool(b)
    d = Flatten(c)
    e = MatMul(d, w)
    probs = Softmax(e)
}
"""
SEQUENCE = """
sequence (float[batch, T, 64] x) => (float[batch, T, 5] y, int64[batch, T] best) {
    a = MatMul(x, w1)
    b = Tanh(a)
    y = MatMul(b, w2)
    best = ArgMax<axis = 2, keepdims = 0>(y)
}
"""
KEPT = """
kept (float[n, m] x) => (int64[2, kept] places, string[1] text) {
    places = NonZero(x)
    text = Constant<value_strings = ["found"]>()
}
"""


def image_weights(seed: int = 0) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {"kernel": _normal(random, 0.2, (8, 3, 3, 3)), "w": _normal(random, 2.0, (8, 10))}


def sequence_weights(seed: int = 0) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {"w1": _normal(random, 0.1, (64, 128)), "w2": _normal(random, 0.1, (128, 5))}


def _normal(random: np.random.Generator, scale: float, shape: tuple[int, ...]) -> Array:
    return random.normal(0, scale, shape).astype(np.float32)


def save_graph(path: Path, graph: str, weights: dict[str, Array] | None = None) -> Path:
    """A graph in ONNX's text form with initializers for the names that it leaves open."""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 17]> {graph}')
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in (weights or {}).items())
    onnx.save(model, path)
    return path


def images(count: int, seed: int = 1) -> Array:
    """Of each request its whole shape, the batch of 1 with it."""
    return np.random.default_rng(seed).uniform(size=(count, 1, 3, 16, 16)).astype(np.float32)


def half(array: Array) -> Array:
    """In float16 and back."""
    return array.astype(np.float16).astype(np.float32)
