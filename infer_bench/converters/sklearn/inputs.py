"""Which columns of a scikit-learn model's rows hold strings."""

from typing import Any

from infer_bench.converters.sklearn.encoders import is_text
from infer_bench.engines.sklearn.text import is_vectorizer
from infer_bench.trees.readers.sklearn.estimators import ColumnNumbers, get_class_name, get_family, iterate_parts


def find_text_columns(estimator: Any, columns: ColumnNumbers) -> set[int]:
    """The columns whose known values are strings, and those that a vectorizer reads."""
    if is_vectorizer(estimator):
        return set(columns)
    categories = getattr(estimator, "categories_", None)
    if categories is None and get_class_name(estimator) == "SimpleImputer":
        categories = [[value] for value in estimator.statistics_]
    text: set[int] = set()
    if categories is not None and get_family(estimator) == "sklearn" and len(categories) == len(columns):
        text = {column for column, values in zip(columns, categories, strict=True) if is_text(values)}
    for inner, inner_columns in iterate_parts(estimator, columns):
        text |= find_text_columns(inner, inner_columns)
    return text
