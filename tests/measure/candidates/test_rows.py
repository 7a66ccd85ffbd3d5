"""The hash of the rows that a run was fed."""

from dataclasses import replace

import numpy as np

from infer_bench.measure.candidates.rows import Rows, hash_rows
from infer_bench.model import ModelSpec


def test_models_that_are_fed_the_same_rows_have_the_hash_of_one() -> None:
    columns = {"age": np.array([1.0, 2.0])}
    rows = Rows(columns, {**columns, "label": np.array([0, 1])}, "rows.csv", ModelSpec("raw", (), ("output",)))
    renamed = replace(rows, columns={"f0": columns["age"]})
    assert hash_rows([rows, replace(rows, source="other.csv")]) == hash_rows([rows])
    assert len({hash_rows([rows]), hash_rows([renamed]), hash_rows([rows, renamed])}) == 3
