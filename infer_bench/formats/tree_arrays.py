"""Arrays that belong to many trees at once."""

import numpy as np

from infer_bench.typing import Array, Bools, Floats, Ints


def first_where(wrong: Bools) -> int:
    """The index of the first True."""
    return int(np.argmax(wrong))


def offsets(sizes: Ints) -> Ints:
    """Where each of several parts of these sizes begins, when they lie one after the other."""
    return np.cumsum(sizes) - sizes


def check_range(name: str, values: Array, limits: Ints, tree: Ints) -> None:
    """Raises `ValueError`, naming the tree, unless 0 <= values < limits, elementwise."""
    wrong = ~((values >= 0) & (values < limits))
    if wrong.any():
        at = first_where(wrong)
        raise ValueError(f"tree {tree[at]}: {name} {values[at]} is not in 0…{limits[at] - 1}")


def values_by_feature(feature: Ints, value: Floats) -> dict[int, tuple[float, ...]]:
    """The distinct values of each feature, sorted; both arrays have one entry a split, or a member of a set."""
    order = np.lexsort((value, feature))
    feature, value = feature[order], value[order]
    fresh = np.ones(len(value), dtype=np.bool_)
    fresh[1:] = (feature[1:] != feature[:-1]) | (value[1:] != value[:-1])
    feature, value = feature[fresh], value[fresh]
    names, first = np.unique(feature, return_index=True)
    parts = np.split(value, first[1:])
    return {int(name): tuple(part.tolist()) for name, part in zip(names, parts, strict=len(names) > 0)}
