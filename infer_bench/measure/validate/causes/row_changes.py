"""What a candidate may do to rows before it looks at them, as changes of rows (rows, features). Pure."""

from collections.abc import Sequence

import numpy as np

from infer_bench.measure.validate.causes.counterfactual import COLUMNS, INPUT_CAST, MISSING, Counterfactual, OnRows
from infer_bench.typing import Floats, Indices


def cast32(values: Floats) -> Floats:
    """Rounded to float32, in double."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


def on_rows(names: tuple[str, ...], whole: Sequence[int] = ()) -> list[Counterfactual]:
    """Changes that need no structure: what a candidate may do to a row of these columns before it looks at it.

    `whole` are the places of those that it takes as integers.
    """
    changes = [
        *_cuts(names, whole),
        Counterfactual(INPUT_CAST, "rows are rounded to float32", rows=cast32),
        Counterfactual(MISSING, "NaN is read as 0", rows=lambda x: np.where(np.isnan(x), 0.0, x)),
        Counterfactual(MISSING, "0 is read as missing", rows=lambda x: np.where(x == 0, np.nan, x)),
    ]
    changes += [Counterfactual(COLUMNS, detail, rows=_in_order(order)) for detail, order in orders(names)]
    return changes


def _cuts(names: tuple[str, ...], whole: Sequence[int]) -> list[Counterfactual]:
    """Fractions that are cut off where columns are taken as integers, alone and beside others in float32."""
    if not whole:
        return []
    columns = ", ".join(names[i] for i in whole[:3]) + (", …" if len(whole) > 3 else "")
    detail = f"fractions are cut off: it takes integers in {columns}"

    def cut(x: Floats) -> Floats:
        x = x.copy()
        x[:, list(whole)] = np.trunc(x[:, list(whole)])
        return x

    return [
        Counterfactual(INPUT_CAST, detail, rows=cut),
        Counterfactual(INPUT_CAST, f"{detail}, and float32 elsewhere", rows=lambda x: cast32(cut(x))),
    ]


def orders(names: tuple[str, ...]) -> list[tuple[str, Indices]]:
    """Orders in which columns get mixed up: (detail, positions), those that change nothing left out."""
    own = np.arange(len(names))
    numbers = np.array([f"f{i}" for i in own], dtype=object)
    mix_ups = {
        "the columns are reversed": own[::-1],
        "the columns are sorted by name": np.argsort(np.array(names, dtype=object), kind="stable"),
        "the columns are sorted as text (f0, f1, f10, …)": np.argsort(numbers, kind="stable"),
        "the columns are shifted by one": np.roll(own, 1),
        "the columns are shifted back by one": np.roll(own, -1),
    }
    distinct: dict[bytes, tuple[str, Indices]] = {}
    for detail, order in mix_ups.items():
        for way in (order, np.argsort(order)):
            if not np.array_equal(way, own):
                distinct.setdefault(np.asarray(way, dtype=np.intp).tobytes(), (detail, way))
    return list(distinct.values())


def swap_columns(names: tuple[str, ...], i: int, j: int) -> Counterfactual:
    """Two columns stand in each other's place."""
    order = np.arange(len(names))
    order[[i, j]] = order[[j, i]]
    return Counterfactual(COLUMNS, f"{names[i]} and {names[j]} are swapped", rows=_in_order(order))


def _in_order(order: Indices) -> OnRows:
    return lambda x: x[:, order]
