"""A network run with less rounding and with a little more: what its own rounding makes of its outputs."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np

from infer_bench.typing import Array

NamedArrays = Mapping[str, Array]
_MOST_WHOLE = 2**22
"""Larger numbers of float32 are whole by their size alone."""


Method = Literal["float64", "noise"]


def works_in_float64(precisions: Mapping[str, str]) -> bool:
    """Whether some output is computed in float64 alone: moved by an ulp of float32 it would say nothing."""
    return "float64" in precisions.values()


def choose_shake(precisions: Mapping[str, str], draw: int) -> Callable[[Array, str], Array]:
    """`shake` of a draw; of a network that works in float64 alone only for what is float64: the rest is not rounded."""
    is_double = set(precisions.values()) == {"float64"}
    return lambda values, name: values if is_double and values.dtype != np.float64 else shake(values, name, draw)


class RoundingRuns(Protocol):
    """What a session of a network gives as `rounding_runs(method)`, which raises `EngineError` where it has no such.

    With the method `float64`, `exact` gives the outputs in float64, and `shaken` those in float64 of weights and inputs
    that are half an ulp of float32 off. With `noise` nothing computes in float64: `exact` gives None, and `shaken` the
    outputs, a draw each, of weights and inputs of which half are an ulp of their own off. Inputs are moved as by
    `move_request`.
    """

    method: Method
    is_coarse: bool
    """Whether parts of the network work in less than float32."""
    precisions: Mapping[str, str]
    """The narrowest float dtype in which each output is computed, under "" that of all which are not named."""

    def exact(self, inputs: NamedArrays) -> NamedArrays | None:
        """The outputs by name. Raises `EngineError` where the network refuses the inputs."""

    def shaken(self, inputs: NamedArrays) -> Sequence[NamedArrays]:
        """As `exact`, of numbers that were moved."""


def shake(values: Array, name: str, draw: int) -> Array:
    """About half of an array's numbers an ulp of its own dtype up or down, always the same ones for a name and draw.

    What is no float, and a single number, is as it was: that is more often a setting than a weight.
    """
    if values.dtype.kind != "f" or values.size < 2:
        return values
    random = np.random.default_rng((zlib.crc32(name.encode()), draw))
    steps = random.integers(0, 4, values.shape)
    infinity = np.asarray(np.inf, dtype=values.dtype)
    with np.errstate(all="ignore"):
        up, down = np.nextafter(values, infinity), np.nextafter(values, -infinity)
    neighbours = np.where(steps == 0, up, np.where(steps == 1, down, values))
    return np.asarray(np.where(values == 0, values, neighbours), dtype=values.dtype)


def shake_in_float64(values: Array, name: str) -> Array:
    """A float array in float64, each number half an ulp of float32 up or down, always the same way for a name."""
    if values.dtype.kind != "f":
        return values
    wide = values.astype(np.float64)
    if values.size < 2:
        return wide
    signs = np.random.default_rng(zlib.crc32(name.encode())).choice([-1.0, 1.0], values.shape)
    with np.errstate(all="ignore"):
        return np.asarray(wide * (1.0 + signs * 2.0**-24))


def move_request(values: Array, moved: Array) -> Array:
    """What was `moved` of a request's values, and of those that are whole numbers the values: they are meant exactly.

    An id, a count or a truth value that a network takes as a float is another one when it is an ulp less and rounded.
    """
    if values.dtype.kind != "f":
        return values
    with np.errstate(all="ignore"):  # float16 has no number as large
        is_whole = (np.abs(values) < _MOST_WHOLE) & (values == np.rint(values))
    return np.where(is_whole, values.astype(moved.dtype), moved)
