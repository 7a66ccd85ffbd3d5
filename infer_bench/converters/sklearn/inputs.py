"""Which columns of a scikit-learn model's rows hold strings."""

from typing import Any

from infer_bench.converters.sklearn.encoders import is_text
from infer_bench.trees.readers.sklearn.estimators import ColumnNumbers, get_class_name, get_family, iterate_parts


def text_columns(estimator: Any, columns: ColumnNumbers) -> set[int]:
    """The columns whose known values are strings."""
    known = getattr(estimator, "categories_", None)
    if known is None and get_class_name(estimator) == "SimpleImputer":
        known = [[value] for value in estimator.statistics_]
    found: set[int] = set()
    if known is not None and get_family(estimator) == "sklearn" and len(known) == len(columns):
        found = {column for column, values in zip(columns, known, strict=True) if is_text(values)}
    for inner, inner_columns in iterate_parts(estimator, columns):
        found |= text_columns(inner, inner_columns)
    return found
