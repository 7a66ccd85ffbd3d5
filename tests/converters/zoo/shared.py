"""What the models of several libraries have in common: targets, tables, and how a wrapper is trained."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from tests.converters.zoo.case import ROWS, categories, frame, numbers, score, three, two


def wrapper(library: str, usual: Mapping[str, Any]) -> Callable[..., Callable[[], Any]]:
    """Makes functions that train a library's scikit-learn wrappers, with these settings unless others are given."""

    def of(
        kind: str, target: Callable[[Any], Any], *, rows: Callable[[], Any] = numbers, fit: Any = None, **settings: Any
    ) -> Callable[[], Any]:
        def train() -> Any:
            table = rows()
            model = getattr(import_module(library), kind)(**{**usual, **settings})
            return model.fit(table, target(table), **(fit or {})), table

        return train

    return of


def positive(rows: Any) -> Any:
    """A target above zero."""
    return np.exp(score(rows)) + 0.1


def share(rows: Any) -> Any:
    """A target between 0 and 1."""
    return 1 / (1 + np.exp(-score(rows)))


def as_labels(*labels: Any) -> Callable[[Any], Any]:
    """Those class labels in place of 0, 1, …"""
    return lambda rows: np.array(labels)[(two if len(labels) == 2 else three)(rows)]


def many_categories() -> Any:
    """A pandas category of 500 values."""
    values = np.random.default_rng(1).integers(0, 500, ROWS * 3)
    return pd.DataFrame({"shop": pd.Categorical([f"shop {i}" for i in values]), "age": np.arange(ROWS * 3) % 77.0})


def categories_without_bool() -> Any:
    """Numbers and categories of strings and integers."""
    return categories()[["age", "ratio", "city", "kind"]]


def accented() -> Any:
    """A category whose names are not ASCII."""
    table = categories()[["age", "city"]]
    return table.assign(city=table["city"].cat.rename_categories(["Zürich", "São Paulo", "Łódź", "東京"]))


def strange_names(names: list[str]) -> Callable[[], Any]:
    """The numbers under other column names."""
    return lambda: frame().set_axis(names, axis=1)


def whole() -> Any:
    """Integer columns only."""
    table = frame(missing=False)
    return table.assign(stamp=table["stamp"] - 1.7e9).round().astype("int64")


def shops(rows: Any) -> Any:
    """Whether the shop's number is odd."""
    return (rows["shop"].cat.codes % 2).to_numpy()


def one_category(kind: str) -> Callable[[], Any]:
    """One category and a number."""
    return lambda: categories()[["age", kind]]


def mixed_score(rows: Any) -> Any:
    """A target of numbers and category codes together."""
    coded = sum((rows[name].cat.codes * 0.7 % 2).to_numpy() for name in rows if str(rows[name].dtype) == "category")
    return np.sin(rows["age"].fillna(0).to_numpy() / 9) + coded


def two_of(rows: Any) -> Any:
    """Two classes of it."""
    values = mixed_score(rows)
    return (values > np.median(values)).astype(int)


def score_of(rows: Any) -> Any:
    """It itself."""
    return mixed_score(rows)


def targets(rows: Any) -> Any:
    """Three targets side by side."""
    target = score(rows)
    return np.column_stack([target, target**2, np.cos(target)])


def flags(rows: Any) -> Any:
    """Three labels side by side."""
    return (targets(rows) > 0.5).astype(int)


def times(rows: Any) -> Any:
    """Bounds of survival times."""
    low = positive(rows)
    return {"label_lower_bound": low, "label_upper_bound": np.where(low > 2, np.inf, low)}


def censored(rows: Any) -> Any:
    """Survival times, negative where censored."""
    target = positive(rows)
    return np.where(target > 2, -target, target)


def sparse_marker(value: float) -> Callable[[], Any]:
    """Rows in which a number stands for missing."""

    def rows() -> Any:
        table = numbers()
        table[np.isnan(table)] = value
        return table

    return rows
