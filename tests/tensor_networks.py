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
LOOKUP = """
lookup (int64[batch, T] ids) => (float[batch, T, 4] embedding) {
    embedding = Gather(table, ids)
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


TOKENS = """
tokens (int64[batch, length] ids, int64[batch, length] mask) => (float[batch, 3] logits) {
    words = Gather(table, ids)
    weights = Cast<to = 1>(mask)
    last = Constant<value = int64[1] {-1}>()
    column = Unsqueeze(weights, last)
    kept = Mul(words, column)
    axis = Constant<value = int64[1] {1}>()
    sum = ReduceSum<keepdims = 0>(kept, axis)
    logits = MatMul(sum, w)
}
"""
VOICE = """
voice (float[batch, samples] audio, float[1, batch, 16] state, int64 sr)
    => (float[batch, 1] speech, float[1, batch, 16] stateN) {
    rate = Constant<value = int64 {16000}>()
    known = Equal(sr, rate)
    yes = Cast<to = 1>(known)
    square = Mul(audio, audio)
    energy = ReduceMean<axes = [1], keepdims = 1>(square)
    scaled = Mul(energy, yes)
    features = MatMul(scaled, v)
    zero = Constant<value = int64[1] {0}>()
    rows = Unsqueeze(features, zero)
    next = Add(state, rows)
    stateN = Tanh(next)
    flat = Squeeze(stateN, zero)
    logit = MatMul(flat, u)
    speech = Sigmoid(logit)
}
"""


def save_examples(folder: Path) -> None:
    """An image classifier, a network of tokens and a voice model with state, each beside a form that differs."""
    random = np.random.default_rng(0)
    tokens = {"table": _normal(random, 1.0, (500, 32)), "w": _normal(random, 0.3, (32, 3))}
    voice = {"v": _normal(random, 1.0, (1, 16)), "u": _normal(random, 0.5, (16, 1))}
    save_graph(folder / "image.onnx", IMAGES, image_weights())
    save_graph(folder / "image-half.onnx", IMAGES, {name: half(array) for name, array in image_weights().items()})
    save_graph(folder / "text.onnx", TOKENS, tokens)
    save_graph(folder / "voice.onnx", VOICE, voice)
