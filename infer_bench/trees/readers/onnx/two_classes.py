"""What an ONNX graph makes of one score to have a column for each of two classes, of which the second counts."""

from typing import Any

import numpy as np

from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.onnx.attributes import attributes_of
from infer_bench.typing import Floats

_NEXT_TO_0 = 2.0**-23


def read_slope(node: Any) -> float:
    """The factor a of a `LinearClassifier` that makes the softmax of next to 0 and of a s, from a score s.

    That is the sigmoid of a s. Raises `NotConvertible` for any other.
    """
    attributes = attributes_of(node)
    coefficients, intercepts = (list(attributes.get(name, ())) for name in ("coefficients", "intercepts"))
    of_two = len(coefficients) == len(intercepts) == 2 and coefficients[0] == intercepts[1] == 0.0
    simple = of_two and coefficients[1] != 0.0 and abs(intercepts[0]) <= _NEXT_TO_0
    if not simple or attributes.get("post_transform") != b"SOFTMAX":
        raise NotConvertible("a graph with this LinearClassifier cannot be read")
    return float(coefficients[1])


def take_second_factor(factors: Floats) -> Floats:
    """The factor of the second column, where the first column's is its negative; else all of them."""
    return factors[1:] if factors.size == 2 and np.array_equal(factors[:1], -factors[1:]) else factors
