"""Rows: read in batches from a file, fitted to a model's columns, or drawn from the model itself."""

from infer_bench.data.conform import ColumnMatch, conform, match, text_columns
from infer_bench.data.dataset import Dataset
from infer_bench.data.digest import digest
from infer_bench.data.draw import draw
from infer_bench.data.table import Column, Table, concat

__all__ = ["Column", "ColumnMatch", "Dataset", "Table", "concat", "conform", "digest", "draw", "match", "text_columns"]
