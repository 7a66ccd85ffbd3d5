"""Rows on which a wrong conversion shows, made from the training rows and the splits that the library itself tells."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

PER_GROUP = 160


def groups(model: Any, trained: Any) -> dict[str, Any]:
    """Tables like `trained`: ordinary, mixed, on thresholds and beside, missing, infinite, zero, of strange categories."""
    table = trained.copy() if isinstance(trained, pd.DataFrame) else pd.DataFrame(trained)
    random = np.random.default_rng(5)
    numeric = [i for i, kind in enumerate(table.dtypes) if getattr(kind, "kind", "O") in "fiu"]
    base = table.iloc[random.integers(0, len(table), PER_GROUP)].reset_index(drop=True)
    found = {"ordinary": table.iloc[: PER_GROUP * 2], "mixed": _mixed(base, random), "one": table.iloc[:1]}
    if numeric:
        floats = {table.columns[i]: float for i in numeric}
        base, table = base.astype(floats), table.astype(floats)
        found["threshold"] = _thresholds(base, numeric, points(model), random)
        found["nan"] = _put(base, numeric, [np.nan], random)
        found["infinite"] = _put(base, numeric, [np.inf, -np.inf, 1e300, -1e300, 1e38], random)
        found["zero"] = _put(base, numeric, [0.0, -0.0, 1e-40, -1e-40, 1e-35, -1e-35, 1e-36, 1.1e-35], random)
        found["whole"] = _put(base, numeric, [-1.0, 1.0, 2.0, 2.5, 3.0, 7.0, 11.0, 100.0, 1e6], random)
    found.update(_strange(base, random))
    return {name: rows if isinstance(trained, pd.DataFrame) else rows.to_numpy() for name, rows in found.items()}


def _mixed(base: Any, random: Any) -> Any:
    """Each column shuffled on its own, so that the rows are new."""
    order = [random.permutation(len(base)) for _ in base.columns]
    return pd.DataFrame({name: base[name].array.take(at) for name, at in zip(base.columns, order, strict=True)})


def _put(base: Any, numeric: list[int], values: list[float], random: Any) -> Any:
    """The values, each in one column of some rows and in all columns of a few."""
    made = base.copy()
    for row in range(len(made)):
        columns = numeric if row % 11 == 0 else [numeric[row % len(numeric)]]
        for column in columns:
            made.iloc[row, column] = values[random.integers(0, len(values))]
    return made


def _thresholds(base: Any, numeric: list[int], splits: list[tuple[int, float]], random: Any) -> Any:
    chosen = [splits[i] for i in random.permutation(len(splits))[:60]]
    chosen = chosen or [(i, float(base.iloc[0, i])) for i in numeric]
    made = []
    for column, value in chosen:
        short = np.float32(value)
        beside = [value, np.nextafter(value, np.inf), np.nextafter(value, -np.inf), short]
        beside += [np.nextafter(short, np.float32(np.inf)), np.nextafter(short, np.float32(-np.inf))]
        for number in beside:
            row = base.iloc[random.integers(0, len(base))].copy()
            row.iloc[column if column < len(base.columns) else numeric[0]] = float(number)
            made.append(row.to_list())
    return pd.DataFrame(
        {name: pd.Series([row[i] for row in made], dtype=base[name].dtype) for i, name in enumerate(base.columns)}
    )


def _strange(base: Any, random: Any) -> dict[str, Any]:
    """Categories that training has not seen, and missing ones."""
    odd = [i for i, kind in enumerate(base.dtypes) if getattr(kind, "kind", "O") == "O"]
    if not odd:
        return {}
    unseen, absent = base.copy(), base.copy()
    for row in range(len(base)):
        column = base.columns[odd[row % len(odd)]]
        kind = base[column].dtype
        if isinstance(kind, pd.CategoricalDtype):
            stranger = "never seen" if isinstance(kind.categories[0], str) else 12345
            if stranger not in unseen[column].cat.categories:
                unseen[column] = unseen[column].cat.add_categories([stranger])
        else:
            stranger = ["never seen", "", "rome", "Rome "][row % 4]
        unseen.at[row, column] = stranger
        absent.at[row, column] = None
    return {"unseen": unseen, "missing text": absent}


def points(model: Any) -> list[tuple[int, float]]:
    """(column, threshold) of every split that can be found inside, as the libraries print them."""
    return list(dict.fromkeys(_points(model, set())))


def _points(model: Any, seen: set[int]) -> Iterator[tuple[int, float]]:
    if id(model) in seen:
        return
    seen.add(id(model))
    kind = f"{type(model).__module__}.{type(model).__name__}"
    if kind == "lightgbm.basic.Booster":
        yield from _lightgbm(model.dump_model())
    elif kind == "xgboost.core.Booster":
        yield from _xgboost(model)
    elif hasattr(model, "nodes") and hasattr(model, "binned_left_cat_bitsets"):
        held = model.nodes
        kept = held[(held["is_leaf"] == 0) & (held["is_categorical"] == 0)]
        yield from zip(kept["feature_idx"].tolist(), kept["num_threshold"].tolist(), strict=True)
    elif hasattr(model, "tree_"):
        inner = model.tree_.children_left >= 0
        yield from zip(model.tree_.feature[inner].tolist(), model.tree_.threshold[inner].tolist(), strict=True)
    elif isinstance(model, list | tuple):
        for part in model:
            yield from _points(part, seen)
    elif isinstance(model, np.ndarray) and model.dtype == object:
        for part in model.flat:
            yield from _points(part, seen)
    elif hasattr(model, "__dict__") and hasattr(model, "get_params"):
        for part in list(vars(model).values()):
            yield from _points(part, seen)


def _lightgbm(node: Any) -> Iterator[tuple[int, float]]:
    if isinstance(node, dict):
        if isinstance(node.get("threshold"), int | float) and "split_feature" in node:
            yield node["split_feature"], float(node["threshold"])
        for part in node.values():
            yield from _lightgbm(part)
    elif isinstance(node, list):
        for part in node:
            yield from _lightgbm(part)


def _xgboost(booster: Any) -> Iterator[tuple[int, float]]:
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    grown = learner["gradient_booster"]
    for tree in grown.get("gbtree", grown).get("model", {}).get("trees", ()):
        for left, column, value in zip(
            tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True
        ):
            if left >= 0:
                yield column, float(value)
