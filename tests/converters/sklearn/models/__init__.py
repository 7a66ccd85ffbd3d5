"""Small fitted scikit-learn models of every kind, built on demand."""

from tests.converters.sklearn.models import combinations, datasets, encoders, plain, steps, tables, trees  # noqa: F401
