"""Small networks in numpy, whose float32 results depend on the order of their sums as those of two engines do."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.stats.agreement.tensors.named_predictions import Method, NamedPredictions, Yardstick
from infer_bench.typing import Array

Weights = list[Array]


def make_weights(seed: int = 0, sizes: Sequence[int] = (48, 96, 96, 10)) -> Weights:
    rng = np.random.default_rng(seed)
    return [
        rng.normal(0, (2 / rows) ** 0.5, (rows, columns)).astype(np.float32)
        for rows, columns in itertools.pairwise(sizes)
    ]


def run(weights: Weights, inputs: Array, *, dtype: Any = np.float32, chunk: int = 0) -> Array:
    """Layers with ReLU between; sums are made in parts of `chunk` terms, as another engine would make them."""
    values = inputs.astype(dtype)
    for i, weight in enumerate(weights):
        values = _multiply(values, weight.astype(dtype), chunk)
        values = np.maximum(values, 0) if i < len(weights) - 1 else values
    return values


def _multiply(values: Array, weight: Array, chunk: int) -> Array:
    if not chunk:
        return values @ weight
    parts = [values[:, i : i + chunk] @ weight[i : i + chunk] for i in range(0, len(weight), chunk)]
    return np.asarray(sum(parts[1:], parts[0]))


def shake(weights: Weights, seed: int) -> Weights:
    rng = np.random.default_rng(seed)
    return [np.nextafter(w, rng.choice([-np.inf, np.inf], w.shape).astype(w.dtype)) for w in weights]


def requests(count: int, seed: int = 3, scale: float = 1.0) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [(rng.uniform(size=(1, 48)) * scale).astype(np.float32) for _ in range(count)]


def make_yardstick(weights: Weights, rows: Sequence[Array], method: Method = "float64") -> Yardstick:
    """What the network itself rounds, under the name `y`."""
    sizes = np.array([float(np.abs(row).max(initial=0.0)) for row in rows])
    if method == "float64":
        exact = [run(weights, row, dtype=np.float64) for row in rows]
        moved = [run(shake(weights, 1), row, dtype=np.float64) for row in rows]
        return Yardstick({"y": exact}, [{"y": moved}], sizes)
    draws = [{"y": [run(shake(weights, seed), row) for row in rows]} for seed in (1, 2, 3)]
    return Yardstick({"y": [run(weights, row) for row in rows]}, draws, sizes, "noise")


def predictions(outputs: Mapping[str, Sequence[Any]], yardstick: Yardstick | None = None) -> NamedPredictions:
    arrays = {name: [np.asarray(value) for value in values] for name, values in outputs.items()}
    count = len(next(iter(arrays.values())))
    return NamedPredictions(arrays, np.zeros(count, dtype=np.bool_), "", yardstick)
