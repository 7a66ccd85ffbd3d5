"""Rows on which a wrong conversion shows, made from the training rows and the splits that the library itself tells."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

PER_GROUP = 160


def groups(model: Any, training_rows: Any) -> dict[str, Any]:
    """Tables like the training rows: ordinary, on thresholds and beside, missing, infinite, far, zero, strange text."""
    table = training_rows.copy() if isinstance(training_rows, pd.DataFrame) else pd.DataFrame(training_rows)
    random = np.random.default_rng(5)
    numeric = [i for i, kind in enumerate(table.dtypes) if getattr(kind, "kind", "O") in "fiu"]
    base = table.iloc[random.integers(0, len(table), PER_GROUP)].reset_index(drop=True)
    tables = {"ordinary": table.iloc[: PER_GROUP * 2], "mixed": _mixed(base, random), "one": table.iloc[:1]}
    if numeric:
        floats = {table.columns[i]: float for i in numeric}
        base, table = base.astype(floats), table.astype(floats)
        tables["threshold"] = _thresholds(base, numeric, points(model), random)
        tables["nan"] = _replace(base, numeric, [np.nan], random)
        tables["infinite"] = _replace(base, numeric, [np.inf, -np.inf], random)
        tables["far"] = _replace(base, numeric, [1e300, -1e300, 1e38, -1e38], random)
        tables["zero"] = _replace(base, numeric, [0.0, -0.0, 1e-40, -1e-40, 1e-35, -1e-35, 1e-36, 1.1e-35], random)
        tables["whole"] = _replace(base, numeric, [-1.0, 1.0, 2.0, 2.5, 3.0, 7.0, 11.0], random)
    tables.update(_strange(base, random))
    return {name: rows if isinstance(training_rows, pd.DataFrame) else rows.to_numpy() for name, rows in tables.items()}


def _mixed(base: Any, random: Any) -> Any:
    """Each column shuffled on its own, so that the rows are new."""
    order = [random.permutation(len(base)) for _ in base.columns]
    return pd.DataFrame({name: base[name].array.take(at) for name, at in zip(base.columns, order, strict=True)})


def _replace(base: Any, numeric: list[int], values: list[float], random: Any) -> Any:
    """The values, each in one column of some rows and in all columns of a few."""
    table = base.copy()
    for row in range(len(table)):
        columns = numeric if row % 11 == 0 else [numeric[row % len(numeric)]]
        for column in columns:
            table.iloc[row, column] = values[random.integers(0, len(values))]
    return table


def _thresholds(base: Any, numeric: list[int], splits: list[tuple[int, float]], random: Any) -> Any:
    picks = [splits[i] for i in random.permutation(len(splits))[:60]]
    picks = picks or [(i, float(base.iloc[0, i])) for i in numeric]
    lines = []
    for column, value in picks:
        with np.errstate(over="ignore"):
            short = np.float32(value)
        beside = [value, np.nextafter(value, np.inf), np.nextafter(value, -np.inf), short]
        beside += [np.nextafter(short, np.float32(np.inf)), np.nextafter(short, np.float32(-np.inf))]
        for number in beside:
            row = base.iloc[random.integers(0, len(base))].copy()
            row.iloc[column if column in numeric else numeric[0]] = float(number)
            lines.append(row.to_list())
    return pd.DataFrame(
        {name: pd.Series([row[i] for row in lines], dtype=base[name].dtype) for i, name in enumerate(base.columns)}
    )


def _strange(base: Any, random: Any) -> dict[str, Any]:
    """Categories that training has not seen, and missing ones."""
    odd = [i for i, kind in enumerate(base.dtypes) if getattr(kind, "kind", "O") == "O"]
    if not odd:
        return {}
    unseen, absent = base.astype({base.columns[i]: object for i in odd}), base.copy()
    for row in range(len(base)):
        column = base.columns[odd[row % len(odd)]]
        categories = base[column].dtype.categories if hasattr(base[column].dtype, "categories") else ["text"]
        text = isinstance(categories[0], str)
        unseen.at[row, column] = ["never seen", "", "rome", "Rome "][row % 4] if text else [12345, -1, 4, 0][row % 4]
        absent.at[row, column] = None
    for column in [base.columns[i] for i in odd if hasattr(base.dtypes.iloc[i], "categories")]:
        unseen[column] = pd.Categorical(unseen[column])
    return {"unseen": unseen, "missing text": absent}


def points(model: Any) -> list[tuple[int, float]]:
    """(column, threshold) of every split that can be found inside, as the libraries print them."""
    return list(dict.fromkeys(_points(model, set())))


def _points(model: Any, visited: set[int]) -> Iterator[tuple[int, float]]:
    if id(model) in visited:
        return
    visited.add(id(model))
    kind = f"{type(model).__module__}.{type(model).__name__}"
    if kind == "lightgbm.basic.Booster":
        yield from _lightgbm(model.dump_model())
    elif kind == "xgboost.core.Booster":
        yield from _xgboost(model)
    elif hasattr(model, "nodes") and hasattr(model, "binned_left_cat_bitsets"):
        nodes = model.nodes
        splits = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]
        yield from zip(splits["feature_idx"].tolist(), splits["num_threshold"].tolist(), strict=True)
    elif hasattr(model, "tree_"):
        inner = model.tree_.children_left >= 0
        yield from zip(model.tree_.feature[inner].tolist(), model.tree_.threshold[inner].tolist(), strict=True)
    elif isinstance(model, list | tuple):
        for part in model:
            yield from _points(part, visited)
    elif isinstance(model, np.ndarray) and model.dtype == object:
        for part in model.flat:
            yield from _points(part, visited)
    elif hasattr(model, "__dict__") and hasattr(model, "get_params"):
        for part in list(vars(model).values()):
            yield from _points(part, visited)


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
    booster = learner["gradient_booster"]
    for tree in booster.get("gbtree", booster).get("model", {}).get("trees", ()):
        for child, column, value in zip(
            tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True
        ):
            if child >= 0:
                yield column, float(value)
