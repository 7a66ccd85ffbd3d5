"""Outputs that are compared exactly: integers, truth values and text."""

from collections.abc import Sequence

import numpy as np

from infer_bench.typing import Array, Bools

_NUMBERS = "biu"


def is_float(values: Array) -> bool:
    """Whether rounding may move its numbers."""
    return values.dtype.kind in "fc"


def unequal(reference: Array, candidate: Array) -> Bools:
    """Where two arrays of one shape differ, neither of floats; numbers are never texts."""
    ours, theirs = reference.dtype.kind, candidate.dtype.kind
    if (ours in _NUMBERS) != (theirs in _NUMBERS):
        return np.ones(reference.shape, dtype=np.bool_)
    if ours in _NUMBERS:
        return np.asarray(reference != candidate)
    pairs = zip(reference.reshape(-1).tolist(), candidate.reshape(-1).tolist(), strict=True)
    flags = np.fromiter((one != other for one, other in pairs), dtype=np.bool_, count=reference.size)
    return flags.reshape(reference.shape)


def find_ties(reference: Array, candidate: Array, variants: Sequence[Array]) -> Bools:
    """Where two integers or truth values differ and rounding alone gives the one or the other.

    `variants` are what a network gives for the same request when its numbers are moved by an ulp.
    """
    differ = unequal(reference, candidate)
    if not differ.any() or reference.dtype.kind not in _NUMBERS:
        return np.zeros(reference.shape, dtype=np.bool_)
    one, other = np.zeros_like(differ), np.zeros_like(differ)
    for values in variants:
        if values.shape == reference.shape and values.dtype.kind in _NUMBERS:
            one |= values == reference
            other |= values == candidate
    return np.asarray(differ & one & other)
